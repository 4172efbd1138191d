"""Wired steps wait for each other.

## What
Following `from` backwards, a step is reached again. The message shows the circle.

## Why
None of them could be computed first. The order of the keys in the file means nothing; `from` alone decides.

## Cure
Let one of them read an earlier step. Feedback over time is what an `ode` is for: its state is both read and
changed by its field.

```yaml bad
tdspec: 1
model:
  input: [1, 8, 8]
  steps:
    down: {do: [Conv(16)], from: up}
    up: {do: [Conv(16)], from: down}
    logits: {do: [GAP–FC(10)], from: up}
  output: logits
data: {name: digits}
```

```yaml good
tdspec: 1
model:
  input: [1, 8, 8]
  steps:
    down: {do: [Conv(16)], from: input}
    up: {do: [Conv(16)], from: down}
    logits: {do: [GAP–FC(10)], from: up}
  output: logits
data: {name: digits}
```
"""
