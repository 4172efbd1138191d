"""A mapping lacks a key that it needs.

## What
The section cannot be understood without this key: a model without `input`, an optimizer without `lr`, a
step without `do`. The message says what the key means.

## Why
Only what has a sound default has a default. What a paper would state, its spec states too.

## Cure
Add the key.

```yaml bad
tdspec: 1
model:
  input: [1, 8, 8]
  stem: [Conv(16)]
  ode:
    field: [GN(1)–Act–ConcatConv–GN(1)]
  head: [GAP–FC]
data: {name: digits}
train:
  optimizer: {kind: sgd, momentum: 0.9}
  epochs: 20
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
train:
  optimizer: {kind: sgd, lr: 0.1, momentum: 0.9}
  epochs: 20
```
"""
