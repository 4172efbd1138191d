"""A norm divides out the factor by which time multiplies.

## What
Time multiplies each channel by a positive factor, and right behind stands a norm whose units lie within a
channel. It divides by the standard deviation, and the factor cancels: of the signal only what the norm's eps lets
through is left.

## Why
For a > 0, norm(a x) = norm(x) but for eps: a trace of the order (eps/variance)^2, measured at 4e-10 of the
variance for a gate in front of IN or BN (`benchmarks/time_table.py`). Nothing additive is there, and still time is
gone; arXiv 2405.14126 treats the additive case only.

## Cure
Put the modulation behind the norm (`IN–ScaleShift`, as FiLM and adaptive norms have it, arXiv 1709.07871),
or use a norm over several channels.

## Limits
A factor that may be negative or zero, such as `ScaleShift`'s 1 + s, is not reported: its sign survives.

```yaml bad
tdspec: 1
model:
  input: [1, 8, 8]
  stem: [Conv(16)]
  ode:
    field: [Conv–Gate(squash=Sigmoid)–IN–Act–Conv]
  head: [GAP–FC]
data: {name: digits}
```

```yaml good
tdspec: 1
model:
  input: [1, 8, 8]
  stem: [Conv(16)]
  ode:
    field: [Conv–IN–Gate(squash=Sigmoid)–Act–Conv]
  head: [GAP–FC]
data: {name: digits}
```
"""

from __future__ import annotations

from tdspec.ops.effects import Modulate
from tdspec.report.codes import finding
from tdspec.rules.context import Context, Findings, effects_of, entry_label, mode_notes
from tdspec.rules.cures import wider_units


def check(context: Context) -> Findings:
    for scope in context.scopes:
        for source in scope.sources:
            fate = scope.ending(source)
            if fate.end != "faint" or not any(isinstance(effect, Modulate) for effect in effects_of(source.node)):
                continue
            path, node = fate.killers[-1]
            yield finding(
                "TD116",
                f"`{node.title}` divides out the factor of `{source.node.title}`, but for its eps",
                **scope.place(path),
                caption="a common positive factor cancels against the standard deviation",
                labels=entry_label(source),
                help=f"put `{source.node.title}` behind `{node.title}`",
                notes=("no other path leads from there to the output", *mode_notes(fate)),
                fix=wider_units(context, node),
            )
