"""A step has too many arguments, too few, or one of them twice.

## What
More values stand in the parentheses than the op or the block has parameters, one that must be given is
missing, or one is given by place and again by name. A kernel suffix on an op without a kernel counts too.

## Why
Which value is meant for which parameter could only be guessed.

## Cure
Look at the op's parameters in the message; what is not given takes its value from `defaults:` or the op.

```yaml bad
tdspec: 1
model:
  input: [1, 8, 8]
  stem: [Conv(16)]
  ode:
    field: [GN(1)–Act–ConcatConv–GN(1)]
  head: [GAP(2)–FC]
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
