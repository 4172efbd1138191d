"""How much of a norm's output is due to t: one convolution and one norm, every kind of norm and of source.

    python -m benchmarks.time_table            # the tables of docs/figures.md, in about a minute

Every field is a spec, compiled by tdspec; weights start as PyTorch starts them, standard normal numbers enter. The
figure is the share of the variance that is due to t (`tdspec.witness.share`), in float64, its mean over seeds.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import cos, sin
from statistics import mean, stdev
from typing import Any

import torch
from torch import Tensor

from tdspec.backend.lower import lower
from tdspec.check import check_text
from tdspec.facts.kept import border_share, kept
from tdspec.facts.state import EACH, Affine
from tdspec.graph.graph import Ode
from tdspec.graph.wire import wire
from tdspec.ops.effects import Linear, Normalise
from tdspec.rules.td112_embedding_argument_too_small import MOVES, moves
from tdspec.witness.share import ERASED_SHARE, redraw, run_recorded, time_shares

CHANNELS, EXTENT, BATCH, SEEDS = 16, 8, 16, 8
TIMES = 9  # values of t from 0 to 1
ZERO = ERASED_SHARE  # below, a share is rounding, and printed as 0
CIRCULAR = "ConcatConv(pad_mode=circular)"
# What embeds t where a field asks for an embedding by an MLP.
MLP = "{argument: 1000*t, embed: [Sinusoid(32)–FC(64)–Act–FC(64)]}"

NORMS = {
    "BN": "BN",
    "IN": "IN",
    "GN, 1 channel per group": "GN(C)",
    "GN, 2 per group": "GN(C/2)",
    "GN, 4 per group": "GN(C/4)",
    "GN, 8 per group": "GN(C/8)",
    "GN, all 16 in one": "GN(1)",
    "ChannelLN": "ChannelLN",
    "RMSN": "RMSN",
}
# name -> pipeline, whether each sample has its own t, the spec's section `time`
SOURCES = {
    "ConcatConv, circular": (CIRCULAR, False, "{}"),
    "the same, t per sample": (CIRCULAR, True, "{}"),
    "ConcatConv": ("ConcatConv", False, "{}"),
    "Conv–Emb by an MLP": ("Conv–Emb", False, MLP),
    "Conv–PosEmb": ("Conv–PosEmb", False, "{}"),
    "Conv–ScaleShift": ("Conv–ScaleShift", False, "{}"),
    "Conv–Gate(Sigmoid)": ("Conv–Gate(squash=Sigmoid)", False, "{}"),
}


def field_of(pipeline: str, channels: int, extent: int, time: str = "{}") -> Ode:
    """The ODE whose field is a pipeline."""
    text = (
        f"tdspec: 1\ntime: {time}\nmodel:\n  input: [{channels}, {extent}, {extent}]\n"
        f'  ode: {{field: "[{pipeline}]"}}\n'
    )
    spec = check_text(text).spec
    assert spec is not None, text
    return next(node.ode for _, node in wire(spec)[0].walk() if node.ode is not None)


def shares(
    pipeline: str,
    *,
    per_sample: bool = False,
    training: bool = True,
    channels: int = CHANNELS,
    extent: int = EXTENT,
    times: int = TIMES,
    redrawn: bool = False,
    time: str = "{}",
) -> list[float]:
    """The share at the field's output, one for each seed.

    redrawn  every parameter normal, as the proofs of the tests draw them, instead of PyTorch's start
    """
    found = []
    ode = field_of(pipeline, channels, extent, time)
    for seed in range(SEEDS):
        torch.manual_seed(seed)
        module = lower(ode.field).train(training)
        if redrawn:
            redraw(module, seed, eps=1e-5)
        x = torch.randn(BATCH, channels, extent, extent)
        grid = torch.linspace(0, 1, times)
        measured = time_shares(module, x, times=grid, per_sample=per_sample, seed=seed)
        found.append(measured[ode.field.outputs["h"]].share)
    return found


def shown(values: list[float]) -> str:
    """Mean and standard deviation over seeds."""
    middle = mean(values)
    return "**0**" if middle < ZERO else f"{middle:.1e} ± {stdev(values):.0e}"


def norm_row(name: str) -> str:
    cells = [
        shown(shares(f"{source}–{NORMS[name]}", per_sample=each, time=time)) for source, each, time in SOURCES.values()
    ]
    return f"| {name} | {' | '.join(cells)} |"


def norm_table() -> Iterator[str]:
    yield f"| norm | {' | '.join(SOURCES)} |"
    yield f"|---|{'---|' * len(SOURCES)}"
    yield from map(norm_row, NORMS)


def border_row(extent: int) -> str:
    axis = ((extent - 1) / extent, 1.0, (extent - 1) / extent)
    border = border_share(Linear(True, "zeros", seen=tuple(a * b for a in axis for b in axis)))
    once, narrow, twice = (
        shown(shares(f"{source}–IN", extent=extent, channels=channels))
        for source, channels in (("ConcatConv", CHANNELS), ("ConcatConv", 4), ("ConcatConv–Conv", CHANNELS))
    )
    return f"| {extent}x{extent} | {once} | {narrow} | {twice} | {border:.3f} |"


def border_table() -> Iterator[str]:
    yield "| map | `ConcatConv–IN` | the same, 4 channels | `ConcatConv–Conv–IN` | part of a constant's energy |"
    yield "|---|---|---|---|---|"
    yield from map(border_row, (8, 16, 32, 64))


def survival_table() -> Iterator[str]:
    yield "| channels per group | of the share | 1 - G/C |"
    yield "|---|---|---|"
    before = shares(CIRCULAR, channels=64)
    for width in (2, 4, 8, 16, 64):
        behind = shares(f"{CIRCULAR}–GN({64 // width})", channels=64)
        ratios = [after / first for after, first in zip(behind, before, strict=True)]
        expected = kept(Normalise(64 // width, batch=False, space=True), Affine(0, 0, True, EACH, 0), 64)
        yield f"| {width} | {mean(ratios):.2f} ± {stdev(ratios):.2f} | {expected:.2f} |"


CASES = (
    "Conv–Emb–BN",
    "ConcatConv–BN",
    "Conv–Emb–ChannelDropout(0.1)–BN",
    "Conv–Emb–IN",
    "Conv–Emb–Dropout(0.1)–IN",
    "Conv–Emb–Act–IN",
    "Conv–Emb–GN(8)–IN",
    "Conv–ScaleShift(init=uniform(0.5))–IN",
    "Conv–IN–ScaleShift(init=uniform(0.5))",
    "Conv–Gate(squash=Sigmoid)–IN",
    "Conv–Gate(squash=Sigmoid)–IN(eps=1e-9)",
    "Conv–IN–Gate(squash=Sigmoid)",
    "Conv–Emb–PosEmb–ChannelLN",
)


def case_row(pipeline: str) -> str:
    return f"| `{pipeline}` | {shown(shares(pipeline))} | {shown(shares(pipeline, training=False))} |"


def case_table() -> Iterator[str]:
    yield "| field | training | evaluation |"
    yield "|---|---|---|"
    yield from map(case_row, CASES)


def feature_row(factor: int) -> str:
    """Features of a sinusoid that move for t from 0 to 1 times a factor: as compiled, and as TD112 counts them."""
    ode = field_of("Conv–Emb", 2, 1, f"{{argument: {factor}*t, embed: [Sinusoid(128)–FC(8)]}}")
    recorded: dict[str, Tensor] = {}
    t = torch.linspace(0, 1, 1001, dtype=torch.float64)
    run_recorded(lower(ode.field).double(), {"t": t, "h": torch.zeros(1001, 2, 1, 1, dtype=torch.float64)}, recorded)
    path, node = next((path, node) for path, node in ode.field.walk() if node.op is not None and node.op.frequencies)
    found = recorded[path]
    moving = int((found.amax(0) - found.amin(0) > MOVES).sum())
    assert node.op is not None and node.op.frequencies is not None and node.site is not None
    counted = sum(moves(w, 0, factor, wave) for w in node.op.frequencies(node.site) for wave in (sin, cos))
    return f"| {factor} t | {moving} | {counted} |"


def feature_table() -> Iterator[str]:
    yield f"| argument | features of 128 that move by more than {MOVES:g} | counted by TD112 |"
    yield "|---|---|---|"
    yield from map(feature_row, (1, 10, 100, 1000))


SETTINGS: dict[str, dict[str, Any]] = {
    f"{TIMES} values of t, PyTorch's start": {},
    "3 values of t": {"times": 3},
    "5 values of t": {"times": 5},
    "33 values of t": {"times": 33},
    "every weight redrawn, normal": {"redrawn": True},
}


def setting_table() -> Iterator[str]:
    fields = (
        "ConcatConv–IN", f"{CIRCULAR}–GN(C/2)", f"{CIRCULAR}–GN(1)", "Conv–PosEmb–IN", "Conv–PosEmb(init=normal(1))–IN"
    )  # fmt: skip
    yield f"| setting | {' | '.join(f'`{field}`' for field in fields)} |"
    yield f"|---|{'---|' * len(fields)}"
    for name, setting in SETTINGS.items():
        yield f"| {name} | {' | '.join(shown(shares(field, **setting)) for field in fields)} |"


TABLES = {
    "A norm behind a source": norm_table,
    "The border": border_table,
    "What GN keeps, C = 64": survival_table,
    "Training and evaluation": case_table,
    "A sinusoid's features": feature_table,
    "What the setting does": setting_table,
}


if __name__ == "__main__":
    torch.set_num_threads(1)
    for title, table in TABLES.items():
        print(f"### {title}\n")
        print("\n".join(table()), flush=True)
        print()
