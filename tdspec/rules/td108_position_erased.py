"""A norm takes out the positional time embedding.

## What
`PosEmb` adds one value for each position, which all channels share. A norm over the channels at each position
subtracts exactly that. Of the positional embedding nothing reaches the output.

## Why
The paper's remedy for erased offsets is a positional embedding (arXiv 2405.14126, section 3.1); it helps with
norms over positions, BN, IN and GN. Behind layer norm over channels, as transformers and ConvNeXt have it,
it is the very signal that is erased: measured share 0 where `IN` leaves 0.10 (`benchmarks/time_table.py`).

## Cure
Use `GN` or `LN` over the whole sample there, or `Emb`, which differs between channels.

## Limits
It is proven, for all weights. Other sources of time may be alive; each is judged alone.

```yaml bad
tdspec: 1
model:
  input: [1, 8, 8]
  stem: [Conv(16)]
  ode:
    field: [GN(1)–Act–ConcatConv–PosEmb–ChannelLN]
  head: [GAP–FC]
data: {name: digits}
```

```yaml good
tdspec: 1
model:
  input: [1, 8, 8]
  stem: [Conv(16)]
  ode:
    field: [GN(1)–Act–ConcatConv–PosEmb–GN(1)]
  head: [GAP–FC]
data: {name: digits}
```
"""

from __future__ import annotations

from tdspec.report.codes import finding
from tdspec.rules.context import Context, Findings, entry_label, mode_notes, positional
from tdspec.rules.cures import wider_units


def check(context: Context) -> Findings:
    for scope in context.scopes:
        for source in scope.sources:
            fate = scope.ending(source)
            if not positional(source) or fate.end not in ("erased", "faint"):
                continue
            path, node = fate.killers[-1]
            but = " but for its eps" if fate.end == "faint" else ""
            yield finding(
                "TD108",
                f"`{node.title}` erases the positional embedding of `{source.node.title}`{but}",
                **scope.place(path),
                caption="all channels share the signal, and their mean is removed",
                labels=entry_label(source),
                help="use a norm whose units span positions, `GN`, or an `Emb`, which differs between channels",
                notes=("no other path leads from there to the output", *mode_notes(fate)),
                fix=wider_units(context, node),
            )
