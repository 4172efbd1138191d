"""The graph as text that reads back: one line per node, nested graphs indented below their node.

    Field(%h: f32[B,64,8,8], %t) -> h=%gn_2
      %concat_conv_1 = ConcatConv(%h, %t, out=64, kernel=3) : f32[B,64,8,8]
      %gn_2 = GN(%concat_conv_1, groups=32) : f32[B,64,8,8]

Arguments that have the op's own default are left out. What a line says behind `#` (place, time) is
for the reader. Spans do not come back: `read_graph(print_graph(g))` prints the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import fields
from typing import Any

from tdspec.graph.graph import Graph, Node, Ode
from tdspec.language.solver import Solver
from tdspec.ops import NODES
from tdspec.ops.op import Op, Rule, Site
from tdspec.ops.shape import Shape

INDENT = "  "
Remark = Callable[[str, Node], str]


def print_graph(graph: Graph, remark: Remark | None = None) -> str:
    """The text of a graph; `remark(path, node)` adds to a node's comment, its time facts for instance."""
    return "\n".join(_graph(graph, "", "", remark)) + "\n"


def _graph(graph: Graph, indent: str, prefix: str, remark: Remark | None) -> Iterator[str]:
    inputs = ", ".join(f"%{node.name}" + (f": {node.shape}" if node.shape else "") for node in graph.inputs)
    outputs = ", ".join(f"{part}=%{name}" for part, name in graph.outputs.items())
    scope = f" scope={graph.scope}" if graph.scope else ""
    yield f"{indent}{graph.title}({inputs}) -> {outputs}{scope}"
    for node in graph:
        if node.kind != "input":
            yield from _node(node, indent + INDENT, f"{prefix}{node.name}", remark)


def _node(node: Node, indent: str, path: str, remark: Remark | None) -> Iterator[str]:
    inputs = [f"%{name}" for name in node.inputs]
    shape = f" : {node.shape}" if node.shape else ""
    said = [remark(path, node)] if remark is not None else []
    said += [repr(node.span)] if node.span is not None else []
    inputs += [f"share={node.share}"] if node.share else []
    comment = "  # " + "  ".join(word for word in said if word) if any(said) else ""
    nested: list[tuple[str, Graph]] = []
    if node.ode is not None:
        inputs += [f"{key}={_value(value)}" for key, value in _ode_options(node.ode)]
        title = "ODE"
        nested = [("init", node.ode.init)] if node.ode.init is not None else []
        nested += [("field", node.ode.field)]
    elif node.graph is not None:
        title = f"use {node.graph.title}"
        nested = [("", node.graph)]
    elif node.op is not None and node.site is not None:
        title = node.op.name
        inputs += [f"{key}={_value(value)}" for key, value in _arguments(node.op, node.site)]
        if node.site.per_sample:
            inputs.append("per_sample")
        if node.site.embedding is not None:
            inputs.append(f"embedding={node.site.embedding}")
    else:
        title = node.op.name if node.op is not None else "unknown"
    yield f"{indent}%{node.name} = {title}({', '.join(inputs)}){shape}{comment}"
    for key, graph in nested:
        inner = f"{path}.{key}." if key else f"{path}."
        yield from _graph(graph, indent + INDENT, inner, remark)


def _arguments(op: Op, site: Site) -> Iterator[tuple[str, Any]]:
    plain: dict[str, Any] = {param.name: param.default for param in op.params}
    for key, value in site.arguments.items():
        if key not in plain or plain[key] != value:
            yield key, value


def _ode_options(ode: Ode) -> Iterator[tuple[str, Any]]:
    yield "t", f"{ode.t[0]:g}..{ode.t[1]:g}"
    yield "parts", "/".join(ode.parts)
    yield "read", ode.read
    for field in fields(ode.solver):
        value = getattr(ode.solver, field.name)
        if value != getattr(Solver(), field.name):
            yield field.name, value


def _value(value: Any) -> str:
    if isinstance(value, Rule):
        return f"{value.kind}({'; '.join(map(repr, value.arguments))})"
    if isinstance(value, tuple):
        return "x".join(map(str, value))
    if value is None or isinstance(value, bool):
        return str(value).lower()
    return str(value)


# ---------------------------------------------------------------------- reading

_HEAD = re.compile(r"(?P<title>\S+)\((?P<inputs>[^)]*)\) -> (?P<outputs>.*?)(?: scope=(?P<scope>\w+))?$")
_LINE = re.compile(r"%(?P<name>\S+) = (?P<title>use \S+|\S+?)\((?P<given>.*?)\)(?: : (?P<shape>f32\S+))?$")


def read_graph(text: str) -> Graph:
    """The graph of a text that `print_graph` wrote."""
    lines = []
    for line in text.splitlines():
        bare = line.split("  # ")[0].rstrip()
        if bare.strip():
            lines.append(((len(bare) - len(bare.lstrip())) // len(INDENT), bare.strip()))
    graph, rest = _read(lines, 0)
    if rest:
        raise ValueError(f"text goes on behind the graph: {rest[0][1]}")
    return graph


Lines = list[tuple[int, str]]


def _read(lines: Lines, depth: int) -> tuple[Graph, Lines]:
    match = _HEAD.match(lines[0][1])
    if match is None:
        raise ValueError(f"expected a graph's head, found: {lines[0][1]}")
    nodes = []
    for entry in filter(None, match["inputs"].split(", ")):
        name, _, shape = entry.partition(": ")
        nodes.append(Node(name[1:], "input", shape=_shape(shape)))
    lines = lines[1:]
    while lines and lines[0][0] == depth + 1 and lines[0][1].startswith("%"):
        node, lines = _read_node(lines, depth + 1, {node.name: node.shape for node in nodes})
        nodes.append(node)
    outputs = dict(part.split("=%") for part in match["outputs"].split(", "))
    scope: Any = match["scope"]
    return Graph(match["title"], tuple(nodes), outputs, scope=scope), lines


def _read_node(lines: Lines, depth: int, shapes: dict[str, Shape | None]) -> tuple[Node, Lines]:
    match = _LINE.match(lines[0][1])
    if match is None:
        raise ValueError(f"expected a node, found: {lines[0][1]}")
    name, title, shape = match["name"], match["title"], _shape(match["shape"] or "")
    given = [entry for entry in match["given"].split(", ") if entry]
    inputs = tuple(entry[1:] for entry in given if entry.startswith("%"))
    options = dict(entry.partition("=")[::2] for entry in given if not entry.startswith("%"))
    nested: list[Graph] = []
    rest = lines[1:]
    while rest and rest[0][0] == depth + 1 and not rest[0][1].startswith("%"):
        graph, rest = _read(rest, depth + 1)
        nested.append(graph)
    if title == "ODE":
        ends = options["t"].split("..")
        own = ("t", "parts", "read", "share")
        solver = Solver(**{key: _parse(value) for key, value in options.items() if key not in own})
        init = nested[0] if len(nested) == 2 else None
        ode = Ode(
            init,
            nested[-1],
            tuple(options["parts"].split("/")),
            options["read"],
            (float(ends[0]), float(ends[1])),
            solver,
        )
        return Node(name, "ode", inputs, shape, ode=ode, share=options.get("share")), rest
    if title.startswith("use "):
        return Node(name, "block", inputs, shape, graph=nested[0], share=options.get("share")), rest
    op = NODES.get(title)
    if op is None or shape is None:
        return Node(name, "op", inputs, shape, op=op), rest
    read = inputs[: len(inputs) - op.needs_time]
    arguments: dict[str, Any] = {param.name: param.default for param in op.params}
    arguments |= {key: _parse(value) for key, value in options.items() if key not in ("per_sample", "embedding")}
    if op.kernel is not None:
        extent = arguments["kernel"]
        arguments["kernel"] = extent if isinstance(extent, tuple) else (extent,)
    embedding = int(options["embedding"]) if "embedding" in options else None
    known = tuple(found for source in read if (found := shapes[source]) is not None)
    site = Site(arguments, known, embedding, shape, "per_sample" in options)
    return Node(name, "op", inputs, shape, op=op, site=site), rest


def _shape(text: str) -> Shape | None:
    if not text:
        return None
    _, channels, *spatial = text[4:-1].split(",")
    return Shape(int(channels), tuple(map(int, spatial)))


def _parse(text: str) -> Any:
    words = {"true": True, "false": False, "none": None}
    if text in words:
        return words[text]
    if text.endswith(")"):
        kind, _, numbers = text[:-1].partition("(")
        return Rule(kind, tuple(float(number) for number in numbers.split("; ") if number))
    if re.fullmatch(r"\d+(x\d+)+", text):
        return tuple(map(int, text.split("x")))
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        return text
