"""Every op: the inferred shape is the real one, its weights exist, and the table is the folder."""

from __future__ import annotations

import importlib
import itertools
import pkgutil
import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import nn

import tdspec
import tdspec.ops
from tdspec.backend.lower import construct, resolve
from tdspec.ops import OPS, TABLE
from tdspec.ops.label import LABEL
from tdspec.ops.op import REQUIRED, Op, Site
from tdspec.ops.shape import Shape, ShapeError

VALUES: dict[str, tuple[Any, ...]] = {
    "out": (3, 8),
    "stride": (1, 2),
    "pad_mode": ("zeros", "circular", "reflect", "replicate"),
    "bias": (True, False),
    "groups": (1, 2, 4),
    "dilation": (1, 2),
    "position": ("first", "last"),
    "affine": (True, False),
    "p": (0.0, 0.5),
    "heads": (1, 2),
    "dim": (6, 8),
    "parts": (1, 2),
    "take": (0, 1),
    "channels": (2,),
    "by": (2.0,),
    "factor": (2, 3),
    "learned": (True, False),
    "endpoint": (True, False),
    "eps": (1e-5,),
}
SHAPES = (Shape(4), Shape(4, (6,)), Shape(4, (6, 8)), Shape(4, (1, 1)), Shape(4, (4, 4, 4)))


def sites(op: Op) -> Iterator[Site]:
    """The op over a grid of arguments, kernels, shapes, and kinds of time."""
    grids = []
    for param in op.params:
        if param.kind == "padding":
            grids.append([*param.choices, 0, 2])
        elif param.choices:
            grids.append([choice for choice in param.choices if choice != "Act"][:3])
        elif param.kind == "init" or (param.name == "act"):
            grids.append([None])
        else:
            grids.append(list(VALUES.get(param.name, (param.default,))))
        assert grids[-1] != [REQUIRED], f"give the test a value for {op.name}.{param.name}"
    kernels = [(1,), (3,)] if op.kernel else [None]
    shapes = (Shape(1),) if op.name in ("Sinusoid", "Fourier") else SHAPES
    embeddings = (None, 5) if op.takes == "embedding" else (None,)
    for values in itertools.product(*grids):
        arguments = dict(zip([param.name for param in op.params], values, strict=True))
        for kernel, shape, embedding in itertools.product(kernels, shapes, embeddings):
            given = {**arguments, "kernel": kernel} if kernel else arguments
            yield Site(given, (shape,) * max(op.inputs[0], 1), embedding)


def run(op: Op, site: Site) -> torch.Tensor:
    lowered = op.lower(site)
    inputs = [torch.zeros(2, shape.channels, *shape.spatial, device="meta") for shape in site.inputs]
    if op.takes:
        inputs.append(
            torch.zeros(2, site.embedding, device="meta") if site.embedding else torch.zeros((), device="meta")
        )
    if op.name in ("Sinusoid", "Fourier"):
        inputs = [torch.zeros(2, device="meta")]
    if lowered.module is not None:
        with torch.device("meta"):
            module: nn.Module = construct(lowered.module)
        for weight in op.weights(site):
            tensor = module.get_parameter(weight.name)
            assert weight.part is None or 0 <= weight.part[0] < weight.part[1] <= tensor.shape[1]
        found: torch.Tensor = module(*inputs)
        return found
    assert lowered.function is not None
    given = [inputs] if lowered.function.target == "torch:cat" else inputs
    result: torch.Tensor = resolve(lowered.function.target)(*given, *lowered.function.args, **lowered.function.kwargs)
    return result


@pytest.mark.parametrize("op", TABLE, ids=lambda op: op.name)
def test_inferred_shape_is_the_real_one(op: Op) -> None:
    seen = 0
    places = list(sites(op))
    random.Random(0).shuffle(places)  # those that are run should differ in every argument
    for site in places:
        try:
            shape = op.infer(site)
        except ShapeError:
            continue
        found = run(op, replace(site, output=shape))
        assert tuple(found.shape) == (2, shape.channels, *shape.spatial), site
        op.effects(replace(site, output=shape))
        seen += 1
        if seen > 400:
            break
    assert seen > 0


def test_table_and_folder_agree() -> None:
    """Every op that a file of the folder defines is in the table, and the other way round."""
    found = set()
    for module in pkgutil.iter_modules(tdspec.ops.__path__):
        home = importlib.import_module(f"tdspec.ops.{module.name}")
        for value in vars(home).values():
            found |= {value.name} if isinstance(value, Op) else set()
            if isinstance(value, tuple) and value and all(isinstance(item, Op) for item in value):
                found |= {item.name for item in value}
    assert found == {op.name for op in (*TABLE, LABEL)}  # labels are no step that one could write
    assert len({op.name for op in TABLE}) == len(TABLE)


@pytest.mark.parametrize("op", TABLE, ids=lambda op: op.name)
def test_docstring_says_shape_time_and_source(op: Op) -> None:
    for word in ("Shape:", "Time:", "Source:"):
        assert word in op.doc, f"{op.name} lacks {word}"
    assert op.aliases == () or all(OPS[alias] is op for alias in op.aliases)


# ------------------------------------------------------------------ what an embedding can be made of


def embedding(pipeline: str) -> str:
    return f"""
tdspec: 1
time: {{embed: '{pipeline}'}}
blocks: {{Start: {{pipeline: [Sinusoid(8)–FC(4)]}}, Late: {{pipeline: [FC(4)]}}}}
model: {{input: [3, 4], stem: [Conv(4)], ode: {{field: [Conv–Emb], solver: {{method: euler, steps: 1}}}}}}
"""


@pytest.mark.parametrize(
    "pipeline",
    ["[]", "[Act]", "[Scale(1000)–Sinusoid(8)]", "[Fourier(8)–LN–FC(4)–RMSN]", "[Start]", "[Sinusoid(8)–Flatten–Late]",
     "[Sinusoid(8)–Emb]"],
)  # fmt: skip
def test_embeddings_that_hold_can_be_run(pipeline: str) -> None:
    text = embedding(pipeline)
    if "Emb" in pipeline:  # whose result reaches the output through the embedding only
        text = text.replace("ode: {", "ode: {allow: {TD107: a test}, ")
    network = tdspec.compile(text)
    network(torch.randn(2, 3, 4))


@pytest.mark.parametrize("pipeline", ["[Flatten]", "[FC(4)]", "[Act–Softmax]", "[LN]", "[Augment(2)]", "[Late]"])
def test_a_number_is_no_vector(pipeline: str) -> None:
    report = tdspec.validate(embedding(pipeline))
    (found,) = [item for item in report.findings if item.code == "TD203"]
    assert "gets t itself, which is a number" in found.message


def test_an_odes_embedding_has_no_norm_over_samples() -> None:
    text = embedding("[Sinusoid(8)–BN]").replace("ode: {", "ode: {allow: {TD104: a test}, ")
    (found,) = [item for item in tdspec.validate(text).findings if item.severity.value == "error"]
    assert found.code == "TD203" and "an ODE has one embedding for all" in found.message
    model = "model: {input: [3, 4], pipeline: [Conv(4)–Emb]}"
    assert tdspec.validate(text[: text.index("model:")] + model).ok  # here every sample has a t of its own


@pytest.mark.parametrize("norm", ["GN", "BN", "IN", "LN", "ChannelLN", "RMSN"])
def test_norms_of_equal_values_are_finite_at_the_least_eps(norm: str) -> None:
    text = "tdspec: 1\nmodel: {input: [4, 8], pipeline: '[Scale(0)–%s(%seps=%s)]', allow: {TD205: a test}}\n"
    text = text % (norm, "groups=2, " if norm == "GN" else "", "%s")
    assert tdspec.compile(text % "1e-12")(torch.randn(2, 4, 8)).isfinite().all()
    assert [item.code for item in tdspec.validate(text % "0").findings if item.severity.value == "error"] == ["TD032"]
