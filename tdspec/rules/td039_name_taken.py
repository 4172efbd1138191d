"""A block has the name of an op.

## What
A key of `blocks:` is a word that the language has already.

## Why
Whoever reads a pipeline trusts that `Conv` is a convolution, in every spec.

## Cure
Give the block a name of its own. To change what an op does by default, use `defaults:`.

```yaml bad
tdspec: 1
blocks:
  Conv:
    pipeline: [GN(1)–Act–FC(16)]
model:
  input: [1, 8, 8]
  pipeline: [Conv–GAP–FC]
data: {name: digits}
```

```yaml good
tdspec: 1
blocks:
  Mix:
    pipeline: [GN(1)–Act–Conv1x1(16)]
model:
  input: [1, 8, 8]
  pipeline: [Conv(16)–Mix–GAP–FC]
data: {name: digits}
```
"""
