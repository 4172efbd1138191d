"""A GN behind a time embedding has more than one group.

## What
The more groups, the fewer channels in a unit, and the more of the embedding is taken out with the mean.

## Why
In the paper's sweep over G accuracy falls as G grows, and G = 1 is best in most cases (arXiv 2405.14126,
section 3.3 and figure 7); in DDPM it improved FID from 3.122 to 3.074 (table 3), less than what two runs
differ by.

## Cure
`GN(1)`, once for the whole spec: `defaults: {GN: {groups: 1}}`.

## Limits
It is a trend over one family of models, hence a note. Below 4 channels per group see TD106.

```yaml bad
tdspec: 1
init: {operand: {bias: zeros}}
model:
  input: [1, 8, 8]
  stem: [Conv(32)]
  ode:
    field: [GN(1)–Act–ConcatConv–PosEmb–GN(2)]
  head: [GAP–FC]
data: {name: digits}
```

```yaml good
tdspec: 1
init: {operand: {bias: zeros}}
model:
  input: [1, 8, 8]
  stem: [Conv(32)]
  ode:
    field: [GN(1)–Act–ConcatConv–PosEmb–GN(1)]
  head: [GAP–FC]
data: {name: digits}
```
"""

from __future__ import annotations

from tdspec.facts.state import Affine
from tdspec.report.codes import finding
from tdspec.rules.context import Context, Findings
from tdspec.rules.cures import wider_units


def check(context: Context) -> Findings:
    for scope in context.scopes:
        for path, node, effect in scope.norms:
            assert node.site is not None
            if effect.batch or not effect.centre or not 1 < effect.groups < node.site.x.channels:
                continue
            if any(isinstance(state, Affine) for state in scope.training.states.get(scope.before(path), {})):
                yield finding(
                    "TD115",
                    f"`{node.title}` has {effect.groups} groups behind a time embedding",
                    **scope.place(path),
                    help="`GN(1)` keeps the most; `defaults: {GN: {groups: 1}}` sets it once",
                    fix=wider_units(context, node, most=1),
                )
