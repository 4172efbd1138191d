"""The graph as SVG: layers from top to bottom, blocks as boxes, time as colour.

Layout is by longest path from the inputs; a block's box is as large as what it holds. Nothing is
needed to look at it but a browser.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html import escape

from tdspec.graph.graph import TIME, Graph, Node

WIDTH, HEIGHT = 150, 38  # of a node, in pixels
GAP_X, GAP_Y = 26, 24
PAD, TITLE = 14, 22
FONT = "font-family='system-ui, sans-serif' font-size='12'"


@dataclass
class Box:
    """A node with its place: the corner relative to the box around it."""

    node: Node
    path: str
    width: float = WIDTH
    height: float = HEIGHT
    x: float = 0
    y: float = 0
    panels: list[Panel] = field(default_factory=list)


@dataclass
class Panel:
    """A laid out graph."""

    graph: Graph
    title: str
    boxes: dict[str, Box]
    width: float
    height: float
    x: float = 0
    y: float = 0


def to_svg(graph: Graph, shares: Mapping[str, float] | None = None) -> str:
    """The drawing; `shares` gives the time share of nodes by dotted path, 0 to 1, and colours them."""
    panel = lay_out(graph, "", "")
    width, height = panel.width + 2 * PAD, panel.height + 2 * PAD
    body = "\n".join(_draw(panel, PAD, PAD, shares or {}))
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' width='{width:.0f}' height='{height:.0f}' "
        f"viewBox='0 0 {width:.0f} {height:.0f}' {FONT}>\n"
        "<defs><marker id='arrow' viewBox='0 0 8 8' refX='7' refY='4' markerWidth='7' markerHeight='7' orient='auto'>"
        "<path d='M0 0L8 4L0 8z' fill='#555'/></marker></defs>\n"
        f"<rect width='100%' height='100%' fill='white'/>\n{body}\n</svg>\n"
    )


def lay_out(graph: Graph, prefix: str, title: str) -> Panel:
    """Places for every node of a graph and of the graphs in it."""
    boxes: dict[str, Box] = {}
    layers: list[list[Box]] = []
    depth: dict[str, int] = {}
    for node in graph:
        box = _box(node, prefix)
        boxes[node.name] = box
        depth[node.name] = 1 + max((depth[name] for name in node.inputs), default=-1)
        if node.name == TIME and node.kind == "input":
            depth[node.name] = 0
        while len(layers) <= depth[node.name]:
            layers.append([])
        layers[depth[node.name]].append(box)
    width = max((sum(box.width for box in layer) + GAP_X * (len(layer) - 1) for layer in layers), default=WIDTH)
    y = TITLE if title else 0.0
    for layer in layers:
        total = sum(box.width for box in layer) + GAP_X * (len(layer) - 1)
        x = (width - total) / 2
        for box in layer:
            box.x, box.y = x, y
            x += box.width + GAP_X
        y += max(box.height for box in layer) + GAP_Y
    return Panel(graph, title, boxes, width, max(y - GAP_Y, HEIGHT))


def _box(node: Node, prefix: str) -> Box:
    path = f"{prefix}{node.name}"
    box = Box(node, path)
    if node.graph is not None:
        box.panels = [lay_out(node.graph, f"{path}.", f"{node.name} – {node.title}")]
    elif node.ode is not None:
        start, end = node.ode.t
        parts = [] if node.ode.init is None else [lay_out(node.ode.init, f"{path}.init.", f"{node.name}: init")]
        title = f"{node.name}: d{'/'.join(node.ode.parts)}/dt, t from {start:g} to {end:g}, {node.ode.solver.method}"
        box.panels = [*parts, lay_out(node.ode.field, f"{path}.field.", title)]
    if box.panels:
        box.width = max(panel.width for panel in box.panels) + 2 * PAD
        box.width = max(box.width, max(7 * len(panel.title) for panel in box.panels) + 2 * PAD)
        y = float(PAD)
        for panel in box.panels:
            panel.x, panel.y = (box.width - panel.width) / 2, y
            y += panel.height + GAP_Y
        box.height = y - GAP_Y + PAD
    elif node.kind == "input":
        box.width, box.height = 64, 26
    return box


def _draw(panel: Panel, x: float, y: float, shares: Mapping[str, float]) -> Iterator[str]:
    if panel.title:
        yield f"<text x='{x + panel.width / 2:.1f}' y='{y + 12:.1f}' text-anchor='middle' fill='#666'>{escape(panel.title)}</text>"
    for box in panel.boxes.values():
        yield from _draw_box(box, x + box.x, y + box.y, shares)
    for name, box in panel.boxes.items():
        for source in box.node.inputs:
            start = panel.boxes[source]
            timed = source in (*panel.graph.time_inputs, "embed") and name != "embed"
            yield _edge(start, box, x, y, timed)


def _draw_box(box: Box, x: float, y: float, shares: Mapping[str, float]) -> Iterator[str]:
    node = box.node
    if box.panels:
        dash = " stroke-dasharray='6 3'" if node.ode is not None else ""
        yield (
            f"<rect x='{x:.1f}' y='{y:.1f}' width='{box.width:.1f}' height='{box.height:.1f}' rx='10' "
            f"fill='#f6f7f9' stroke='#8a94a6'{dash}/>"
        )
        for panel in box.panels:
            yield from _draw(panel, x + panel.x, y + panel.y, shares)
        return
    share = shares.get(box.path)
    fill = "#eef1f5" if node.kind == "input" else colour(share) if share is not None else "#ffffff"
    radius = 13 if node.kind == "input" else 5
    middle = x + box.width / 2
    yield (
        f"<rect x='{x:.1f}' y='{y:.1f}' width='{box.width:.1f}' height='{box.height:.1f}' rx='{radius}' fill='{fill}' stroke='#444'>"
        f"<title>{escape(box.path)}</title></rect>"
    )
    if node.kind == "input":
        yield f"<text x='{middle:.1f}' y='{y + 17:.1f}' text-anchor='middle'>{escape(node.name)}</text>"
        return
    yield f"<text x='{middle:.1f}' y='{y + 16:.1f}' text-anchor='middle' font-weight='600'>{escape(node.title)}</text>"
    shape = "x".join(map(str, (node.shape.channels, *node.shape.spatial))) if node.shape else "?"
    if share is not None:
        shape += f" · time {share:.2g}"
    yield f"<text x='{middle:.1f}' y='{y + 31:.1f}' text-anchor='middle' fill='#555' font-size='10'>{escape(shape)}</text>"


def _edge(start: Box, end: Box, x: float, y: float, timed: bool) -> str:
    """From the lower side of one box to the upper side of the other; edges of t run dashed at their sides."""
    x1, y1 = x + start.x + start.width / 2, y + start.y + start.height
    x2, y2 = x + end.x + end.width / 2, y + end.y
    style = "stroke='#c2410c' stroke-dasharray='3 3'" if timed else "stroke='#555'"
    bend = (y2 - y1) / 2
    if y2 - y1 > 2 * GAP_Y:  # past other layers: round their boxes
        side = max(start.x + start.width, end.x + end.width) + x + 12
        x2 = x + end.x + end.width
        y2 = y + end.y + end.height / 2
        x1 = x + start.x + start.width
        y1 = y + start.y + start.height / 2
        return f"<path d='M{x1:.1f} {y1:.1f}C{side:.1f} {y1:.1f} {side:.1f} {y2:.1f} {x2:.1f} {y2:.1f}' fill='none' {style} marker-end='url(#arrow)'/>"
    return (
        f"<path d='M{x1:.1f} {y1:.1f}C{x1:.1f} {y1 + bend:.1f} {x2:.1f} {y2 - bend:.1f} {x2:.1f} {y2:.1f}' "
        f"fill='none' {style} marker-end='url(#arrow)'/>"
    )


def colour(share: float) -> str:
    """From grey, where t is not, to orange, where it is: on a scale of orders of magnitude."""
    from math import log10

    strength = 0.0 if share <= 1e-6 else min(1.0, 1 + log10(share) / 6)
    grey, orange = (229, 231, 235), (253, 150, 60)
    mixed = (round(a + (b - a) * strength) for a, b in zip(grey, orange, strict=True))
    return "#" + "".join(f"{value:02x}" for value in mixed)
