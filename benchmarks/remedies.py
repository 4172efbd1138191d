"""The paper's three remedies, one by one and together: time share at the start and after training, accuracy, NFE.

    python -m benchmarks.remedies digits
    python -m benchmarks.remedies fashion-mnist --root <folder of the idx files> --limit 4000

A small neural ODE of 32 channels, 16 groups (2 channels each) in the baseline; AdamW, a few epochs, several seeds.
Norms that erase time stand below as controls. The share is that of the field's output on test images.
"""

from __future__ import annotations

import argparse
import tempfile
from statistics import mean, stdev

import torch

import tdspec

SPEC = """
tdspec: 1
name: remedies
defaults: {{Act: SiLU, GN: {{groups: {groups}}}}}
init: {init}
model:
  input: {input}
  stem: [{stem}]
  ode:
    field: [{field}]
    allow: {{TD101: a control, TD103: a control, TD104: a control, TD106: the baseline}}
    solver: {{method: dopri5, rtol: 1e-2, atol: 1e-2, gradient: direct}}
  head: [GN–Act–GAP–FC]
task: {{kind: classify}}
data: {{name: {data}, augment: [Normalize]{more}}}
train: {{optimizer: {{kind: adamw, lr: 2e-3}}, epochs: {epochs}, batch_size: 64}}
"""
PLAIN = "GN–Act–ConcatConv–GN–Act–ConcatConv–GN"
POSITION = "GN–Act–ConcatConv–PosEmb–GN–Act–ConcatConv–PosEmb–GN"
ZERO_BIAS = "{operand: {bias: zeros}}"
# name -> field, groups, init
VARIANTS = {
    "baseline: 2 channels per group": (PLAIN, "16", "{}"),
    "positional embedding": (POSITION, "16", "{}"),
    "zero operand bias": (PLAIN, "16", ZERO_BIAS),
    "one group": (PLAIN, "1", "{}"),
    "all three": (POSITION, "1", ZERO_BIAS),
    "control: GN(C)": (PLAIN, "C", "{}"),
    "control: BN": (PLAIN.replace("GN", "BN"), "16", "{}"),
}
DATA = {
    "digits": ("[1, 8, 8]", "Conv(16)–GN(1)–Act–Conv(32, stride=2)", 6),
    "fashion-mnist": ("[1, 28, 28]", "Conv(16, stride=2)–GN(1)–Act–Conv(32, stride=2)", 3),
}


def run(name: str, variant: str, seeds: int, more: str) -> str:
    """One row: mean and standard deviation over seeds."""
    shape, stem, epochs = DATA[name]
    field, groups, init = VARIANTS[variant]
    text = SPEC.format(
        groups=groups, init=init, input=shape, stem=stem, field=field, data=name, more=more, epochs=epochs
    )
    before = [row.shares["evaluation"] for row in tdspec.probe(text, seeds=seeds, data=True, batch=16).rows][-1]
    with tempfile.TemporaryDirectory() as out:
        result = tdspec.train(text, out=out, seeds=seeds, quiet=True, device="cpu")
    runs = [item.metrics for item in getattr(result, "runs", ())]
    after = [metrics["time_share"]["ode"] for metrics in runs]
    columns = (
        shown([100 * share for share in before], "{:.2g}"),
        shown([100 * share for share in after], "{:.2g}"),
        shown([metrics["test_accuracy"] for metrics in runs], "{:.2f}"),
        shown([metrics["test_nfe"] for metrics in runs], "{:.1f}"),
    )
    return f"| {variant} | {' | '.join(columns)} |"


def shown(values: list[float], form: str) -> str:
    return f"{form.format(mean(values))} ± {form.format(stdev(values))}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", choices=DATA)
    parser.add_argument("--root", help="folder with the data, where it is not embedded")
    parser.add_argument("--limit", type=int, help="images of each split")
    parser.add_argument("--seeds", type=int, default=3)
    given = parser.parse_args()
    more = "".join(f", {key}: {value}" for key in ("root", "limit") if (value := getattr(given, key)) is not None)
    torch.set_num_threads(1)
    print("| variant | time share at the start, % | after training, % | test accuracy, % | NFE |")
    print("|---|---|---|---|---|")
    for variant in VARIANTS:
        print(run(given.data, variant, given.seeds, more), flush=True)


if __name__ == "__main__":
    main()
