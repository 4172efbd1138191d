"""Uses of a shared block have the same weights, wherever they stand; the emitted source says so too."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import tdspec
from tdspec.check import check_text
from tests.torch.emitted import both, emitted

BLOCKS = """
tdspec: 1
time: none
blocks:
  Res: {pipeline: [Conv–Act], residual: true, share: true}
  Twice: {pipeline: [Res–Conv–Res]}
  Outer: {pipeline: [Res–Conv], share: true}
  Flow: {ode: {field: [Res], solver: {method: euler, steps: 2}}, share: true}
model:
  input: [4, 8, 8]
"""
ODE = "ode: {init: [%s], field: [%s], solver: {method: euler, steps: 2}}"


def parameters(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


CONV = 4 * 4 * 9 + 4


@pytest.mark.parametrize(
    ("model", "convolutions"),
    [
        ("pipeline: [Res*3]", 1),
        ("pipeline: [Res–Act–Res]", 1),
        ("pipeline: [Res–AvgPool–Res]", 1),  # the map differs, the weights need not
        ("pipeline: [Res–Twice–Twice–Res]", 3),
        ("pipeline: [Twice*3–Res]", 4),
        ("pipeline: [Outer–Res–Outer–Twice]", 3),
        ("pipeline: [Conv–Flow–Act–Flow–Res]", 2),
        ("stem: [Res]\n  " + ODE % ("", "Res") + "\n  head: [Res]", 1),
        ("stem: [Conv]\n  " + ODE % ("Res", "Res"), 2),
        (ODE % ("Twice", "Twice–Res") + "\n  head: [Twice–Conv]", 5),
        ("steps: {a: {do: [Res]}, b: {do: [Twice], from: a}, init: {do: [Twice], from: b}}\n  output: init", 3),
    ],
)
def test_one_set_of_weights_in_the_whole_network(model: str, convolutions: int) -> None:
    text = f"{BLOCKS}  {model}\n"
    network = both(text)
    assert parameters(network) == convolutions * CONV
    # Also of the emitted module: what one use learns, all have.
    theirs = emitted(check_text(text))
    assert parameters(theirs) == convolutions * CONV
    assert theirs.state_dict().keys() == network.state_dict().keys()
    assert "TD046" not in {item.code for item in tdspec.validate(text).findings}


def test_a_shared_weight_has_the_gradients_of_all_its_uses() -> None:
    network = tdspec.compile(f"{BLOCKS}  stem: [Res]\n  head: [Twice]\n")
    names = [name for name in network.state_dict() if "res_" in name and name.endswith("weight")]
    assert len(names) == 3 and len({network.state_dict()[name].data_ptr() for name in names}) == 1
    network(torch.randn(2, 4, 8, 8)).square().mean().backward()
    assert network.get_parameter(names[0]).grad is not None


@pytest.mark.parametrize(
    ("pipeline", "first", "second"),
    [("[Res–Conv(8)–Res]", "Res", "Res"), ("'[Res(stride=1)–Res(stride=2)]'", "Res(stride=1)", "Res(stride=2)")],
)
def test_uses_that_cannot_share_are_reported_with_both_places(pipeline: str, first: str, second: str) -> None:
    text = f"""
tdspec: 1
blocks: {{Res: {{params: {{stride: 1}}, pipeline: [Conv(stride=stride)], share: true}}}}
model: {{input: [4, 8, 8], pipeline: {pipeline}}}
"""
    (found,) = tdspec.validate(text).findings
    assert found.code == "TD046" and found.span is not None and found.labels[0].span is not None
    assert (found.labels[0].span.text, found.span.text) == (first, second)
    assert found.labels[0].span.start < found.span.start
