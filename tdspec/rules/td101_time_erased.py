"""A norm takes out all that a source of time has added.

## What
On every path from a step at which t enters (`Emb`, `ConcatConv`, ...) to the output of its scope stands
a norm that removes it. The network computes the same function at every t, and the weights of that step
never learn.

## Why
A norm subtracts the mean of each of its units. If everything that depends on t is one constant within a
unit, the constant goes with the mean: IN, GN with as many groups as channels, and BN where the batch shares
one t (arXiv 2405.14126, section 2.2). A norm over the channels at each position does the same to a
`PosEmb`, which all channels share. The claim is exact: it follows from the graph, for every value of the
weights. "But for eps" is said where a common scale is divided out up to the eps of the norm, a share of
time below 1e-10.

## Cure
Let a unit hold several channels (`GN` with fewer groups), add `PosEmb` before a norm that spans positions,
or let time act behind the norm (`ScaleShift`).

## Limits
An erased source is erased; one that is not named may still be weak (TD106, TD103).

```yaml bad
tdspec: 1
model:
  input: [1, 8, 8]
  stem: [Conv(16)]
  ode:
    field: [GN(4)–Act–Conv–Emb–IN]
  head: [GAP–FC]
data: {name: digits}
```

```yaml good
tdspec: 1
model:
  input: [1, 8, 8]
  stem: [Conv(16)]
  ode:
    field: [GN(1)–Act–Conv–Emb–GN(1)]
  head: [GAP–FC]
data: {name: digits}
```
"""

from __future__ import annotations

from tdspec.ops.effects import Effect, Modulate, Normalise, Simplex
from tdspec.report.codes import finding
from tdspec.rules.context import Context, Findings, effects_of, entry_label, mode_notes, positional
from tdspec.rules.cures import wider_units


def check(context: Context) -> Findings:
    for scope in context.scopes:
        for source in scope.sources:
            fate = scope.ending(source)
            scale = any(isinstance(effect, Modulate) for effect in effects_of(source.node))
            if positional(source) or fate.end not in ("erased", "faint") or (fate.end == "faint" and scale):
                continue  # alive, or the matter of TD108, TD103, TD116
            path, node = fate.killers[-1]
            effects = effects_of(node)
            but = " but for its eps" if fate.end == "faint" else ""
            yield finding(
                "TD101",
                f"`{node.title}` erases the time signal of `{source.node.title}`{but}",
                **scope.place(path),
                caption=_caption(effects),
                labels=entry_label(source),
                help=_help(effects),
                notes=("no other path leads from there to the output", *mode_notes(fate)),
                fix=wider_units(context, node),
            )


def _caption(effects: tuple[Effect, ...]) -> str:
    for effect in effects:
        if isinstance(effect, Normalise):
            if not effect.space:
                return "all channels share the signal, and their mean is removed at each position"
            return "each unit's mean is removed, and the signal, constant in it, goes along"
        if isinstance(effect, Simplex):
            return "softmax takes out what all channels share"
    return ""


def _help(effects: tuple[Effect, ...]) -> str:
    for effect in effects:
        if isinstance(effect, Normalise) and not effect.space:
            return "use `GN`, whose units span positions, or an `Emb`, which differs between channels"
    return "use `GN` with at least 4 channels per group, or `PosEmb` as a second source of time"
