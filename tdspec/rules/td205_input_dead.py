"""A tensor is the same whatever comes in.

## What
Behind this step nothing depends on the input any more, and so on nothing before it: a norm whose unit holds a
single value gives its own bias, and the mean over exactly what a norm has just centred is that bias too.

## Why
A mean removed from one value leaves zero. `GN(C)` on a 1x1 map does so, and so does `IN–GAP` on any map.

## Cure
Use a norm whose unit holds more than one value, or pool before the norm.

## Limits
None: it is arithmetic.

```yaml bad
tdspec: 1
model:
  input: [1, 8, 8]
  stem: [Conv(16)]
  ode:
    field: [GN(1)–Act–ConcatConv–GN(1)]
  head: [IN–GAP–FC]
data: {name: digits}
```

```yaml good
tdspec: 1
model:
  input: [1, 8, 8]
  stem: [Conv(16)]
  ode:
    field: [GN(1)–Act–ConcatConv–GN(1)]
  head: [IN–Act–GAP–FC]
data: {name: digits}
```
"""

from __future__ import annotations

from tdspec.facts.constant import constants
from tdspec.report.codes import finding
from tdspec.rules.context import Context, Findings


def check(context: Context) -> Findings:
    made, dead = constants(context.graph)
    for path, node in context.graph.walk():
        before = {f"{path.rpartition('.')[0]}.{name}".lstrip(".") for name in node.inputs}
        if path not in made or before & dead:  # reported where it began
            continue
        yield finding(
            "TD205",
            f"what leaves `{node.title}` is the same whatever comes in",
            node.span,
            where=node.where,
            uses=context.graph.uses(path),
            help="use a norm whose unit holds more than one value, or pool before the norm",
        )
