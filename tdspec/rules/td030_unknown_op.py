"""A pipeline uses a word that is neither an op nor a block.

## What
Every step of a pipeline is an op of the language or a block of the spec's own section `blocks`. The message
names the nearest of both.

## Why
Names are case-sensitive, as in the papers: `GN` is group normalisation, `gn` is nothing.

## Cure
Correct the name, or write the block down under `blocks:`.

```yaml bad
tdspec: 1
model:
  input: [1, 8, 8]
  stem: [Cnov(16)]
  ode:
    field: [GN(1)–Act–ConcatConv–GN(1)]
  head: [GAP–FC]
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
