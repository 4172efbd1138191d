"""An allowance silences nothing.

## What
No finding with this code lies in the mapping that holds the `allow`, or below it.

## Why
It was right once, or stands in the wrong place. Left alone it would hide the next finding of its kind,
which nobody has looked at.

## Cure
Remove it, or move it up to a mapping around the finding. Notes are findings too.

```yaml bad
tdspec: 1
model:
  input: [1, 8, 8]
  stem: [Conv(16)]
  ode:
    allow: {TD104: "the paper's ablation"}
    field: [GN(1)–Act–ConcatConv–GN(1)]
  head: [GAP–FC]
data: {name: digits}
```

```yaml good
tdspec: 1
model:
  input: [1, 8, 8]
  stem: [Conv(16)]
  ode:
    allow: {TD104: "the paper's ablation"}
    field: [GN(1)–Act–ConcatConv–PosEmb–BN]
  head: [GAP–FC]
data: {name: digits}
```
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tdspec.report.fix import Fix
from tdspec.text.yaml_edit import drop_last

if TYPE_CHECKING:
    from tdspec.language.spec import Allowance


def fix(allowance: Allowance) -> Fix | None:
    """The spec without the allowance, and without `allow` where that holds no other."""
    edit = drop_last(allowance.owner, allowance.allow, allowance.key)
    return Fix("remove it", (edit,)) if edit is not None else None
