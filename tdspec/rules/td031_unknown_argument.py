"""A step names an argument that its op does not have.

## What
Arguments are given by place or as `name=value`. The message names the nearest argument, or all of them.

## Why
An argument that is skipped in silence is a network other than the one that was meant.

## Cure
Correct the name. A kernel size is no argument but a suffix: `Conv5x5(16)`.

```yaml bad
tdspec: 1
model:
  input: [1, 8, 8]
  stem: [Conv(16, strides=2)]
  ode:
    field: [GN(1)–Act–ConcatConv–GN(1)]
  head: [GAP–FC]
data: {name: digits}
```

```yaml good
tdspec: 1
model:
  input: [1, 8, 8]
  stem: [Conv(16, stride=2)]
  ode:
    field: [GN(1)–Act–ConcatConv–GN(1)]
  head: [GAP–FC]
data: {name: digits}
```
"""
