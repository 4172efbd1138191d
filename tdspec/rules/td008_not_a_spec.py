"""The file is YAML, but no spec.

## What
It is empty, or it holds a list or a single text where a mapping of keys to values was expected, or it holds
several YAML documents. Of a spec given as Python data: it holds what no YAML text can, such as a set or bytes.

## Why
One file is one spec: findings, run folders and `extends` name a spec by its file.

## Cure
Start with `tdspec: 1` and a `model`, or let `tdspec init` write a spec to change. Give each of several
documents a file of its own.

```yaml bad
- tdspec: 1
- model: [Conv(16)–GN(4)–Act–GAP–FC]
```

```yaml good
tdspec: 1
model:
  input: [1, 8, 8]
  pipeline: [Conv(16)–GN(4)–Act–GAP–FC]
data: {name: digits}
```
"""
