"""An argument or option is not an expression.

## What
Expressions are numbers, names, `+ - * /`, parentheses and calls, as in `C/4`, `min(C/4, 32)`, `1/sqrt(2)` or
`normal(0.02)`. `/` floors between whole numbers. There are no powers, no quotes and no brackets.

## Why
They are read by a grammar and never run as a program, so a spec from anywhere is safe to check. In braces
YAML ends a value at a comma: `{groups: min(C/4, 32)}` reaches a reader as two keys.

## Cure
The message says what was expected. In braces, put quotes around an expression that has a comma.

```yaml bad
tdspec: 1
defaults: {GN: {groups: min(C/4, 32)}}
model:
  input: [1, 8, 8]
  pipeline: [Conv(16)–GN–Act–GAP–FC]
data: {name: digits}
```

```yaml good
tdspec: 1
defaults: {GN: {groups: "min(C/4, 32)"}}
model:
  input: [1, 8, 8]
  pipeline: [Conv(16)–GN–Act–GAP–FC]
data: {name: digits}
```
"""
