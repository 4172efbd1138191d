"""Nothing reads a wired step.

## What
No path leads from this step to the output.

## Why
It would hold parameters that never learn. Most often another step's `from` names the wrong one.

## Cure
Remove the step, or read it.

```yaml bad
tdspec: 1
model:
  input: [1, 8, 8]
  steps:
    conv: {do: [Conv(16)–Act]}
    deep: {do: [Conv(16)–Act], from: conv}
    logits: {do: [GAP–FC(10)], from: conv}
  output: logits
data: {name: digits}
```

```yaml good
tdspec: 1
model:
  input: [1, 8, 8]
  steps:
    conv: {do: [Conv(16)–Act]}
    deep: {do: [Conv(16)–Act], from: conv}
    logits: {do: [GAP–FC(10)], from: deep}
  output: logits
data: {name: digits}
```
"""
