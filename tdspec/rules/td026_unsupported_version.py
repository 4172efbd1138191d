"""The spec is written in another version of the language.

## What
`tdspec:` at the top of a file is the version of the language, not of the program. This program reads
version 1.

## Why
The number grows only when a spec would change its meaning. Reading one by the rules of another could train
another network.

## Cure
Write `tdspec: 1`, or use a release of tdspec that knows the file's version.

```yaml bad
tdspec: 2
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
