"""What the analysis calls erased measures as erased: the credibility of every verdict about time."""

from __future__ import annotations

import random

import pytest
import torch

from tdspec.backend.lower import lower
from tdspec.check import check_text
from tdspec.facts.time import analyse
from tdspec.facts.transfer import View
from tdspec.graph.graph import Graph
from tdspec.graph.wire import wire
from tdspec.witness.share import redraw, time_shares
from tests.torch.random_fields import random_spec

BATCH, TIMES = 3, 4
# Drops no claim: field graphs may fail to keep the state, which has nothing to do with time.
IGNORED = {"TD204", "TD301", "TD038"}


def measure(text: str, seed: int) -> list[str]:
    """Nodes called erased that are alive, in words; empty if there is none."""
    checked = check_text(text)
    assert checked.spec is not None, text
    graph, found = wire(checked.spec)
    errors = [item for item in found if item.severity.value == "error" and item.code not in IGNORED]
    assert not errors, f"{[item.message for item in errors]}\n{text}"
    field = next(node.ode.field for _, node in graph.walk() if node.ode is not None)
    module = lower(field)
    wrong = []
    for training in (True, False):
        module.train(training)
        redraw(module, seed)
        state = torch.randn(BATCH, *shape_of(graph), generator=torch.Generator().manual_seed(seed))
        times = torch.rand(TIMES, generator=torch.Generator().manual_seed(seed + 1)) * 2 - 0.5
        for per_sample in (False, True):
            facts = analyse(field, View(per_sample, training))
            shares = time_shares(module, state, times=times, per_sample=per_sample, seed=seed)
            for path, share in shares.items():
                if (
                    path in facts.states
                    and not facts.states[path]
                    and not share.erased
                    and not path.startswith("embed")
                ):
                    wrong.append(f"{path} (training={training}, per_sample={per_sample}): {share}")
    return wrong


def shape_of(graph: Graph) -> tuple[int, ...]:
    shape = graph["input"].shape
    assert shape is not None
    return (shape.channels, *shape.spatial)


def batches(count: int, size: int) -> list[range]:
    return [range(start, start + size) for start in range(0, count, size)]


def run(seeds: range) -> None:
    for seed in seeds:
        text = random_spec(random.Random(seed).choice)
        wrong = measure(text, seed)
        assert not wrong, f"seed {seed}: {wrong}\n{text}"


@pytest.mark.parametrize("seeds", batches(400, 100), ids=str)
def test_what_is_called_erased_is_erased(seeds: range) -> None:
    run(seeds)


@pytest.mark.slow
@pytest.mark.parametrize("seeds", batches(5000, 500), ids=str)
def test_what_is_called_erased_is_erased_in_thousands(seeds: range) -> None:
    run(range(seeds.start + 1000, seeds.stop + 1000))


@pytest.mark.parametrize("step", ["Conv–Emb–Conv1x1(padding=1)", "ConcatConv1x1(padding=1)"])
def test_zeros_around_a_1x1_kernel_make_a_border_too(step: str) -> None:
    field = f"GN(4)–Act–{step}–IN–Conv3x3(padding=0)"
    assert not measure(f"tdspec: 1\nmodel:\n  input: [16, 8, 8]\n  ode: {{field: [{field}]}}\n", 0)
