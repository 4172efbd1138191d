"""A parenthesis or bracket of a pipeline has no partner.

## What
A `(` is never closed, or a `)` or `]` closes nothing. The opening one is shown, and the place where its
partner was expected.

## Why
Without its partner it is open which steps are arguments: inside parentheses a hyphen is a minus.

## Cure
Close the arguments of a step before the next separator. With en dashes as separators the message can say
where; with hyphens it cannot.

```yaml bad
tdspec: 1
model:
  input: [1, 8, 8]
  pipeline: [Conv(16–GN(4)–Act–GAP–FC]
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
