"""Nothing uses a block.

## What
A block of this file stands in no pipeline that leads from the model or from `time.embed` to it. It is checked
as far as it can be without shapes: names, arguments, keys.

## Why
Most often a step has the name of another block, or of an op, so that the network is not the one that was meant.

## Cure
Use the block, or remove it. Keep what is for later under a key of your own, such as `x-blocks`.

## Limits
Blocks of a file that the spec `extends` are borne: a variant may leave some of them without use.

```yaml bad
tdspec: 1
blocks:
  Res: {pipeline: [GN(1)–Act–Conv], residual: true}
  Plain: {pipeline: [GN(1)–Act–Conv]}
model:
  input: [1, 8, 8]
  pipeline: [Conv(16)–Plain*2–GAP–FC]
data: {name: digits}
```

```yaml good
tdspec: 1
blocks:
  Res: {pipeline: [GN(1)–Act–Conv], residual: true}
  Plain: {pipeline: [GN(1)–Act–Conv]}
model:
  input: [1, 8, 8]
  pipeline: [Conv(16)–Plain–Res–GAP–FC]
data: {name: digits}
```
"""
