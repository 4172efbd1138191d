"""A use of a shared block has weights of its own.

## What
The block says `share: true`, but this use meets other channels or has other arguments than the first, so that it
becomes another module. Uses that agree share among each other.

## Why
`share` promises one set of weights. Here the network has several, and more parameters than one would think.

## Cure
Give all uses the same channels and arguments, or make two blocks of it. If weights are meant to be shared among those
uses that agree, allow this with a reason.

## Limits
The size of a map alone is no difference, unless the block holds a weight for every position.

```yaml bad
tdspec: 1
blocks:
  Res: {pipeline: [GN(1)–Act–Conv], residual: true, share: true}
model:
  input: [1, 8, 8]
  pipeline: [Conv(16)–Res*2–Conv(32)–Res*2–GAP–FC]
data: {name: digits}
```

```yaml good
tdspec: 1
blocks:
  Res: {pipeline: [GN(1)–Act–Conv], residual: true, share: true}
model:
  input: [1, 8, 8]
  pipeline: [Conv(16)–Res*2–MaxPool–Res*2–GAP–FC]
data: {name: digits}
```
"""
