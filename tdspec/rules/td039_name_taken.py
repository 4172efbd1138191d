"""A name is taken.

## What
A block has the name of an op, a wired step that of an input beside it, or a parameter is called `C` or `in`,
which expressions know already.

## Why
Whoever reads a pipeline trusts that `Conv` is a convolution, in every spec. Of two things with one name, one
would be out of reach.

## Cure
Give it a name of its own. To change what an op does by default, use `defaults:`.

```yaml bad
tdspec: 1
blocks:
  Act:
    pipeline: [GELU–Dropout(0.1)]
model:
  input: [1, 8, 8]
  pipeline: [Conv(16)–Act–GAP–FC]
data: {name: digits}
```

```yaml good
tdspec: 1
blocks:
  NoisyAct:
    pipeline: [GELU–Dropout(0.1)]
model:
  input: [1, 8, 8]
  pipeline: [Conv(16)–NoisyAct–GAP–FC]
data: {name: digits}
```
"""
