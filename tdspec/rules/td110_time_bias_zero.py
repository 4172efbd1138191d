"""The time branch starts with zero bias.

## What
The projections that make an embedding out of t start with a bias of zero, by a rule of the spec.

## Why
Zero bias in the time branch alone was the worst of the three settings tried: 92.00 against 92.18 on CIFAR-10
with 39.2 evaluations instead of 26.0, 68.91 against 69.57 on CIFAR-100 (arXiv 2405.14126, section 3.2 and
table 2). PyTorch's own start is not zero.

## Cure
Leave the time branch at PyTorch's default: remove `bias: zeros` from `init.time`.

## Limits
It is about the start of training only.

```yaml bad
tdspec: 1
time: {embed: [Sinusoid(16, period=10)–FC(32)–Act]}
init: {time: {bias: zeros}, operand: {bias: zeros}}
model:
  input: [1, 8, 8]
  stem: [Conv(16)]
  ode:
    field: [GN(1)–Act–Conv–Emb–PosEmb–GN(1)]
  head: [GAP–FC]
data: {name: digits}
```

```yaml good
tdspec: 1
time: {embed: [Sinusoid(16, period=10)–FC(32)–Act]}
init: {operand: {bias: zeros}}
model:
  input: [1, 8, 8]
  stem: [Conv(16)]
  ode:
    field: [GN(1)–Act–Conv–Emb–PosEmb–GN(1)]
  head: [GAP–FC]
data: {name: digits}
```
"""

from __future__ import annotations

from tdspec.ops.init import is_zero
from tdspec.report.codes import finding
from tdspec.rules.context import Context, Findings
from tdspec.rules.cures import start_with


def check(context: Context) -> Findings:
    for scope in context.scopes:
        for path, node in scope.graph.walk():
            for weight, rule in node.starts:
                if not weight.bias or weight.role != "time" or not is_zero(rule):
                    continue
                yield finding(
                    "TD110",
                    f"the time branch's bias in `{node.title}` starts at zero",
                    **scope.place(path),
                    help="leave it at PyTorch's default, which is not zero",
                    fix=start_with(context, node, weight, "default"),
                )
