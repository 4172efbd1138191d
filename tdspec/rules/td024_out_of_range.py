"""A number lies outside its range.

## What
The key takes numbers within bounds, and this one is outside: a batch of none, a momentum of 1, an
integration that ends where it starts, a tolerance of `.inf`.

## Why
Beyond its bounds the number has no meaning, or divides by zero hours later.

## Cure
Stay within the bounds that the message names.

```yaml bad
tdspec: 1
model:
  input: [1, 8, 8]
  stem: [Conv(16)]
  ode:
    field: [GN(1)–Act–ConcatConv–GN(1)]
  head: [GAP–FC]
data: {name: digits}
train: {epochs: 20, batch_size: 0}
```

```yaml good
tdspec: 1
model:
  input: [1, 8, 8]
  stem: [Conv(16)]
  ode:
    field: [GN(1)–Act–ConcatConv–GN(1)]
  head: [GAP–FC]
data: {name: digits}
train: {epochs: 20, batch_size: 64}
```
"""
