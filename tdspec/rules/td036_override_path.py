"""A setting from the command line names nothing.

## What
`--set` takes the dotted path of a key and a value, `--set train.optimizer.lr=0.05`. This one has no `=`, or
its path goes on below a number, a word or a list.

## Why
A setting that leads nowhere would leave the spec as it was, and a sweep over it would train the same
network again and again.

## Cure
Follow the keys as they are nested in the file. A list or a pipeline is set as a whole.

```yaml bad --set model.input.channels=3
tdspec: 1
model:
  input: [1, 8, 8]
  stem: [Conv(16)]
  ode:
    field: [GN(1)–Act–ConcatConv–GN(1)]
  head: [GAP–FC]
data: {name: digits}
```

```yaml good --set model.input=[1,8,8]
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
