"""The graph as SVG, with time as colour. Nothing is needed to look at it but a browser."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from math import log10

from tdspec.graph.graph import Graph
from tdspec.graph.layout import GAP_Y, PAD, Box, Panel, lay_out

FONT = "font-family='system-ui, sans-serif' font-size='12'"
GREY, ORANGE = (229, 231, 235), (253, 150, 60)


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


def _draw(panel: Panel, x: float, y: float, shares: Mapping[str, float]) -> Iterator[str]:
    if panel.title:
        yield _text(x + panel.width / 2, y + 12, panel.title, "fill='#666'")
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
        f"<rect x='{x:.1f}' y='{y:.1f}' width='{box.width:.1f}' height='{box.height:.1f}' rx='{radius}' "
        f"fill='{fill}' stroke='#444'><title>{escape(box.path)}</title></rect>"
    )
    if node.kind == "input":
        yield _text(middle, y + 17, node.name)
        return
    yield _text(middle, y + 16, node.title, "font-weight='600'")
    shape = "x".join(map(str, (node.shape.channels, *node.shape.spatial))) if node.shape else "?"
    if share is not None:
        shape += f" · time {share:.2g}"
    yield _text(middle, y + 31, shape, "fill='#555' font-size='10'")


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
        curve = f"M{x1:.1f} {y1:.1f}C{side:.1f} {y1:.1f} {side:.1f} {y2:.1f} {x2:.1f} {y2:.1f}"
    else:
        curve = f"M{x1:.1f} {y1:.1f}C{x1:.1f} {y1 + bend:.1f} {x2:.1f} {y2 - bend:.1f} {x2:.1f} {y2:.1f}"
    return f"<path d='{curve}' fill='none' {style} marker-end='url(#arrow)'/>"


def _text(x: float, y: float, text: str, style: str = "") -> str:
    return f"<text x='{x:.1f}' y='{y:.1f}' text-anchor='middle' {style}>{escape(text)}</text>"


def colour(share: float) -> str:
    """From grey, where t is not, to orange, where it is: on a scale of orders of magnitude."""
    strength = 0.0 if share <= 1e-6 else min(1.0, 1 + log10(share) / 6)
    mixed = (round(a + (b - a) * strength) for a, b in zip(GREY, ORANGE, strict=True))
    return "#" + "".join(f"{value:02x}" for value in mixed)
