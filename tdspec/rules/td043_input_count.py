"""A step has the wrong number of inputs.

## What
Most ops read one tensor. `Add`, `Mul` and `Concat` read two or more, named by a list under `from`. The
message says how many the op takes and how many it gets.

## Why
Only the first step of a wired pipeline sees all the inputs; every later one reads the step before it.

## Cure
Name all inputs, `from: [conv, input]`, and put the op that joins them first.

```yaml bad
tdspec: 1
model:
  input: [1, 8, 8]
  steps:
    conv: {do: [Conv(16)–Act]}
    sum: {do: [Add–Act], from: conv}
    logits: {do: [GAP–FC(10)], from: sum}
  output: logits
data: {name: digits}
```

```yaml good
tdspec: 1
model:
  input: [1, 8, 8]
  steps:
    conv: {do: [Conv(16)–Act]}
    side: {do: [Conv1x1(16)]}
    sum: {do: [Add–Act], from: [conv, side]}
    logits: {do: [GAP–FC(10)], from: sum}
  output: logits
data: {name: digits}
```
"""
