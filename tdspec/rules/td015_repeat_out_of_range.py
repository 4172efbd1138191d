"""A repeat is not a whole number from 1 to 1000.

## What
`Res*4` stands for four steps `Res`, each with weights of its own. The number of a repeat is written out; a
name, a fraction, 0 and more than 1000 are refused. All steps of a pipeline together may be 100,000.

## Why
How many layers a network has should be seen where it is written, and a digit too many should not build a
network that fills the machine.

## Cure
Write the number. For a step that is repeated zero times leave the step out. Arguments come before the
repeat, `Res(64)*4`.

```yaml bad
tdspec: 1
model:
  input: [1, 8, 8]
  pipeline: [Conv(16)–Act*0–GAP–FC]
data: {name: digits}
```

```yaml good
tdspec: 1
model:
  input: [1, 8, 8]
  pipeline: [Conv(16)–Act–GAP–FC]
data: {name: digits}
```
"""
