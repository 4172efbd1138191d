"""A step does not fit the size of the map.

## What
A kernel is larger than the padded map, a map does not divide by a factor, a vector comes where a map is needed or
the other way round, a U-Net's levels do not halve, or an input has more than three axes of positions. In
`time.embed`: a step takes a vector, but gets t itself, or a norm takes a mean over samples, of which an ODE's
embedding has none.

## Why
Strides and unpadded convolutions shrink a map faster than one thinks; the message has the sizes.

## Cure
Fewer strides, more padding, `GAP` or `Flatten` in front of `FC`, or another input size.

```yaml bad
tdspec: 1
model:
  input: [1, 8, 8]
  stem: [Conv(16)]
  ode:
    field: [GN(1)–Act–ConcatConv–GN(1)]
  head: [FC]
data: {name: digits}
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
```
"""
