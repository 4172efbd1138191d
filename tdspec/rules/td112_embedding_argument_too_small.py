"""A sinusoid is fed with so small a range of t that most of its features stay constant.

## What
Feature i is the sine or cosine of t at the frequency period^(-i/...). If t runs over a short range, the slow
ones do not move, and the embedding holds fewer numbers than it seems.

## Why
The sinusoid of DDPM with period 10000 was made for steps 0 to 999. Fed with t in [0, 1], 22 of 128 features
move by more than 0.1; fed with 999 t, 116 do (118 without the end point). An ODE's t has the range of its span, a
model's own t is in [0, 1]: DDPM's step over the number of steps. What counts is the range of `time.argument`, so
`log(sigma)/4` of EDM, from -1.55 to 1.10, is short too.

## Cure
Scale the argument, `time: {argument: 1000*t}`, or shorten the period, `Sinusoid(128, period=10)`.

## Limits
A network can amplify small differences; the count says what it starts from. Solvers call a field a little
outside of its span, which is not counted.

```yaml bad
tdspec: 1
time: {embed: [Sinusoid(128)–FC(64)–Act]}
model:
  input: [1, 8, 8]
  stem: [Conv(16)]
  ode:
    field: [GN(1)–Act–Conv–Emb–GN(1)]
  head: [GAP–FC]
data: {name: digits}
```

```yaml good
tdspec: 1
time: {argument: 1000*t, embed: [Sinusoid(128)–FC(64)–Act]}
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

from collections.abc import Callable
from math import cos, pi, sin

from tdspec.language.diffusion import Diffuse
from tdspec.language.time_argument import time_argument
from tdspec.report.codes import finding
from tdspec.report.fix import Fix
from tdspec.rules.context import Context, Findings
from tdspec.text.expression import ExpressionError
from tdspec.text.yaml_edit import set_key

MODEL_TIMES = (0.0, 1.0)  # a model's t, from data to noise; see `tdspec.language.diffusion`
MOVES = 0.1  # a feature that changes by less over the whole range counts as constant


def check(context: Context) -> Findings:
    try:
        argument = time_argument(context.spec)
    except ExpressionError:  # said where the argument is wired
        return
    for scope in context.scopes:
        if scope.ode is None and not isinstance(context.spec.task, Diffuse):
            continue  # what t is, only the task says
        low, high = sorted(argument.at(end) for end in (scope.ode.t if scope.ode is not None else MODEL_TIMES))
        for path, node in scope.graph.walk():
            if node.op is None or node.site is None or node.op.frequencies is None:
                continue
            frequencies = node.op.frequencies(node.site)
            moving = sum(moves(w, low, high, wave) for w in frequencies for wave in (sin, cos))
            total = 2 * len(frequencies)
            if 2 * moving < total:
                yield finding(
                    "TD112",
                    f"{total - moving} of {total} features of `{node.title}` stay constant over [{low:g}, {high:g}]",
                    **scope.place(path),
                    help=f"scale the argument, `time: {{argument: 1000*t, …}}`, or shorten the period, "
                    f"`{node.title}({total}, period=10)`",
                    fix=_scaled(context),
                )


def _scaled(context: Context) -> Fix | None:
    """The argument that the sinusoid was made for, where none is written."""
    time = context.spec.time
    if time is None or time.argument is not None:
        return None
    edit = set_key(context.spec.tree, context.spec.source, ("time", "argument"), "1000*t")
    return Fix("write `argument: 1000*t`", (edit,)) if edit is not None else None


def moves(frequency: float, low: float, high: float, wave: Callable[[float], float]) -> bool:
    """Whether wave(frequency u) changes by more than `MOVES` for u in [low, high]."""
    if frequency * (high - low) >= pi:
        return True
    values = [wave(frequency * (low + (high - low) * step / 32)) for step in range(33)]
    return max(values) - min(values) > MOVES
