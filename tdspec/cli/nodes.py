"""The table of a compiled spec's nodes: shapes, parameters, and what has become of t."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from tdspec.cli.columns import aligned
from tdspec.facts.words import time_words
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


def as_table(rows: list[dict[str, Any]]) -> str:
    """The rows as aligned text."""
    head = ("node", "op", "shape", "parameters", "time")
    cells = []
    for row in rows:
        shape, parameters = "x".join(map(str, row["shape"])), f"{row['parameters']:,}"
        cells.append((row["name"], row["op"], shape, parameters, row["time"] or ""))
    return aligned(head, cells, right=("parameters",))
