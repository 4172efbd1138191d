"""The operand's convolution starts with a bias that is not zero, beside an additive embedding.

## What
The bias and the embedding are added to the same tensor. A bias per channel that differs from channel to
channel passes the norm as the embedding does, and competes with it.

## Why
Zero bias in the convolution branch and PyTorch's default in the time branch gave 92.18 against 92.03 (both
zero) and 92.00 (the other way round) on CIFAR-10: arXiv 2405.14126, section 3.2 and table 2. One seed more
or less moves the accuracy of such networks by as much, so this is a note.

## Cure
`init: {operand: {bias: zeros}}` for the whole spec, or `bias_init=zeros` at the step.

## Limits
It is about the start of training only. Where no norm follows nothing is said.

```yaml bad
tdspec: 1
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

from tdspec.facts.scope import Scope
from tdspec.graph.graph import Node
from tdspec.ops.effects import Linear, Offset
from tdspec.ops.init import is_zero
from tdspec.report.codes import finding
from tdspec.rules.context import Context, Findings
from tdspec.rules.cures import start_with


def check(context: Context) -> Findings:
    for scope in context.scopes:
        bits = {source.path: source.bit for source in scope.sources}
        for path, node, effect in scope.effects:
            if not isinstance(effect, Offset) or not bits.get(path, 0) & scope.centred:
                continue
            found = _operand(scope, path, node)
            if found is None:
                continue
            where, operand = found
            for weight, rule in operand.starts:
                if not weight.bias or weight.role != "operand" or is_zero(rule):
                    continue
                yield finding(
                    "TD109",
                    f"the bias of `{operand.title}` starts beside the time embedding, and not at zero",
                    **scope.place(where),
                    help="`init: {operand: {bias: zeros}}` lets the embedding speak alone",
                    fix=start_with(context, operand, weight, "zeros"),
                )


def _operand(scope: Scope, path: str, node: Node) -> tuple[str, Node] | None:
    """The linear op whose result the embedding is added to; other offsets may stand between."""
    assert node.op is not None and node.site is not None
    while node.op is not None and node.site is not None:
        effects = node.op.effects(node.site)
        if any(isinstance(effect, Linear) for effect in effects[:1]):
            return path, node
        if any(not isinstance(effect, Offset) for effect in effects[:1]):
            return None
        path = scope.before(path)
        node = scope.by_path[path]
    return None
