"""The last FC does not have as many outputs as the data has classes.

## What
The width of the last `FC` of a classifier is written, and differs from the number of classes of the data set.

## Why
Too few outputs fail at the first label beyond them; too many train without a word.

## Cure
Leave the width out: the last `FC` takes it from the data.

```yaml bad
tdspec: 1
model:
  input: [1, 8, 8]
  stem: [Conv(16)]
  ode:
    field: [GN(1)–Act–ConcatConv–GN(1)]
  head: [GAP–FC(100)]
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
