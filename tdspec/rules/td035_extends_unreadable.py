"""The file that a spec extends cannot be read, or extends the spec in turn.

## What
`extends:` names a file by its path from the folder of the spec that says so. The file is missing, is no
YAML mapping, or leads back to where it started.

## Why
Without it nobody knows what the rest of the spec changes.

## Cure
Correct the path; break the circle. What several specs share goes into a file that extends none of them.

```yaml bad
tdspec: 1
extends: no-such-folder/node.yaml
model:
  input: [1, 8, 8]
  stem: [Conv(16)]
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
