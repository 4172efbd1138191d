"""The compiled network: a plain module whose children are the parts of the spec."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from tdspec.backend.lower import module_of, placeholders
from tdspec.graph.graph import LABELS, Graph, Node


class Network(nn.Module):
    """A spec as a module: `network(x)`, `network(x, t)` where the model takes t, `network(x, t, labels)`.

    Its children carry the names of the spec's parts (`stem`, `ode`, `head`), so that the keys of its
    state dict do too. `spec_text` is the resolved spec it was made from, `input_shape` and `output_shape`
    those of one sample, channels first. It can be copied, moved, saved by its state dict and wrapped like
    any module.
    """

    def __init__(self, graph: Graph, spec_text: str = "") -> None:
        super().__init__()
        self.spec_text = spec_text
        self.inputs = tuple(placeholders(graph))
        self.input_shape = _sizes(graph.data_inputs[0])
        self.output_shape = _sizes(graph.output)
        self.plan: list[tuple[str, tuple[str, ...]]] = []
        shared: dict[str, nn.Module] = {}
        for node in graph.order():
            if node.kind == "input":
                continue
            module = module_of(node, shared)
            assert module is not None, "a model's parts are blocks"
            self.add_module(node.name, module)
            self.plan.append((node.name, node.inputs))
        self.result = graph.output.name

    def forward(self, *inputs: Tensor) -> Tensor:
        """x: f32[B, *input]; t, where the model takes it: f32[B]; labels, where it takes them, or none: i64[B]."""
        values: dict[str, Any] = self.values(inputs)
        for name, sources in self.plan:
            values[name] = self._modules[name](*[values[source] for source in sources])  # type: ignore[misc]
        found: Tensor = values[self.result]
        return found

    def values(self, inputs: tuple[Tensor, ...]) -> dict[str, Any]:
        """The inputs by their names; labels may be left out."""
        missing = len(self.inputs) - len(inputs)
        if missing == 1 and self.inputs[-1] == LABELS:
            return dict(zip(self.inputs, (*inputs, None), strict=True))
        if missing:
            names = ", ".join("x" if name == "input" else name for name in self.inputs)
            raise TypeError(f"the network is called as network({names}), found {len(inputs)} tensors")
        return dict(zip(self.inputs, inputs, strict=True))


def _sizes(node: Node) -> tuple[int, ...]:
    assert node.shape is not None, "a graph that is compiled has all its shapes"
    return (node.shape.channels, *node.shape.spatial)
