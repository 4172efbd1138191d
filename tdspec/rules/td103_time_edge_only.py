"""Time lives only at the border of the map, where zeros are padded.

## What
Were the padding circular, this source of time would be erased completely. What is left comes from the
border alone, where a convolution over padded zeros sees a smaller kernel.

## Why
A constant channel convolved under zero padding is no constant at the border (arXiv 2405.14126, section 4.1,
calls it the edge effect and finds it not enough). Its share of the variance falls as 1/H.

## Cure
Let the norm's units hold several channels, or add `PosEmb`. Do not rely on the border: on a larger map
there is less of it.

## Size
Of the energy of a constant under a 3x3 kernel the border holds 15 % on an 8x8 map, 8 % on 16x16, 4 % on 32x32
(counted from the taps that see zeros). Of the whole output's variance, one convolution and IN with 16 channels,
t is then responsible for 1.1e-3, 5.7e-4 and 2.9e-4 (`benchmarks/time_table.py`).

## Limits
In a diffusion model it is a warning: every sample has its own t there, and networks often cope.

```yaml bad
tdspec: 1
model:
  input: [1, 8, 8]
  stem: [Conv(16)]
  ode:
    field: [GN(1)–Act–ConcatConv–GN(C)]
  head: [GAP–FC]
data: {name: digits}
```

```yaml good
tdspec: 1
model:
  input: [1, 8, 8]
  stem: [Conv(16)]
  ode:
    field: [GN(1)–Act–ConcatConv–GN(C/8)]
  head: [GAP–FC]
data: {name: digits}
```
"""

from __future__ import annotations

from tdspec.facts.kept import border_share
from tdspec.facts.scope import Scope
from tdspec.ops.effects import Effect, Linear, Offset, Pool, Resize
from tdspec.report.codes import finding
from tdspec.report.finding import Severity
from tdspec.rules.context import Context, Findings, effects_of, entry_label, mode_notes
from tdspec.rules.cures import wider_units


def check(context: Context) -> Findings:
    for scope in context.scopes:
        for source in scope.sources:
            fate = scope.ending(source)
            if fate.end != "edge":
                continue
            path, node = fate.killers[-1]
            notes: tuple[str, ...] = ("exact without padding; zero padding leaves a trace",)
            padded = _padded(scope, source.path, path)
            if padded is not None and node.shape is not None:
                size = "x".join(map(str, node.shape.spatial))
                left = f"about {border_share(padded):.0%} of its energy, in the border of this {size} map"
                notes = (f"exact without padding; zero padding leaves {left}", "it falls as one over the map's extent")
            yield finding(
                "TD103",
                f"behind `{node.title}` the time signal of `{source.node.title}` lives at the border only",
                **scope.place(path),
                severity=Severity.ERROR if scope.kind == "ode" else Severity.WARNING,
                caption="inside the map each unit's mean takes the signal along",
                labels=entry_label(source),
                help="use `GN` with at least 4 channels per group, or `PosEmb` as a second source of time",
                notes=(*notes, *mode_notes(fate)),
                fix=wider_units(context, node),
            )


def _padded(scope: Scope, entry: str, path: str) -> Linear | Offset | None:
    """The one kernel between a source and a norm that sees zeros: what made the border; None if there are several."""
    found: list[Effect] = []
    while path != entry:
        if not scope.by_path[path].inputs:
            return None
        path = scope.before(path)
        effects = effects_of(scope.by_path[path])
        found += [item for item in effects if isinstance(item, Offset)] if path == entry else effects
    padded = [effect for effect in found if _sees_zeros(effect)]
    return padded[0] if len(padded) == 1 and isinstance(padded[0], (Linear, Offset)) else None


def _sees_zeros(effect: Effect) -> bool:
    if isinstance(effect, (Linear, Offset)):
        return min(effect.seen) < 1
    return isinstance(effect, (Pool, Resize)) and effect.padded
