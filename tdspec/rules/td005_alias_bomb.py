"""Aliases stand for more than 10,000 values, or for themselves.

## What
An anchor, `&name`, marks a value, and an alias, `*name`, repeats it. Lists of aliases of lists of aliases
multiply: nine lines can stand for a billion values. And an alias inside its own anchor would never end.

## Why
Such a file is small to read and endless to check. What all aliases stand for is counted while reading.

## Cure
Write a block once and repeat it in the pipeline, `[Res*8]`; take common values from `defaults` or `extends`.

```yaml bad
tdspec: 1
x-a: &a [0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
x-b: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a, *a]
x-c: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b, *b]
x-d: [*c, *c, *c, *c, *c, *c, *c, *c, *c, *c]
model:
  input: [1, 8, 8]
  pipeline: [Conv(16)–GN(4)–Act–GAP–FC]
data: {name: digits}
```

```yaml good
tdspec: 1
x-size: &size [1, 8, 8]
model:
  input: *size
  pipeline: [Conv(16)–GN(4)–Act–GAP–FC]
data: {name: digits}
```
"""
