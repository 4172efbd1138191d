"""A key stands twice in one mapping.

## What
Both places are shown. Everything else is checked with the first of the two.

## Why
Most YAML readers take the last one in silence, so a setting that one changes at the top of a section may be
undone at its bottom, unnoticed.

## Cure
Keep one of the two. A variant of a spec belongs into a file of its own that `extends` it.

```yaml bad
tdspec: 1
model:
  input: [1, 8, 8]
  pipeline: [Conv(16)–GN(4)–Act–GAP–FC]
data: {name: digits}
train:
  epochs: 20
  batch_size: 64
  epochs: 30
```

```yaml good
tdspec: 1
model:
  input: [1, 8, 8]
  pipeline: [Conv(16)–GN(4)–Act–GAP–FC]
data: {name: digits}
train:
  epochs: 30
  batch_size: 64
```
"""
