"""A block contains itself.

## What
The block's pipeline uses the block, at once or by way of another one. The message shows the circle.

## Why
A block stands for the steps it is made of, so such a network would never end.

## Cure
Use a repeat for a chain, `Res*4`; a second block where the inner one is meant to differ; an `ode` for depth
without end.

```yaml bad
tdspec: 1
blocks:
  Res:
    pipeline: [GN(1)–Act–Conv–Res]
    residual: true
model:
  input: [1, 8, 8]
  pipeline: [Conv(16)–Res–GAP–FC]
data: {name: digits}
```

```yaml good
tdspec: 1
blocks:
  Res:
    pipeline: [GN(1)–Act–Conv]
    residual: true
model:
  input: [1, 8, 8]
  pipeline: [Conv(16)–Res*4–GAP–FC]
data: {name: digits}
```
"""
