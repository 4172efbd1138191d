"""The text nests more than 100 levels deep.

## What
Mappings and lists lie in one another deeper than the bound. Reading ends there.

## Why
Real specs need six levels. Beyond some thousands, YAML readers become slow or crash, so the bound is looked
at before anything is built.

## Cure
Look for a bracket that is left open, or for text that is no spec.

```yaml bad
tdspec: 1
x-deep: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[
  [[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]
  ]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]
model:
  input: [1, 8, 8]
  pipeline: [Conv(16)–GN(4)–Act–GAP–FC]
data: {name: digits}
```

```yaml good
tdspec: 1
x-deep: [[[[[[]]]]]]
model:
  input: [1, 8, 8]
  pipeline: [Conv(16)–GN(4)–Act–GAP–FC]
data: {name: digits}
```
"""
