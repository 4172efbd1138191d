"""Which uses of a shared block have the same weights: those that lower to the same module."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tdspec.graph.graph import Graph, Node
from tdspec.report.finding import Label

if TYPE_CHECKING:
    from tdspec.graph.wirer import Wirer


def share_key(node: Node) -> str | None:
    """What two uses of a block agree in if they share their weights; None for one that never does."""
    return f"{node.share}: {_fingerprint(node)}" if node.share is not None else None


def _fingerprint(node: Node) -> str:
    """What the node becomes: sizes of a map stand in it only where a module depends on them."""
    if node.graph is not None:
        return _of_graph(node.graph)
    if node.ode is not None:
        ode = node.ode
        init = _of_graph(ode.init) if ode.init is not None else ""
        return f"ode({ode.parts} {ode.read} {ode.t} {ode.solver} {init} {_of_graph(ode.field)})"
    return repr(node.op.lower(node.site)) if node.op is not None and node.site is not None else "input"


def _of_graph(graph: Graph) -> str:
    nodes = "; ".join(f"{node.name} = {_fingerprint(node)}{node.inputs}" for node in graph)
    return f"{graph.title}({nodes}) -> {graph.outputs}"


def check_shares(wirer: Wirer, graph: Graph) -> None:
    """Report uses of a shared block that have weights of their own; the graph holds."""
    first: dict[str, dict[str, Node]] = {}
    for _, node in graph.walk():
        key = share_key(node)
        if key is None or node.share is None:
            continue
        others = first.setdefault(node.share, {})
        if others and key not in others:
            other = next(iter(others.values()))
            message = f"this use of `{node.share}` does not share its weights: it becomes another module than the first"
            labels = (Label(other.span, "the first stands here"),) if other.span is not None else ()
            help_ = "give both the same channels and arguments, or make two blocks of it"
            wirer.say("TD046", message, node.span, node.where, help=help_, labels=labels)
        others.setdefault(key, node)
