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
Share of the variance due to t, one convolution and one norm, 16 channels: 4.3e-3 on an 8x8 map, 2.3e-3 on
16x16, 1.1e-3 on 32x32.

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

from tdspec.report.codes import finding
from tdspec.report.finding import Severity
from tdspec.rules.context import Context, Findings, entry_label, mode_notes

# Share of the variance times the map's extent, from the measurements named above.
SHARE_BY_EXTENT = 0.036


def check(context: Context) -> Findings:
    for scope in context.scopes:
        for source in scope.sources:
            fate = scope.ending(source)
            if fate.end != "edge":
                continue
            path, node = fate.killers[-1]
            notes = ("exact without padding; zero padding leaves a trace",)
            if node.shape is not None and node.shape.spatial:
                share = SHARE_BY_EXTENT / min(node.shape.spatial)
                size = "x".join(map(str, node.shape.spatial))
                notes = (f"exact without padding; zero padding leaves a share of about {share:.1g} on this {size} map",)
            yield finding(
                "TD103",
                f"behind `{node.title}` the time signal of `{source.node.title}` lives at the border only",
                **scope.place(path),
                severity=Severity.ERROR if scope.kind == "ode" else Severity.WARNING,
                caption="inside the map each unit's mean takes the signal along",
                labels=entry_label(source),
                help="use `GN` with at least 4 channels per group, or add `PosEmb` before this norm",
                notes=(*notes, *mode_notes(fate)),
            )
