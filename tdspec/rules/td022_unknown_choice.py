"""A value is not one of the words that its key takes.

## What
Some keys take one word out of a list: an optimizer's or a schedule's `kind`, a solver's `method`, the name
of a data set. The message gives the list and the nearest word.

## Why
The words choose what runs. No word stands for a default, so a misspelt one cannot mean anything.

## Cure
Use a word of the list. Words are case-sensitive.

```yaml bad
tdspec: 1
model:
  input: [1, 8, 8]
  stem: [Conv(16)]
  ode:
    solver: {method: dopri}
    field: [GN(1)–Act–ConcatConv–GN(1)]
  head: [GAP–FC]
data: {name: digits}
```

```yaml good
tdspec: 1
model:
  input: [1, 8, 8]
  stem: [Conv(16)]
  ode:
    solver: {method: dopri5}
    field: [GN(1)–Act–ConcatConv–GN(1)]
  head: [GAP–FC]
data: {name: digits}
```
"""
