"""Batch normalisation inside an ODE's field.

## What
In training BN removes each channel's mean over the batch. In a neural ODE the whole batch shares one t, so
an offset per channel goes with the mean; under zero padding a trace is left at the border. In evaluation
BN is a fixed affine map, and what training never saw is suddenly there: two different functions.

## Why
The paper replaces GN by BN in its baseline: accuracy falls from 91.76 to 91.11 on CIFAR-10 (69.47 to 68.01
on CIFAR-100), evaluations rise from 26.0 to 34.6 (71.3): arXiv 2405.14126, table 1. Besides, every
evaluation of the field moves the running statistics, so that they depend on the solver.

## Cure
Use `GN` with at least 4 channels per group; `GN(1)` is best in most cases. To run the ablation, allow it:
`allow: {TD104: "the paper's ablation"}`.

## Limits
With `PosEmb` before it BN does not erase time; that training and evaluation differ stays true.

```yaml bad
tdspec: 1
model:
  input: [1, 8, 8]
  stem: [Conv(16)]
  ode:
    field: [GN(1)–Act–ConcatConv–BN]
  head: [GAP–FC]
data: {name: digits}
```

```yaml good
tdspec: 1
model:
  input: [1, 8, 8]
  stem: [Conv(16)–BN–Act]
  ode:
    field: [GN(1)–Act–ConcatConv–GN(1)]
  head: [GAP–FC]
data: {name: digits}
```
"""

from __future__ import annotations

from tdspec.report.codes import finding
from tdspec.rules.context import Context, Findings, entry_label
from tdspec.rules.cures import wider_units


def check(context: Context) -> Findings:
    for scope in context.scopes:
        if scope.kind != "ode":
            continue
        for path, node, effect in scope.norms:
            if not effect.batch:
                continue
            lost = scope.training.lost.get(path, 0)
            edge = scope.facts(edges=False).lost.get(path, 0) & ~lost
            victims = [source for source in scope.sources if source.bit & (lost | edge)]
            notes = ["in evaluation it is another function: running statistics, moved by every evaluation of the field"]
            if edge:
                size = "x".join(map(str, node.shape.spatial)) if node.shape is not None else ""
                notes.insert(0, f"exact without padding; zero padding leaves a trace at the border of this {size} map")
            does = (
                "erases the time signal while training"
                if victims
                else "differs between training and evaluation of an ODE"
            )
            yield finding(
                "TD104",
                f"`{node.title}` {does}",
                **scope.place(path),
                caption="each channel's mean is removed, and the constant with it" if victims else "",
                labels=entry_label(victims[0]) if victims else (),
                help="use `GN` with at least 4 channels per group"
                + (", or `PosEmb` as a second source of time" if victims else ""),
                notes=tuple(notes),
                fix=wider_units(context, node),
            )
