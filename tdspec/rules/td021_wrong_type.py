"""A value is of another type than its key takes.

## What
A list stands where a mapping should, text where a number should, and so on. The message says what was
expected and what was found.

## Why
Scalars are read by the rules of YAML 1.2: `1e-3` is a number, `010` is ten, `on`, `yes` and `no` are text,
and whatever stands in quotes is text.

## Cure
Write the value as the message says; most often quotes or brackets have to go, or `yes` becomes `true`.

```yaml bad
tdspec: 1
model:
  input: [1, 8, 8]
  stem: [Conv(16)]
  ode:
    field: [GN(1)–Act–ConcatConv–GN(1)]
  head: [GAP–FC]
data: {name: digits}
train: {epochs: "20"}
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
train: {epochs: 20}
```
"""
