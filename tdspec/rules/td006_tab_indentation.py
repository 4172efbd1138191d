"""A line is indented by a tab.

## What
The first such line that YAML stumbles over is shown, and how many others there are.

## Why
YAML measures indentation in blanks; how wide a tab is, no two editors agree on.

## Cure
Use two blanks for each level. Most editors turn tabs into blanks for files that end in `.yaml`.

    expand -t 2 old.yaml > new.yaml

```yaml bad
tdspec: 1
model:
\tinput: [1, 8, 8]
\tpipeline: [Conv(16)–GN(4)–Act–GAP–FC]
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
