"""The graph as Mermaid text, which documentation sites draw."""

from __future__ import annotations

from collections.abc import Iterator

from tdspec.graph.graph import Graph, Node


def to_mermaid(graph: Graph) -> str:
    """A flowchart; blocks and ODEs are subgraphs, edges that carry t are dotted."""
    lines = ["flowchart TD", *_graph(graph, "", "  ")]
    return "\n".join(lines) + "\n"


def _identifier(path: str) -> str:
    return path.replace(".", "__")


def label(node: Node) -> str:
    """A node in a line: its op, what matters of it, and the shape that leaves."""
    shape = f"<br/>{'x'.join(map(str, (node.shape.channels, *node.shape.spatial)))}" if node.shape else ""
    return f"{node.title}{shape}"


def _graph(graph: Graph, prefix: str, indent: str) -> Iterator[str]:
    for node in graph:
        path = _identifier(f"{prefix}{node.name}")
        if node.kind == "input":
            yield f"{indent}{path}(({node.name}))"
            continue
        nested = [("", node.graph)] if node.graph is not None else []
        if node.ode is not None:
            nested = [("init", node.ode.init)] if node.ode.init is not None else []
            nested += [("field", node.ode.field)]
        if not nested:
            yield f'{indent}{path}["{label(node)}"]'
            continue
        yield f'{indent}subgraph {path}["{node.name}: {label(node)}"]'
        for key, inner in nested:
            yield from _graph(inner, f"{prefix}{node.name}.{key}." if key else f"{prefix}{node.name}.", indent + "  ")
        yield f"{indent}end"
    for node in graph:
        for port, source in enumerate(node.inputs):
            arrow = "-.->" if source in (*graph.time_inputs, "embed") and port else "-->"
            yield f"{indent}{_identifier(prefix + source)} {arrow} {_identifier(prefix + node.name)}"
