"""Two keys say different things about the same matter.

## What
Each is right alone, together they contradict: `epochs` and `iterations`, `ode` and `unet` in one model,
`pipeline` and `head`. Or a key has nothing to work on beside the others: `time.argument` without `embed`,
`residual` in a block that is an ODE, `scale` without a sum, `output` without `steps`.

## Why
Any order of precedence would be a rule to remember, and the other key a line without effect.

## Cure
Keep one of them. A model of several ODEs or U-Nets has them as `blocks`, and uses those in `pipeline`.

```yaml bad
tdspec: 1
model:
  input: [1, 8, 8]
  stem: [Conv(16)]
  ode:
    field: [GN(1)–Act–ConcatConv–GN(1)]
  head: [GAP–FC]
data: {name: digits}
train: {epochs: 20, iterations: 500}
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
train: {iterations: 500}
```
"""
