"""The field or the model is meant to depend on t, but t does not reach its output.

## What
Either no step takes t, or what takes it leads nowhere: it lies on a branch that is cut off.

## Why
A neural ODE without t is a legal model, but it is another one: the same weights at every depth. Written by
accident, it trains, and nothing tells (arXiv 2405.14126, section 2.1).

## Cure
Use a step that takes t (`ConcatConv`, `Emb`, `ScaleShift`), or say that it is meant: `time: none`, for the
spec or for the one ODE.

## Limits
None: it is a statement about the graph.

```yaml bad
tdspec: 1
model:
  input: [1, 8, 8]
  stem: [Conv(16)]
  ode:
    field: [GN(1)–Act–Conv–GN(1)]
  head: [GAP–FC]
data: {name: digits}
```

```yaml good
tdspec: 1
model:
  input: [1, 8, 8]
  stem: [Conv(16)]
  ode:
    time: none
    field: [GN(1)–Act–Conv–GN(1)]
  head: [GAP–FC]
data: {name: digits}
```
"""

from __future__ import annotations

from tdspec.facts.scope import Scope
from tdspec.report.codes import finding
from tdspec.rules.context import Context, Findings

HELP = "use `ConcatConv` or add `Emb`; if it is meant to be free of t, say `time: none`"


def check(context: Context) -> Findings:
    for scope in context.scopes:
        if not scope.sources:
            if any(node.kind == "op" and node.site is None for _, node in scope.graph.walk()):
                continue  # what could not be wired may be what takes t
            what = "the ODE's field" if scope.kind == "ode" else "the model"
            span = scope.graph.span or context.spec.span(f"{scope.where}.field" if scope.kind == "ode" else "model")
            yield finding(
                "TD107", f"{what} has no step that takes t", span, where=scope.where, uses=scope.uses, help=HELP
            )
            continue
        for source in scope.sources:
            if scope.training.alive & source.bit or _taken_out(scope, source.bit):
                continue
            node = source.node
            yield finding(
                "TD107",
                f"`{node.title}` takes t, but does not lead to the output",
                **scope.place(source.path),
                help="wire its result on, or remove it",
            )


def _taken_out(scope: Scope, bit: int) -> bool:
    """Whether a norm, a softmax or a constant took the source out: other rules say so."""
    lost = scope.training.lost
    return bool(scope.killers(scope.training, bit)) or any(lost.get(path, 0) & bit for path in scope.constants)
