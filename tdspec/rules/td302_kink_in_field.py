"""An activation with a kink stands in the field of an ODE that is solved with adaptive steps.

## What
An adaptive solver chooses its steps by the error of a smooth approximation. Where an activation has a kink, as ReLU
at 0, the field is not smooth, and the solver takes smaller steps there: more evaluations.

## Why
In the paper's network with dopri5 (arXiv 2405.14126, appendix A, table 4) ReLU costs 26.0 evaluations on CIFAR-10,
SiLU 21.5 at the same accuracy of 91.76, Softplus 18.8 and Sigmoid 14.0 at 89.89 and 89.75. On CIFAR-100 ReLU is
ahead by 0.75 points. So it is a price, not a mistake.

## Cure
If evaluations matter more than the last tenths of accuracy, take a smooth activation: `defaults: {Act: SiLU}`.

## Limits
A note: what pays is decided by training both. A field that hardly depends on time costs evaluations too.

```yaml bad
tdspec: 1
model:
  input: [1, 8, 8]
  stem: [Conv(16)]
  ode:
    field: [GN(1)–ReLU–ConcatConv–GN(1)]
  head: [GAP–FC]
data: {name: digits}
```

```yaml good
tdspec: 1
model:
  input: [1, 8, 8]
  stem: [Conv(16)]
  ode:
    field: [GN(1)–SiLU–ConcatConv–GN(1)]
  head: [GAP–FC]
data: {name: digits}
```
"""

from __future__ import annotations

from tdspec.language.solver import METHODS
from tdspec.ops.effects import Pointwise
from tdspec.report.codes import finding
from tdspec.rules.context import Context, Findings, effects_of


def check(context: Context) -> Findings:
    for path, node in context.graph.walk():
        if node.ode is None or not METHODS[node.ode.solver.method].adaptive:
            continue
        for below, inner in node.ode.field.walk():
            # What scales with its argument and is not linear has a kink at 0.
            if any(isinstance(effect, Pointwise) and effect.homogeneous for effect in effects_of(inner)):
                yield finding(
                    "TD302",
                    f"`{inner.title}` has a kink, which `{node.ode.solver.method}` resolves with small steps",
                    inner.span,
                    where=inner.where,
                    uses=(*context.graph.uses(f"{path}.field.{below}"), node.ode.where),
                    help="a smooth activation, such as `SiLU`, costs fewer evaluations",
                )
