"""Names of the spec that mean something to Python or torch: they compile like any other."""

from __future__ import annotations

import pytest
import torch
from torch import fx, nn

from tdspec.graph.names import OURS, TORCH, node_name
from tests.torch.emitted import both

OWNED = set(dir(nn.Module())) | set(dir(fx.GraphModule(nn.Module(), fx.Graph())))
AWKWARD = sorted({*OURS, *TORCH, "class", "None_", "print", "Tensor", "_", "__", "_modules", "__init__", "__mine"})


def test_no_node_takes_the_place_of_an_attribute() -> None:
    renamed = {node_name(name) for name in OWNED}
    assert not renamed & OWNED
    assert len(renamed) == len(OWNED), "two names became one"


def test_steps_may_have_any_name() -> None:
    steps, before = "", "input"
    for name in sorted({*AWKWARD, *OWNED} - {"input"}):
        steps += f"    {name}: {{from: {before}, do: [Conv1x1]}}\n"
        before = name
    both(f"tdspec: 1\nmodel:\n  input: [2, 4]\n  steps:\n{steps}  output: {before}\n")


@pytest.mark.parametrize("name", AWKWARD)
def test_parts_of_a_state_may_have_any_name(name: str) -> None:
    network = both(f"""
tdspec: 1
model:
  input: [2, 4]
  ode:
    state: {{{name}: 2, other: 2}}
    init: {{{name}: [Conv1x1], other: []}}
    read: {name}
    field:
      steps:
        a: {{from: {name}, do: [ConcatConv]}}
        b: {{from: [other, {name}], do: [Mul]}}
      output: {{{name}: a, other: b}}
""")
    assert isinstance(network(torch.randn(2, 2, 4)), torch.Tensor)


@pytest.mark.parametrize("name", AWKWARD)
def test_inputs_of_a_block_may_have_any_name(name: str) -> None:
    other = "input" if name != "input" else "x"
    both(f"""
tdspec: 1
blocks:
  Mix:
    inputs: [{name}, {other}]
    steps:
      a: {{from: {name}, do: [Conv1x1–Conv1x1]}}
      b: {{from: [a, {other}], do: [Mul]}}
    output: b
model:
  input: [2, 4]
  steps: {{m: {{from: [input, input], do: [Mix]}}}}
  output: m
""")


@pytest.mark.parametrize(
    "name", ["Tensor", "ODE", "Solve", "Network", "None", "True", "ValueError", "Any", "nn", "F", "torch", "_", "__a"]
)
def test_blocks_may_have_any_name_but_an_ops(name: str) -> None:
    both(f"""
tdspec: 1
time: none
blocks: {{{name}: {{pipeline: [Conv1x1]}}}}
model: {{input: [2, 4], stem: [{name}], ode: {{field: [{name}]}}}}
""")
