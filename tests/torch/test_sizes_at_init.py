"""Sizes that are worked out from the rules of initialisation are those of drawn weights."""

from __future__ import annotations

import pytest
import torch

from tdspec.backend.lower import lower
from tdspec.check import check_text
from tdspec.facts.scale import sizes
from tdspec.facts.scope import Scope
from tdspec.graph.wire import wire
from tdspec.witness.share import Recorder

DRAWS = 60


def measured(scope: Scope, path: str) -> tuple[float, float]:
    """Standard deviations of what a source adds, and of what it adds to, over weights, samples and positions."""
    added = operand = 0.0
    for seed in range(DRAWS):
        torch.manual_seed(seed)
        module = lower(scope.graph)
        shape = scope.graph.data_inputs[0].shape
        assert shape is not None
        x = torch.randn(8, shape.channels, *shape.spatial)
        kept: list[dict[str, torch.Tensor]] = [{}, {}]
        with torch.no_grad():
            for t, values in zip((1.0, 0.0), kept, strict=True):
                Recorder(module, values).run(torch.tensor(t), x)
        if scope.by_path[path].title == "ConcatConv":
            before, after = kept[1][path], kept[0][path]
        else:
            before, after = kept[0][scope.before(path)], kept[0][path]
        added += (after - before).square().mean().item() / DRAWS
        operand += before.square().mean().item() / DRAWS
    return added**0.5, operand**0.5


@pytest.mark.parametrize(
    ("field", "source", "extra"),
    [
        ("GN(1)–Act–ConcatConv–GN(1)", "concat_conv_1", ""),
        ("GN(1)–SiLU–Conv–Emb–GN(1)", "emb_1", ""),
        (
            "GN(1)–SiLU–Conv(24)–Emb–GN(1)",
            "emb_1",
            'time: {argument: 1000*t, embed: "[Sinusoid(64)–FC(64)–Act–FC(64)]"}',
        ),
        ("GN(1)–Tanh–Conv5x5(padding=0)–PosEmb–GN(1)", "pos_emb_1", ""),
        ("GN(1)–GELU–ConcatConv–Conv(stride=2)–Emb", "emb_1", "init: {operand: {weight: normal(0.3), bias: zeros}}"),
        ("GN(1)–Act–ConcatConv–GN(1)", "concat_conv_1", "init: {time: {weight: xavier_normal}}"),
        ("GN(1)–Act–Conv–Scale(0.5)–Emb", "emb_1", "init: {time: {weight: fan_avg_uniform(2)}}"),
    ],
)
def test_sizes_are_those_of_drawn_weights(field: str, source: str, extra: str) -> None:
    text = f'tdspec: 1\n{extra}\nmodel:\n  input: [16, 8, 8]\n  ode: {{field: "[{field}]"}}\n'
    spec = check_text(text).spec
    assert spec is not None
    graph, _ = wire(spec)  # a field that changes its state's shape has sizes too
    ode = next(node.ode for _, node in graph.walk() if node.ode is not None)
    scope = Scope("ode", ode.field, ode.where, ode)
    predicted = sizes(scope)[source]
    added, operand = measured(scope, source)
    assert predicted.time == pytest.approx(added, rel=0.1)
    assert predicted.operand == pytest.approx(operand, rel=0.1)
