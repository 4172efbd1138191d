"""The table of a compiled spec's nodes: shapes, parameters, and what has become of t."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from tdspec.facts.scope import Scope
from tdspec.facts.state import NONE, ONE, SPACE, Affine
from tdspec.graph.graph import Graph
from tdspec.rules.context import Context

if TYPE_CHECKING:
    from torch import nn

    from tdspec.language.spec import Spec


def node_rows(spec: Spec, graph: Graph, network: nn.Module) -> list[dict[str, Any]]:
    """One row for each op of the network, in order; blocks show in the dotted names.

    name        dotted path, the same as in the network's state dict
    op          the op's name
    shape       what goes out, without the batch
    parameters  trainable numbers that this op holds; of shared weights the first use has them
    time        what t does to the result; see `time_words`; None where there is no t
    """
    modules = dict(network.named_modules())
    counted: set[int] = set()
    times = dict(_times(spec, graph))
    rows = []
    for path, node in graph.walk():
        if node.op is None or node.shape is None:
            continue
        module = modules.get(path)  # None for what became a plain function
        own = list(module.parameters()) if module is not None else []
        parameters = sum(item.numel() for item in own if item.requires_grad and id(item) not in counted)
        counted.update(map(id, own))
        rows.append(
            {
                "name": path,
                "op": node.op.name,
                "shape": [node.shape.channels, *node.shape.spatial],
                "parameters": parameters,
                "time": times.get(path),
            }
        )
    return rows


def _times(spec: Spec, graph: Graph) -> Iterator[tuple[str, str]]:
    """The words for every node in a scope of t, by its path in the whole network."""
    prefixes = {id(node.ode): f"{path}.field." for path, node in graph.walk() if node.ode is not None}
    for scope in Context(spec, graph).scopes:
        prefix = prefixes[id(scope.ode)] if scope.ode is not None else ""
        for path in scope.training.states:
            yield prefix + path, time_words(scope, path)


def time_words(scope: Scope, path: str) -> str:
    """What the analysis says of one node in training, of all sources of t together.

    `free`: no t has come here; `erased`: t came and nothing is left; `border only`: what is left
    comes from zero padding. Else how t is in the result: `additive` (x + b), `affine` (a x + b),
    `mixed`; per channel if channels differ in it, over the map if positions do.
    """
    facts = scope.training
    if not facts.at(path):
        return "erased" if facts.arrived.get(path) else "free"
    states = scope.facts(edges=False).states.get(path)
    if not states:
        return "border only"
    affine = [state for state in states if isinstance(state, Affine)]
    if len(affine) < len(states):
        return "mixed"
    words = "additive" if all(state.additive for state in affine) else "affine"
    if any(label not in (NONE, ONE) for state in affine for label in (state.a, state.b)):
        words += " per channel"
    if any((state.a_axes | state.b_axes) & SPACE for state in affine):
        words += " over the map"
    return words


def as_table(rows: list[dict[str, Any]]) -> str:
    """The rows as aligned text."""
    head = ("node", "op", "shape", "parameters", "time")
    cells = []
    for row in rows:
        shape, parameters = "x".join(map(str, row["shape"])), f"{row['parameters']:,}"
        cells.append((row["name"], row["op"], shape, parameters, row["time"] or ""))
    widths = [max(map(len, column)) for column in zip(head, *cells, strict=True)]

    def line(values: tuple[str, ...]) -> str:
        # Numbers stand under each other by their last digit.
        aligned = (
            value.rjust(width) if title == "parameters" else value.ljust(width)
            for title, value, width in zip(head, values, widths, strict=True)
        )
        return "  ".join(aligned).rstrip()

    return "\n".join([line(head), *map(line, cells)])
