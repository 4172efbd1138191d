"""An argument's value is not what its op takes.

## What
The op takes a whole number, a number in a range, `true` or `false`, one of a few words, or an
initialisation rule, and the value is something else. Arithmetic in `C`, `in` and `out` is worked out before
it is judged.

## Why
Half a channel or a probability of 50 would fail deep inside PyTorch, far away from this line.

## Cure
Give what the message asks for. Rates are fractions: `Dropout(0.5)`, not `Dropout(50)`.

```yaml bad
tdspec: 1
model:
  input: [1, 8, 8]
  stem: [Conv(16)]
  ode:
    field: [GN(1)–Act–ConcatConv–GN(1)]
  head: [GAP–Dropout(50)–FC]
data: {name: digits}
```

```yaml good
tdspec: 1
model:
  input: [1, 8, 8]
  stem: [Conv(16)]
  ode:
    field: [GN(1)–Act–ConcatConv–GN(1)]
  head: [GAP–Dropout(0.5)–FC]
data: {name: digits}
```
"""
