"""How much of a norm's output is due to t: one convolution and one norm, every kind of norm and of source.

    python benchmarks/time_table.py            # the tables of docs/figures.md

Every field is a spec, compiled by tdspec; weights start as PyTorch starts them, standard normal numbers enter. The
figure is the share of the variance that is due to t (`tdspec.witness.share`), in float64, its mean over seeds.
"""

from __future__ import annotations

from collections.abc import Iterator
from statistics import mean, stdev

import torch

from tdspec.backend.lower import lower
from tdspec.check import check_text
from tdspec.facts.kept import border_share, kept
from tdspec.facts.state import EACH, Affine
from tdspec.graph.graph import Ode
from tdspec.graph.wire import wire
from tdspec.ops.effects import Linear, Normalise
from tdspec.witness.share import time_shares

CHANNELS, EXTENT, BATCH, SEEDS = 16, 8, 16, 8
TIMES = torch.linspace(0, 1, 9)
ZERO = 1e-20  # below, a share is rounding, and printed as 0

NORMS = ("BN", "IN", "GN(C)", "GN(C/2)", "GN(C/4)", "GN(C/8)", "GN(1)", "ChannelLN", "RMSN")
SOURCES = {
    "ConcatConv, circular, shared t": ("ConcatConv(pad_mode=circular)", False),
    "the same, t per sample": ("ConcatConv(pad_mode=circular)", True),
    "ConcatConv, zero padding, shared t": ("ConcatConv", False),
    "Conv–PosEmb, shared t": ("Conv–PosEmb", False),
    "Conv–ScaleShift, shared t": ("Conv–ScaleShift", False),
    "Conv–Gate(Sigmoid), shared t": ("Conv–Gate(squash=Sigmoid)", False),
}


def field_of(pipeline: str, channels: int, extent: int) -> Ode:
    """The ODE whose field is a pipeline."""
    text = f'tdspec: 1\nmodel:\n  input: [{channels}, {extent}, {extent}]\n  ode: {{field: "[{pipeline}]"}}\n'
    spec = check_text(text).spec
    assert spec is not None, text
    return next(node.ode for _, node in wire(spec)[0].walk() if node.ode is not None)


def shares(
    pipeline: str, *, per_sample: bool = False, training: bool = True, channels: int = CHANNELS, extent: int = EXTENT
) -> list[float]:
    """The share at the field's output, one for each seed."""
    found = []
    ode = field_of(pipeline, channels, extent)
    for seed in range(SEEDS):
        torch.manual_seed(seed)
        module = lower(ode.field).train(training)
        x = torch.randn(BATCH, channels, extent, extent)
        measured = time_shares(module, x, times=TIMES, per_sample=per_sample, seed=seed)
        found.append(measured[ode.field.outputs["h"]].share)
    return found


def shown(values: list[float]) -> str:
    """Mean and standard deviation over seeds."""
    middle = mean(values)
    return "**0**" if middle < ZERO else f"{middle:.1e} ± {stdev(values):.0e}"


def norm_table() -> Iterator[str]:
    yield f"| norm | {' | '.join(SOURCES)} |"
    yield f"|---|{'---|' * len(SOURCES)}"
    for norm in NORMS:
        cells = [shown(shares(f"{source}–{norm}", per_sample=each)) for source, each in SOURCES.values()]
        yield f"| {norm} | {' | '.join(cells)} |"


def border_table() -> Iterator[str]:
    yield "| map | behind `ConcatConv–IN` | behind `ConcatConv–ConcatConv–IN` | part of a constant's energy |"
    yield "|---|---|---|---|"
    for extent in (8, 16, 32, 64):
        axis = ((extent - 1) / extent, 1.0, (extent - 1) / extent)
        border = border_share(Linear(True, "zeros", seen=tuple(a * b for a in axis for b in axis)))
        once, twice = (
            shown(shares(f"{source}–IN", extent=extent)) for source in ("ConcatConv", "ConcatConv–ConcatConv")
        )
        yield f"| {extent}x{extent} | {once} | {twice} | {border:.3f} |"


def survival_table() -> Iterator[str]:
    yield "| channels per group | kept of the share | 1 - G/C |"
    yield "|---|---|---|"
    before = shares("ConcatConv(pad_mode=circular)", channels=64)
    for width in (2, 4, 8, 16, 64):
        behind = shares(f"ConcatConv(pad_mode=circular)–GN({64 // width})", channels=64)
        ratios = [after / first for after, first in zip(behind, before, strict=True)]
        expected = kept(Normalise(64 // width, batch=False, space=True), Affine(0, 0, True, EACH, 0), 64)
        yield f"| {width} | {mean(ratios):.2f} ± {stdev(ratios):.2f} | {expected:.2f} |"


def case_table() -> Iterator[str]:
    yield "| field | training | evaluation |"
    yield "|---|---|---|"
    for field in (
        "Conv–Emb–IN", "Conv–Emb–Dropout(0.1)–IN", "Conv–Emb–ChannelDropout(0.1)–BN", "Conv–Emb–BN", "IN–ScaleShift",
        "Conv–Emb–GN(8)–IN", "Conv–Emb–Act–IN", "Conv–Emb–PosEmb–ChannelLN",
    ):  # fmt: skip
        yield f"| `{field}` | {shown(shares(field))} | {shown(shares(field, training=False))} |"


TABLES = {
    "A norm behind a source": norm_table,
    "The border": border_table,
    "What GN keeps, C = 64": survival_table,
    "Training and evaluation": case_table,
}


if __name__ == "__main__":
    torch.set_num_threads(1)
    for title, table in TABLES.items():
        print(f"### {title}\n")
        print("\n".join(table()), flush=True)
        print()
