"""Where the nodes of a drawing stand: layers from top to bottom, blocks as boxes in boxes.

A node's layer is its longest path from the inputs; a block's box is as large as what it holds.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tdspec.graph.graph import TIME, Graph, Node

WIDTH, HEIGHT = 150, 38  # of a node, in pixels
GAP_X, GAP_Y = 26, 24
PAD, TITLE = 14, 22
LETTER = 7  # width of a letter of a title


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
        box.width = max(box.width, max(LETTER * len(panel.title) for panel in box.panels) + 2 * PAD)
        y = float(PAD)
        for panel in box.panels:
            panel.x, panel.y = (box.width - panel.width) / 2, y
            y += panel.height + GAP_Y
        box.height = y - GAP_Y + PAD
    elif node.kind == "input":
        box.width, box.height = 64, 26
    return box
