"""One route of a source of time ends at a norm, another goes on.

## What
A source reaches the output, but on one of its paths a norm takes it out completely: what lies behind that
norm, up to where the routes meet again, does not know t.

## Why
Residual connections carry a signal past the norms of a branch. The branch itself may still be blind to
time, which is rarely meant (arXiv 2405.14126, section 2.2).

## Cure
Let the norm's units hold several channels, add `PosEmb`, or inject time inside the branch again.

## Limits
The route that ends is proven; how much the other one carries is not said here.

```yaml bad
tdspec: 1
blocks:
  Res:
    pipeline: [IN–Act–Conv]
    residual: true
model:
  input: [1, 8, 8]
  stem: [Conv(16)]
  ode:
    field: [Conv–Emb–Res]
  head: [GAP–FC]
data: {name: digits}
```

```yaml good
tdspec: 1
blocks:
  Res:
    pipeline: [GN(1)–Act–Conv]
    residual: true
model:
  input: [1, 8, 8]
  stem: [Conv(16)]
  ode:
    field: [Conv–Emb–Res]
  head: [GAP–FC]
data: {name: digits}
```
"""

from __future__ import annotations

from tdspec.report.codes import finding
from tdspec.rules.context import Context, Findings, entry_label, mode_notes
from tdspec.rules.cures import wider_units


def check(context: Context) -> Findings:
    for scope in context.scopes:
        for source in scope.sources:
            said: set[str] = set()
            for fate in scope.fates(source):
                if fate.end not in ("alive", "edge"):
                    continue
                for path, node in scope.killers(scope.facts(fate.mode), source.bit):
                    if path in said or (scope.kind == "ode" and path in scope.over_batch):
                        continue
                    said.add(path)
                    yield finding(
                        "TD102",
                        f"`{node.title}` erases `{source.node.title}` on one of its routes",
                        **scope.place(path),
                        caption="what follows on this route does not know t",
                        labels=entry_label(source),
                        help="use `GN` with several channels per group here, or inject time behind it",
                        notes=("the signal reaches the output on another route", *mode_notes(fate)),
                        fix=wider_units(context, node),
                    )
