"""A step needs t where there is none.

## What
`Emb`, `PosEmb`, `ConcatConv` and the like read t, or its embedding. t exists inside an ODE's field, and
everywhere in a model that takes t, as a U-Net does. This step stands elsewhere.

## Why
A classifier is called with images alone; its stem and its head lie outside the time that an ODE integrates
over.

## Cure
Move the step into the field, or use the op without time: `Conv` for `ConcatConv`.

```yaml bad
tdspec: 1
model:
  input: [1, 8, 8]
  stem: [Conv(16)–Emb]
  ode:
    field: [GN(1)–Act–ConcatConv–GN(1)]
  head: [GAP–FC]
data: {name: digits}
```

```yaml good
tdspec: 1
model:
  input: [1, 8, 8]
  stem: [Conv(16)]
  ode:
    field: [GN(1)–Act–Conv–Emb–GN(1)]
  head: [GAP–FC]
data: {name: digits}
```
"""
