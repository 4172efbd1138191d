"""The paper's three remedies before a step is trained: time share behind each embedding and at the field's output.

    python -m benchmarks.remedies_start        # a table for ConcatConv, one for an additive embedding by an MLP

The networks of `benchmarks.remedies`, on test images of the digits; trains nothing, in under a minute.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from statistics import mean, stdev
from typing import NamedTuple

import torch

import tdspec
from tdspec.facts.scope import Mode
from tdspec.witness.probe import Row
from tdspec.witness.share import ERASED_SHARE

SPEC = """
tdspec: 1
defaults: {{Act: SiLU, GN: {{groups: {groups}}}}}
init: {init}
time: {time}
model:
  input: [1, 8, 8]
  stem: [Conv(16)–GN(1)–Act–Conv(32, stride=2)]
  ode:
    field: [{field}]
  head: [GN(1)–Act–GAP–FC]
data: {{name: digits, augment: [Normalize]}}
"""
SEEDS, IMAGES = 3, 16
MLP = "{argument: 1000*t, embed: [Sinusoid(32)–FC(64)–Act–FC(64)]}"
ZERO_OPERAND, ZERO_TIME = "{operand: {bias: zeros}}", "{time: {bias: zeros}}"
ZERO_BOTH = "{operand: {bias: zeros}, time: {bias: zeros}}"
MODES: tuple[Mode, ...] = ("training", "evaluation")
TIMED = ("ConcatConv", "Emb", "PosEmb")


class Variant(NamedTuple):
    field: str
    time: str
    groups: str = "16"
    init: str = "{}"


def variants(source: str, time: str) -> dict[str, Variant]:
    """The variants of a field in which `source` brings t in; the baseline has 2 channels per group."""
    plain = f"GN–Act–{source}–GN–Act–{source}–GN"
    position = f"GN–Act–{source}–PosEmb–GN–Act–{source}–PosEmb–GN"
    return {
        "baseline": Variant(plain, time),
        "(a) positional embedding": Variant(position, time),
        "(b) zero operand bias": Variant(plain, time, init=ZERO_OPERAND),
        "(c) one group": Variant(plain, time, "1"),
        "(a), (b), (c)": Variant(position, time, "1", ZERO_OPERAND),
        "control: GN(C)": Variant(plain, time, "C"),
        "control: BN": Variant(plain.replace("GN", "BN"), time),
    }


ADDED = variants("Conv–Emb", MLP)
FAMILIES = {
    "ConcatConv": variants("ConcatConv", "{}"),
    # With the other rows of the paper's Table 2, whose baseline starts all biases at zero.
    "Conv–Emb by an MLP": ADDED
    | {
        "zero time bias": ADDED["baseline"]._replace(init=ZERO_TIME),
        "zero bias in both": ADDED["baseline"]._replace(init=ZERO_BOTH),
    },
}


def row(name: str, variant: Variant) -> str:
    text = SPEC.format(**variant._asdict())
    rows = [each for each in tdspec.probe(text, seeds=SEEDS, data=True, batch=IMAGES).rows if ".field." in each.path]
    last = [before for before, after in pairwise(rows) if timed(before) and not timed(after)]
    cells = [*(shown(place, "training") for place in last), *(shown(rows[-1], mode) for mode in MODES)]
    return f"| {name} | {' | '.join(cells)} |"


def timed(row: Row) -> bool:
    return row.op.partition("(")[0] in TIMED


def shown(row: Row, mode: Mode) -> str:
    """Mean and standard deviation over seeds, in per cent."""
    values = [100 * share for share in row.shares[mode]]
    return f"{mean(values):.2g} ± {stdev(values):.2g}" if mean(values) > 100 * ERASED_SHARE else "**0**"


def table(family: str) -> Iterator[str]:
    yield "| variant | behind the first | behind the second | output, training | output, evaluation |"
    yield "|---|---|---|---|---|"
    for name, variant in FAMILIES[family].items():
        yield row(name, variant)


if __name__ == "__main__":
    torch.set_num_threads(1)
    for family in FAMILIES:
        print(f"### {family}\n")
        for line in table(family):
            print(line, flush=True)
        print()
