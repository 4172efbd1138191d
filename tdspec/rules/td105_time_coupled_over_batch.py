"""A norm over the batch makes one sample's result depend on the times of the others.

## What
BN in training takes its mean and variance over all samples, and every sample has a t of its own. What time
has added to one sample is measured against what it has added to the others. If all samples have the same t, as
they have while a diffusion model is sampled, an additive offset goes with the mean if BN is still in training mode.

## Why
The per-channel mean over a batch of B samples with independent offsets takes 1/B of their energy and mixes it
into every sample; in evaluation the running statistics are another function (arXiv 1502.03167). In an ODE,
where the batch shares one t, BN is TD104.

## Cure
Use `GN`, whose units lie within a sample, or keep BN and sample in evaluation mode only.

## Limits
A warning: such models train and sample well enough to be published, in evaluation mode.

```yaml bad
tdspec: 1
time: {argument: 1000*t, embed: [Sinusoid(32)–FC(32)]}
model:
  input: [3, 8, 8]
  pipeline: [Conv(16)–Emb–BN–Act–Conv(3)]
```

```yaml good
tdspec: 1
time: {argument: 1000*t, embed: [Sinusoid(32)–FC(32)]}
model:
  input: [3, 8, 8]
  pipeline: [Conv(16)–Emb–GN(1)–PosEmb–Act–Conv(3)]
```
"""

from __future__ import annotations

from tdspec.report.codes import finding
from tdspec.rules.context import Context, Findings, entry_label
from tdspec.rules.cures import wider_units


def check(context: Context) -> Findings:
    for scope in context.scopes:
        if scope.kind != "model":
            continue
        for path, node in scope.by_path.items():
            arriving = [item for item in scope.sources if item.bit & scope.training.arrived.get(path, 0)]
            if path not in scope.over_batch or not arriving:
                continue
            batch = context.spec.train.batch_size
            yield finding(
                "TD105",
                f"`{node.title}` couples the times of the samples of a batch",
                **scope.place(path),
                caption="mean and variance are over samples that have different t",
                labels=entry_label(arriving[-1]),
                help="use `GN` with at least 4 channels per group",
                notes=(
                    f"of independent offsets a batch of {batch} keeps {1 - 1 / batch:.1%}",
                    "sampled in training mode, with one t for all, an offset that all positions share is erased",
                ),
                fix=wider_units(context, node),
            )
