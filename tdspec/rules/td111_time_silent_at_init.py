"""A time branch starts with zero weights.

## What
All weights that carry t in this step start at zero, so that at the first training step the network does not
depend on t through it. The weights have a gradient and can grow.

## Why
A legal and common choice: adaLN-Zero (arXiv 2212.09748, section 3.2), VDM, EDM2's gain of zero. It is not
erasure: nothing takes the signal out once it is there. It is said because a time share of zero, measured at
initialisation, then means nothing, and because together with an early norm nobody would notice the difference.

## Cure
None is needed. To start with a signal, leave `time_init`, `init` or `init.time` away.

## Limits
About the step's own weights and the embedding's; a convolution behind it that starts at zero silences the whole
branch, not time alone, and is not named.

```yaml bad
tdspec: 1
model:
  input: [1, 8, 8]
  stem: [Conv(16)]
  ode:
    field: [GN(1)–Act–ConcatConv(time_init=zeros)–GN(1)]
  head: [GAP–FC]
data: {name: digits}
```

```yaml good
tdspec: 1
model:
  input: [1, 8, 8]
  stem: [Conv(16)]
  ode:
    field: [GN(1)–Act–ConcatConv–GN(1)]
  head: [GAP–FC]
data: {name: digits}
```
"""

from __future__ import annotations

from tdspec.ops.init import is_zero
from tdspec.report.codes import finding
from tdspec.rules.context import Context, Findings


def check(context: Context) -> Findings:
    for scope in context.scopes:
        for path, node in scope.by_path.items():
            carrying = [rule for weight, rule in node.starts if weight.role == "time" and not weight.bias]
            if carrying and all(map(is_zero, carrying)):
                yield finding(
                    "TD111",
                    f"the time branch in `{node.title}` starts at zero, so t has no effect at first",
                    **scope.place(path),
                    help="if that is not meant, leave the weights at PyTorch's default",
                )
