"""Channels do not fit together.

## What
A step gets another number of channels than it can take: inputs of `Add` that differ, heads or parts that do not
divide the channels, a state that starts with other channels than declared.

## Why
Such a network cannot be built. Here the step, the file and the line are named before anything is built.

## Cure
Change the width, give the block a `shortcut`, or choose a divisor.

```yaml bad
tdspec: 1
blocks:
  Res: {pipeline: [Conv(32)], residual: true}
model:
  input: [1, 8, 8]
  pipeline: [Conv(16)–Res–GAP–FC]
data: {name: digits}
```

```yaml good
tdspec: 1
blocks:
  Res: {pipeline: [Conv(32)], shortcut: [Conv1x1(32)]}
model:
  input: [1, 8, 8]
  pipeline: [Conv(16)–Res–GAP–FC]
data: {name: digits}
```
"""
