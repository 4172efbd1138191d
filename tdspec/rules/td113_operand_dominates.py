"""What time is added to is so much larger that time is drowned.

## What
At the start of training the standard deviation of the operand, to which an embedding is added, is more than ten
thousand times that of the embedding. Behind the next norm next to nothing of the embedding is left.

## Why
A norm divides both by the operand's standard deviation, and the gradient of the embedding's weights with them:
it falls as one over the root of the operand's variance (arXiv 2405.14126, section 3.2). In the paper's experiment
accuracy falls once the operand's weights start with a standard deviation above 1e2 (its Figure 6). At the
paper's width that is a ratio of about 1e5; PyTorch's initialisation has 6 at 64 channels and 11 at 256.

## Cure
Leave the operand's weights at PyTorch's start, or start the embedding's larger: `init: {time: {weight: normal(1)}}`.

## Size
Both standard deviations are worked out from the rules of initialisation, for what comes out of a norm before;
they agree with drawn weights within 10 %.

## Limits
It says how training starts. Where no norm stands before the operand its size is not known, and nothing is said.

```yaml bad
tdspec: 1
init: {operand: {weight: normal(300)}}
model:
  input: [1, 8, 8]
  stem: [Conv(16)]
  ode:
    field: [GN(1)–Act–ConcatConv–GN(1)]
  head: [GAP–FC]
data: {name: digits}
```

```yaml good
tdspec: 1
init: {operand: {weight: normal(0.03)}}
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

from tdspec.facts.scale import sizes
from tdspec.report.codes import finding
from tdspec.rules.context import Context, Findings

BOUND = 1e4  # an order of magnitude below where the paper's networks suffer


def check(context: Context) -> Findings:
    for scope in context.scopes:
        if not scope.sources:
            continue
        nodes = {source.path: source.node for source in scope.sources}
        for path, found in sizes(scope).items():
            if found.time > 0 and found.ratio > BOUND:
                yield finding(
                    "TD113",
                    f"what `{nodes[path].title}` adds time to starts {found.ratio:.1g} times as large as time",
                    **scope.place(path),
                    caption=f"standard deviations {found.operand:.2g} and {found.time:.2g}",
                    help="start the operand's weights smaller, or those of the embedding larger",
                    notes=("the norm behind it divides by the larger of the two",),
                )
