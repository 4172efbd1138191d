"""A GN's number of groups does not divide its channels.

## What
GN cuts the channels into groups of equal size. The message names the divisors next to the number written.

## Why
PyTorch refuses such a layer when it is built. In public code the mistake has been hidden by falling back to as
many groups as channels, which erases time: an augmented state of 65 channels and 32 groups is the example.

## Cure
Use a divisor, or a rule that follows the channels: `GN(C/4)`, `GN(min(C/4, 32))`. `/` floors, and
divisibility is checked afterwards.

```yaml bad
tdspec: 1
model:
  input: [1, 8, 8]
  stem: [Conv(12)]
  ode:
    field: [GN(1)–Act–ConcatConv–GN(8)]
  head: [GAP–FC]
data: {name: digits}
```

```yaml good
tdspec: 1
model:
  input: [1, 8, 8]
  stem: [Conv(12)]
  ode:
    field: [GN(1)–Act–ConcatConv–GN(1)]
  head: [GAP–FC]
data: {name: digits}
```
"""
