"""An ODE's field gives another shape than its state has.

## What
The field is the derivative of the state, so it has the state's shape: the same channels on the same map.

## Why
state + dt * derivative is not defined otherwise. A width or a stride inside the field is the usual cause.

## Cure
Let the last convolution give the state's channels (it does so by itself if no width is written), and use no
stride and no unpadded convolution in the field. To change the shape, do it in the stem.

```yaml bad
tdspec: 1
model:
  input: [1, 8, 8]
  stem: [Conv(16)]
  ode:
    field: [GN(1)–Act–ConcatConv(32)–GN(1)]
  head: [GAP–FC]
data: {name: digits}
```

```yaml good
tdspec: 1
model:
  input: [1, 8, 8]
  stem: [Conv(16)]
  ode:
    field: [GN(1)–Act–ConcatConv(32)–GN(1)–Act–Conv(16)]
  head: [GAP–FC]
data: {name: digits}
```
"""
