"""A mapping has a key that its section does not know.

## What
The key is refused, at any depth. The message names the nearest key that the section has, or else the
section in which this key belongs.

## Why
A key that is skipped in silence is a setting that never took effect: the run looks right and is another
one.

## Cure
Correct the spelling, or move the key. Keys that start with `x-` are your own and are never looked at.

```yaml bad
tdspec: 1
model:
  input: [1, 8, 8]
  stem: [Conv(16)]
  ode:
    field: [GN(1)–Act–ConcatConv–GN(1)]
  head: [GAP–FC]
data: {name: digits}
train: {epochs: 20, batchsize: 64}
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
train: {epochs: 20, batch_size: 64, x-asked-by: me}
```
"""
