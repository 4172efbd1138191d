"""The audit of a compiled spec, taken as somebody else's module, and the verdict on the spec are the same."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest
import torch
from torch import nn

import tdspec
from tdspec.backend.lower import lower
from tdspec.backend.ode import ODE
from tdspec.check import check_path, check_text
from tdspec.graph.wire import wire
from tests.torch.random_fields import random_spec

ROOT = Path(__file__).parents[2] / "specs"
SPECS = sorted(ROOT.glob("node/*.yaml"))
MODELS = sorted(ROOT.glob("diffusion/*.yaml"))
CODES = {"TD101", "TD102", "TD103", "TD104", "TD106", "TD107", "TD108", "TD116"}


def told(path: Path) -> Counter[str]:
    """What `validate` says of time in a spec, what the spec allows included."""
    report = check_path(str(path), ()).report
    found = [*report.findings, *(item for item, _ in report.allowed)]
    return Counter(item.code for item in found if item.code in CODES)


def measured(spec: Path) -> Counter[str]:
    """What the audit says of the field of every ODE in a compiled spec, or of a model that takes t."""
    model = tdspec.compile(str(spec))
    shape = tdspec.load(str(spec)).model.input
    fields: list[tuple[nn.Module, tuple[int, ...]]] = []
    hooks = [
        module.register_forward_pre_hook(lambda ode, args: fields.append((ode.field, tuple(args[0].shape[1:]))))
        for module in model.modules()
        if isinstance(module, ODE)
    ]
    if hooks:
        model.eval()(torch.randn(2, *shape))
    else:
        fields.append((model, tuple(shape)))
    found: Counter[str] = Counter()
    for field, state in fields:
        found += Counter(item.code for item in tdspec.audit(field, state).findings if item.code in CODES)
    return found


@pytest.mark.parametrize("spec", SPECS, ids=lambda path: path.stem)
def test_every_shipped_spec(spec: Path) -> None:
    torch.manual_seed(0)
    assert measured(spec) == told(spec)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("spec", MODELS, ids=lambda path: path.stem)
def test_every_shipped_unet(spec: Path) -> None:
    """`validate` names a block's text once, the audit every use of it."""
    torch.manual_seed(0)
    assert measured(spec).keys() == told(spec).keys()


def differing(seeds: range) -> list[tuple[int, set[str], set[str]]]:
    """Random fields on which the two differ: seed, codes of the verdict, codes of the audit."""
    found = []
    for seed in seeds:
        checked = check_text(random_spec(random.Random(seed).choice))
        assert checked.spec is not None
        graph, _ = wire(checked.spec)
        field = next(node.ode.field for _, node in graph.walk() if node.ode is not None)
        shape = graph["input"].shape
        assert shape is not None
        expected = {item.code for item in checked.report.findings} & CODES
        codes = {
            item.code for item in tdspec.audit(lower(field), (shape.channels, *shape.spatial), seed=seed).findings
        } & CODES
        if expected != codes:
            found.append((seed, expected, codes))
    return found


def test_random_fields() -> None:
    """What differs has maps of one position, one channel, or an input that is dead as well: 8 of the first 300."""
    assert len(differing(range(30))) <= 2


def test_norms_that_amplify_rounding() -> None:
    """A gate that closes before two norms: without eps its rounding would read as life."""
    assert not differing(range(117, 118))


@pytest.mark.slow
def test_hundreds_of_random_fields() -> None:
    different = differing(range(300))
    assert len(different) <= 8, different
