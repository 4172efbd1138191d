"""A norm's unit holds few channels, and takes much of the time signal out.

## What
GN subtracts the mean over C/G channels. Of offsets that are independent from channel to channel it keeps
the fraction 1 - G/C of the energy: half at 2 channels per group, three quarters at 4, 7/8 at 8.

## Why
The expectation is exact for offsets of mean zero, independent per channel; one draw scatters around it, and
what the offsets have in common is lost as well (arXiv 2405.14126, section 3.3; Score SDE's code bounds C/G
by 4 from below).

## Cure
Fewer groups: `GN(min(C/4, 32))`, or `GN(1)`. Below 4 channels per unit this is a warning, below 8 a note.

## Limits
It is about the start of training. A network may learn offsets that a norm keeps.

```yaml bad
tdspec: 1
model:
  input: [1, 8, 8]
  stem: [Conv(16)]
  ode:
    field: [GN(1)–Act–ConcatConv–GN(8)]
  head: [GAP–FC]
data: {name: digits}
```

```yaml good
tdspec: 1
model:
  input: [1, 8, 8]
  stem: [Conv(16)]
  ode:
    field: [GN(1)–Act–ConcatConv–GN(2)]
  head: [GAP–FC]
data: {name: digits}
```
"""

from __future__ import annotations

from tdspec.facts.kept import kept
from tdspec.facts.scope import Scope
from tdspec.facts.state import NONE, ONE, SPACE, Affine
from tdspec.report.codes import finding
from tdspec.report.finding import Severity
from tdspec.rules.context import Context, Findings
from tdspec.rules.cures import wider_units

SCORE_SDE_BOUND = 4  # least C/G of score_sde's models, arXiv 2405.14126, section 3.3


def check(context: Context) -> Findings:
    for scope in context.scopes:
        for path, node, effect in scope.norms:
            assert node.site is not None
            channels, groups = node.site.x.channels, effect.groups
            width = channels // groups
            if effect.batch or not effect.centre or not 1 < width < 8:
                continue
            fractions = [kept(effect, state, channels) for state in offsets(scope, path)]
            if not fractions:
                continue
            least = min(fraction for fraction in fractions if fraction is not None)
            yield finding(
                "TD106",
                f"`{node.title}` keeps {least:.0%} of an embedding's energy: {width} channels in each group",
                **scope.place(path),
                severity=Severity.WARNING if width < SCORE_SDE_BOUND else Severity.NOTE,
                help=f"use at most {max(1, channels // 8)} groups, or a rule such as `GN(min(C/4, 32))`",
                notes=("1 - G/C, in expectation over independent offsets",),
                fix=wider_units(context, node),
            )


def offsets(scope: Scope, path: str) -> list[Affine]:
    """The offsets per channel, no position in them, that reach the norm at a path."""
    return [
        state
        for state in scope.facts(edges=False).states.get(scope.before(path), {})
        if isinstance(state, Affine) and state.a == NONE and state.b not in (NONE, ONE) and not state.b_axes & SPACE
    ]
