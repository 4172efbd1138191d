"""YAML would change this pipeline's text on loading.

## What
The pipeline is a block of text (`|` or `>`), or quoted over several lines, or has backslashes or doubled
quotes in it, or a comment between its brackets.

## Why
Each step keeps its line and column, up to errors at run time. That needs the text as it stands in the file,
which escapes, folded lines and comments do not leave whole.

## Cure
Write it without quotes, which may go over several lines, or quoted on one line. A dash stands for itself,
not as an escape; a comment goes before the pipeline or behind its `]`.

```yaml bad
tdspec: 1
model:
  input: [1, 8, 8]
  pipeline: >
    [Conv(16)–GN(4)–Act–GAP–FC]
data: {name: digits}
```

```yaml good
tdspec: 1
model:
  input: [1, 8, 8]
  pipeline: [Conv(16)–GN(4)
    –Act–GAP–FC]
data: {name: digits}
```
"""
