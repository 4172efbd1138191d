"""Which tensors are constants: free of the input, and with it of everything else.

There are four ways: a norm whose unit holds one value, a softmax over one channel, a factor of zero, and a
mean taken over exactly the unit whose mean a norm has just removed (`IN–GAP`).
"""

from __future__ import annotations

from typing import NamedTuple

from tdspec.graph.graph import BESIDE, Graph, Node
from tdspec.ops.effects import Constant, Mask, Normalise, Pool, Simplex


class Constants(NamedTuple):
    """Dotted paths of nodes.

    made  nodes that make a constant of whatever comes in, t included
    dead  these, and those behind them that read nothing else; t may enter them again, the input not
    """

    made: set[str]
    dead: set[str]


def constants(graph: Graph) -> Constants:
    """Where the graph loses its input."""
    found = Constants(set(), set())
    _visit(graph, {}, "", found)
    return found


def _visit(graph: Graph, incoming: dict[str, bool], prefix: str, found: Constants) -> dict[str, bool]:
    dead: dict[str, bool] = {}
    for node in graph:
        if node.kind == "input":
            dead[node.name] = incoming.get(node.name, False)
            continue
        given = [dead[name] for name in node.inputs if name not in BESIDE]
        path = f"{prefix}{node.name}"
        if node.graph is not None:
            names = [entry.name for entry in node.graph.data_inputs]
            inner = _visit(node.graph, dict(zip(names, given, strict=False)), f"{path}.", found)
            dead[node.name] = all(inner.values())
        elif node.ode is not None:
            # The flow of any field maps what comes in one to one; only the init can lose it.
            state = {part: all(given) for part in node.ode.parts}
            if node.ode.init is not None:
                state = _visit(node.ode.init, {"input": all(given)}, f"{path}.init.", found)
            _visit(node.ode.field, {}, f"{path}.field.", found)
            dead[node.name] = all(state.values())
        else:
            dead[node.name] = bool(given) and all(given) and not _random(node)
            if _kills(node, graph):
                dead[node.name] = True
                found.made.add(path)
        if dead[node.name]:
            found.dead.add(path)
    return {part: dead[name] for part, name in graph.outputs.items()}


def _random(node: Node) -> bool:
    return (
        node.site is not None
        and node.op is not None
        and any(isinstance(effect, Mask) for effect in node.op.effects(node.site))
    )


def _kills(node: Node, graph: Graph) -> bool:
    if node.op is None or node.site is None:
        return False
    for effect in node.op.effects(node.site):
        if isinstance(effect, Constant):
            return True
        if isinstance(effect, Normalise) and not effect.batch and effect.single(node.site.x):
            return True
        if isinstance(effect, Simplex) and node.site.x.channels == 1:
            return True
        if isinstance(effect, Pool) and effect.kind == "mean" and effect.whole:
            return _centred_each(graph[node.inputs[0]])
    return False


def _centred_each(node: Node) -> bool:
    """Whether a node ends in a norm that has removed the mean of every channel of a sample."""
    if node.op is None or node.site is None:
        return False
    last = node.op.effects(node.site)[-1:]
    return any(
        isinstance(effect, Normalise)
        and effect.centre
        and effect.space
        and not effect.batch
        and effect.groups == node.site.y.channels
        for effect in last
    )
