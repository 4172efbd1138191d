"""A pipeline has brackets inside its brackets.

## What
Groups of steps, `[A–[B–C]*4]`, and lists as arguments, `Conv(padding=[1, 1])`, are not part of the notation.

## Why
A group is what a block is for. As a block it has a name of its own: in messages, in drawings, and in the
keys of a checkpoint.

## Cure
Name the group under `blocks` and use it as a step, with a repeat if needed. Arguments are numbers, words and
small expressions.

```yaml bad
tdspec: 1
model:
  input: [1, 8, 8]
  pipeline: [Conv(16)–[GN(4)–Act–Conv]*2–GAP–FC]
data: {name: digits}
```

```yaml good
tdspec: 1
blocks:
  Unit: {pipeline: [GN(4)–Act–Conv]}
model:
  input: [1, 8, 8]
  pipeline: [Conv(16)–Unit*2–GAP–FC]
data: {name: digits}
```
"""
