"""A pipeline is not written as one.

## What
A pipeline stands in brackets and is a chain of steps with a separator between each two, `–` or `-`. A step
is a name, then, each if needed, a kernel, arguments in parentheses, and a repeat:

    [GN – Act – Conv3x3(64, bias=false)*2]

## Why
The notation is that of the papers, read by a grammar without guesses: two names in a row or a separator
without a step most often mean that something was lost in editing.

## Cure
The message shows the corrected step. Arguments by position come before those by name; names are made of
ASCII letters, digits and `_`.

```yaml bad
tdspec: 1
model:
  input: [1, 8, 8]
  pipeline: [Conv 16–GN(4) Act–GAP–FC–]
data: {name: digits}
```

```yaml good
tdspec: 1
model:
  input: [1, 8, 8]
  pipeline: [Conv(16)–GN(4)–Act–GAP–FC]
data: {name: digits}
```
"""
