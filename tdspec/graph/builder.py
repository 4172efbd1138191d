"""Grows one graph node by node: names, inputs, time."""

from __future__ import annotations

import re
from typing import Any, Literal

from tdspec.graph.graph import BESIDE, Graph, Node
from tdspec.graph.names import input_names, node_name
from tdspec.ops.shape import Shape
from tdspec.text.source import Span

Scope = Literal["ode", "model"]

_WORD = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z0-9]+|[A-Z0-9]+")


def snake(name: str) -> str:
    """`ConcatConv` as `concat_conv`; `GN` as `gn`; `ReLU`, a word, as `relu`."""
    name = re.sub("(?<=[a-z])LU$", "lu", name)
    return "_".join(word.lower() for word in _WORD.findall(name)) or name.lower()


class GraphBuilder:
    """Collects the nodes of one graph in the order they are wired.

    scope    set where t enters at this graph; the embedding is then made here, by the node `embed`
    sources  the nodes of its inputs by their names in the spec, in order
    """

    def __init__(self, title: str, inputs: dict[str, Shape | None], *, scope: Scope | None = None) -> None:
        self.title = title
        self.scope = scope
        self.sources = input_names(tuple(inputs))
        self.entries = [Node(self.sources[name], "input", shape=shape) for name, shape in inputs.items()]
        self.beside: list[Node] = []
        self.body: list[Node] = []
        self.nodes: dict[str, Node] = {node.name: node for node in self.entries}
        self.uses: dict[str, int] = {}

    def name(self, title: str, prefix: str = "") -> str:
        """The next stable name: the k-th use of an op or a block in this graph."""
        stem = prefix + snake(title)
        while True:
            self.uses[stem] = self.uses.get(stem, 0) + 1
            name = node_name(f"{stem}_{self.uses[stem]}")
            if name not in self.nodes:
                return name

    def add(self, node: Node) -> Node:
        self.nodes[node.name] = node
        self.body.append(node)
        return node

    def time_input(self, name: str, shape: Shape | None = None) -> str:
        """The node that holds t, its embedding or labels, as an input of this graph unless it is there."""
        if name not in self.nodes:
            node = Node(name, "input", shape=shape)
            self.nodes[name] = node
            self.beside.append(node)
        return name

    def shape(self, name: str) -> Shape | None:
        return self.nodes[name].shape

    def finish(self, outputs: dict[str, str], *, span: Span | None = None, where: str = "") -> Graph:
        entries = (*self.entries, *sorted(self.beside, key=lambda node: BESIDE.index(node.name)))
        return Graph(self.title, (*entries, *self.body), outputs, scope=self.scope, span=span, where=where)

    def __contains__(self, name: Any) -> bool:
        return name in self.nodes
