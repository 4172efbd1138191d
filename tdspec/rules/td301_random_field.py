"""Randomness inside the field of an ODE that is solved with adaptive steps.

## What
A random op such as `Dropout` draws anew at every evaluation of the field. The right-hand side is then no
function of t and the state.

## Why
An adaptive solver takes the difference between two evaluations for an error of its step and makes the step
smaller, which does not help: evaluations explode or the step underflows. The adjoint's backward solve draws
other masks than the forward one, so its gradient is of another function.

## Cure
Put `Dropout` in front of the ODE or into the head.

## Limits
A fixed-step solver with `gradient: direct` computes the gradient of what it drew, so that nothing is said there.

```yaml bad
tdspec: 1
model:
  input: [1, 8, 8]
  stem: [Conv(16)]
  ode:
    field: [GN(1)–Act–Dropout(0.1)–ConcatConv–GN(1)]
  head: [GAP–FC]
data: {name: digits}
```

```yaml good
tdspec: 1
model:
  input: [1, 8, 8]
  stem: [Conv(16)]
  ode:
    field: [GN(1)–Act–ConcatConv–GN(1)]
  head: [GAP–Dropout(0.1)–FC]
data: {name: digits}
```
"""

from __future__ import annotations

from tdspec.language.solver import METHODS
from tdspec.ops.effects import Mask
from tdspec.report.codes import finding
from tdspec.rules.context import Context, Findings


def check(context: Context) -> Findings:
    for path, node in context.graph.walk():
        if node.ode is None:
            continue
        solver = node.ode.solver
        adaptive = METHODS[solver.method].adaptive
        if not adaptive and solver.gradient == "direct":
            continue
        for below, inner in node.ode.field.walk():
            if inner.op is None or inner.site is None:
                continue
            if any(isinstance(effect, Mask) for effect in inner.op.effects(inner.site)):
                why = (
                    f"`{solver.method}` chooses its steps by comparing evaluations"
                    if adaptive
                    else "the adjoint draws other masks"
                )
                yield finding(
                    "TD301",
                    f"`{inner.title}` is random inside an ODE's field",
                    inner.span,
                    where=inner.where,
                    uses=(*context.graph.uses(f"{path}.field.{below}"), node.ode.where),
                    caption="drawn anew at every evaluation",
                    help="put it in front of the ODE or into the head",
                    notes=(why,),
                )
