"""A wired step reads, or an output names, a step that is not there.

## What
`from` and `output` name steps of the same block, its inputs, or parts of an ODE's state. This name is none
of them.

## Why
What the step would read is not known, and with it its shape and all that follows.

## Cure
Correct the name. What enters a block is called `input` unless the block says otherwise under `inputs`.

```yaml bad
tdspec: 1
model:
  input: [1, 8, 8]
  steps:
    conv: {do: [Conv(16)–Act]}
    logits: {do: [GAP–FC(10)], from: conv}
  output: logit
data: {name: digits}
```

```yaml good
tdspec: 1
model:
  input: [1, 8, 8]
  steps:
    conv: {do: [Conv(16)–Act]}
    logits: {do: [GAP–FC(10)], from: conv}
  output: logits
data: {name: digits}
```
"""
