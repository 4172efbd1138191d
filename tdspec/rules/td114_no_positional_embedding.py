"""Time is added per channel only; no positional embedding stands by it.

## What
Every source of time in this scope adds one number per channel. None differs from position to position.

## Why
An offset per channel is what norms take out, in part or whole. A positional embedding varies inside each
unit that spans positions, and no such norm can cancel it: 91.80 against 91.76 on CIFAR-10, 69.86 against
69.47 on CIFAR-100 (arXiv 2405.14126, section 3.1 and table 1).

## Cure
Add `PosEmb` behind the convolutions: `[GN–Act–ConcatConv–PosEmb–GN]`.

## Limits
The gain is small in the paper; that is why this is a note. It does nothing before a norm over channels, and where no
norm follows nothing is said.

```yaml bad
tdspec: 1
model:
  input: [1, 8, 8]
  stem: [Conv(16)]
  ode:
    field: [GN(1)–Act–ConcatConv(bias_init=zeros)–GN(1)]
  head: [GAP–FC]
data: {name: digits}
```

```yaml good
tdspec: 1
model:
  input: [1, 8, 8]
  stem: [Conv(16)]
  ode:
    field: [GN(1)–Act–ConcatConv(bias_init=zeros)–PosEmb–GN(1)]
  head: [GAP–FC]
data: {name: digits}
```
"""

from __future__ import annotations

from tdspec.ops.effects import Modulate, Offset
from tdspec.report.codes import finding
from tdspec.rules.context import Context, Findings
from tdspec.rules.cures import position_behind


def check(context: Context) -> Findings:
    for scope in context.scopes:
        offsets = [(path, node, effect) for path, node, effect in scope.effects if isinstance(effect, Offset)]
        behind_norm = any(isinstance(effect, Modulate) for _, _, effect in scope.effects)
        on_map = any(node.shape is not None and node.shape.positions > 1 for _, node, _ in offsets)
        if (
            not offsets
            or not scope.centred
            or behind_norm
            or not on_map
            or any(effect.positional for _, _, effect in offsets)
        ):
            continue
        path, node, _ = offsets[0]
        yield finding(
            "TD114",
            "time is added per channel only, without a positional embedding",
            **scope.place(path),
            help=f"add `PosEmb` behind `{node.title}`",
            fix=position_behind(node),
        )
