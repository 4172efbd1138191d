"""The graph: what stands between the spec and everything made from it.

A `Graph` holds frozen nodes in topological order; a node is an op, a use of a block (a graph of
its own), an ODE, or one of the graph's inputs. `Graph.network` is the same graph in networkx,
for order, reachability and drawing: a MultiDiGraph, because `x + x` has two edges and arguments
have an order. The edge's key is the port at which it arrives. networkx is imported when it is first
asked for: judging a spec needs only the order, which wiring establishes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import networkx

    from tdspec.language.training import Solver
    from tdspec.ops.op import Op, Rule, Site, Weight
    from tdspec.ops.shape import Shape
    from tdspec.text.source import Span

TIME, EMBEDDING, LABELS = "t", "emb", "labels"
BESIDE = (TIME, EMBEDDING, LABELS)
"""Inputs that are no data: they come in beside them, in this order."""


@dataclass(frozen=True, slots=True)
class Ode:
    """An initial value problem as a node: state' = field(t, state), from t[0] to t[1].

    init   makes the state from what comes in; None if the state is what comes in
    field  has an input and an output for each part of the state, and `t`
    parts  the state's names, in order
    read   the part that leaves
    where  dotted path of its section in the spec
    timeless  whether the spec says that the field is meant to be free of t
    """

    init: Graph | None
    field: Graph
    parts: tuple[str, ...]
    read: str
    t: tuple[float, float]
    solver: Solver
    where: str = ""
    timeless: bool = False

    @property
    def relevant(self) -> tuple[str, ...]:
        """The parts of the state that can reach the one that leaves, through the field."""
        entries = {node.name: part for node, part in zip(self.field.data_inputs, self.parts, strict=True)}
        found = {self.read}
        waiting = [self.read]
        while waiting:
            above = self.field.dependencies(self.field.outputs[waiting.pop()])
            reads = {entries[name] for name in above & entries.keys()}
            waiting += reads - found
            found |= reads
        return tuple(part for part in self.parts if part in found)


@dataclass(frozen=True, slots=True)
class Node:
    """One node. Exactly one of `op`, `graph`, `ode` is there; none for an input.

    name    unique in its graph and stable: the k-th use of an op or a block, `concat_conv_1`
    inputs  names of the nodes it reads, in the order of its ports; t or its embedding last
    shape   what goes out; None where an error forbids to say
    site    the op's arguments and shapes
    starts  the op's weights with the rule that starts each
    where   dotted path of the pipeline in the spec, `model.ode.field`
    share   the name under which uses of a block share their weights, or None
    """

    name: str
    kind: Literal["input", "op", "block", "ode"]
    inputs: tuple[str, ...] = ()
    shape: Shape | None = None
    op: Op | None = None
    site: Site | None = None
    starts: tuple[tuple[Weight, Rule], ...] = ()
    graph: Graph | None = None
    ode: Ode | None = None
    span: Span | None = None
    where: str = ""
    share: str | None = None

    @property
    def title(self) -> str:
        """What a person calls it: the op's or the block's name."""
        if self.op is not None:
            return self.op.name
        return self.graph.title if self.graph is not None else "ODE" if self.ode is not None else self.name


class Graph:
    """A named graph with named inputs and outputs; nodes are in topological order.

    outputs  part -> node; a graph with a single output calls it `output`
    timed    whether t enters it, directly or as its embedding
    scope    `ode` or `model` where t enters at this graph, as an ODE's field or as the model's second
             input; None for a graph that hands on what it is given
    """

    def __init__(
        self,
        title: str,
        nodes: tuple[Node, ...],
        outputs: dict[str, str],
        *,
        scope: Literal["ode", "model"] | None = None,
        span: Span | None = None,
        where: str = "",
    ) -> None:
        self.title = title
        self.nodes: dict[str, Node] = {node.name: node for node in nodes}
        self.outputs = outputs
        self.scope = scope
        self.span = span
        self.where = where

    def __iter__(self) -> Iterator[Node]:
        return iter(self.nodes.values())

    def __getitem__(self, name: str) -> Node:
        return self.nodes[name]

    @property
    def inputs(self) -> tuple[Node, ...]:
        return tuple(node for node in self if node.kind == "input")

    @property
    def data_inputs(self) -> tuple[Node, ...]:
        """The inputs without t, its embedding and labels."""
        return tuple(node for node in self.inputs if node.name not in BESIDE)

    @property
    def time_inputs(self) -> tuple[str, ...]:
        return tuple(name for name in (TIME, EMBEDDING) if name in self.nodes and self.nodes[name].kind == "input")

    @property
    def output(self) -> Node:
        """The node of the only output."""
        (name,) = self.outputs.values()
        return self.nodes[name]

    @property
    def graphs(self) -> Iterator[tuple[str, Graph]]:
        """Graphs one level below: block uses, and an ODE's parts as `ode.init`, `ode.field`."""
        for node in self:
            if node.graph is not None:
                yield node.name, node.graph
            elif node.ode is not None:
                if node.ode.init is not None:
                    yield f"{node.name}.init", node.ode.init
                yield f"{node.name}.field", node.ode.field

    def walk(self, prefix: str = "") -> Iterator[tuple[str, Node]]:
        """Every node with its dotted path, blocks before what is in them."""
        for node in self:
            path = f"{prefix}{node.name}"
            yield path, node
            if node.graph is not None:
                yield from node.graph.walk(f"{path}.")
            elif node.ode is not None:
                if node.ode.init is not None:
                    yield from node.ode.init.walk(f"{path}.init.")
                yield from node.ode.field.walk(f"{path}.field.")

    @cached_property
    def network(self) -> networkx.MultiDiGraph[str]:
        """This level in networkx: node objects under `node`, ports as edge keys."""
        import networkx

        network: networkx.MultiDiGraph[str] = networkx.MultiDiGraph(name=self.title)
        for node in self:
            network.add_node(node.name, node=node)
            for port, source in enumerate(node.inputs):
                network.add_edge(source, node.name, key=port)
        return network

    def dependencies(self, name: str) -> set[str]:
        """Names of all nodes of this level that a node depends on."""
        found: set[str] = set()
        waiting = [name]
        while waiting:
            reads = set(self.nodes[waiting.pop()].inputs) - found
            waiting += reads
            found |= reads
        return found

    def uses(self, path: str) -> tuple[str, ...]:
        """Dotted paths in the spec of the texts that lead to the node at a path, from the model down."""
        found: list[str] = []
        graph, names = self, path.split(".")
        while names:
            node = graph[names.pop(0)]
            found.append(node.where)
            if node.graph is not None:
                graph = node.graph
            elif node.ode is not None and names:
                graph = node.ode.init if names.pop(0) == "init" and node.ode.init is not None else node.ode.field
        return tuple(dict.fromkeys(where for where in found if where))

    def order(self) -> Iterator[Node]:
        """Nodes in an order in which every node follows what it reads, by networkx.

        The order of wiring is kept where it can be, so that names and random numbers do not move.
        """
        import networkx

        index = {name: position for position, name in enumerate(self.nodes)}
        for name in networkx.lexicographical_topological_sort(self.network, key=index.__getitem__):
            yield self.nodes[name]
