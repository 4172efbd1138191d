"""`report.html`: one file that needs nothing else. Curves, settings, and the graph with its time shares."""

from __future__ import annotations

import io
import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

Record = Mapping[str, Any]

# Title, unit of the vertical axis, and the curves: label and key of an epoch's record.
PANELS: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("Loss", "", {"training": "train_loss", "validation": "validation_loss", "test": "test_loss"}),
    ("Accuracy", "%", {"training": "train_accuracy", "validation": "validation_accuracy", "test": "test_accuracy"}),
    ("Evaluations per batch (NFE)", "", {"forward": "nfe_forward", "backward": "nfe_backward", "test": "test_nfe"}),
    (
        "Steps of the solver per batch",
        "",
        {
            "accepted": "accepted_steps",
            "rejected": "rejected_steps",
            "accepted, backward": "accepted_steps_backward",
            "rejected, backward": "rejected_steps_backward",
        },
    ),
    ("Learning rate", "", {"": "lr"}),
)
# Panels with one curve for each name in a mapping of an epoch's record.
SHARES = (("Time share of the output", "time_share"), ("Time share behind each embedding", "embedding_share"))
LEGEND = 12  # curves in one panel that are named; more are shaded from dark to light
COLOURS = ("#2f6db5", "#c2410c", "#2e8b57", "#8a4fbf", "#666666")

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #1f2430; max-width: 1080px; margin: 2rem auto; padding: 0 1rem; }
h1 { margin-bottom: 0; }
h2 { margin-top: 2.2rem; border-bottom: 1px solid #dde1e8; }
p.about { color: #555; margin-top: .2rem; }
.tiles { display: flex; flex-wrap: wrap; gap: .8rem; }
.tile { border: 1px solid #dde1e8; border-radius: 8px; padding: .5rem 1rem; }
.tile b { display: block; font-size: 1.4rem; }
.tile span { color: #555; }
.curves { display: grid; grid-template-columns: repeat(auto-fill, minmax(340px, 1fr)); gap: 1rem; }
.curves svg { width: 100%; height: auto; }
.graph { overflow-x: auto; }
img.samples { max-width: 100%; image-rendering: pixelated; }
table { border-collapse: collapse; }
td { padding: .1rem 1.2rem .1rem 0; vertical-align: top; }
td:first-child { color: #555; white-space: nowrap; }
pre { background: #f6f7f9; padding: 1rem; overflow-x: auto; border-radius: 8px; font-size: 13px; }
"""


def render_report(
    title: str,
    about: str,
    records: Sequence[Record],
    settings: Mapping[str, Any],
    spec_text: str,
    graph_svg: str = "",
    folder: Path = Path(),
) -> str:
    """The report as HTML.

    records    of `metrics.jsonl`
    settings   rows of the table: parameters, device, seed, versions, ...
    spec_text  the resolved spec
    graph_svg  the drawn graph, or empty
    folder     where the pictures of the records are
    """
    epochs = [record for record in records if record["kind"] == "epoch"]
    notes = [record for record in records if record["kind"] == "note"]
    parts = [f"<h1>{escape(title)}</h1><p class='about'>{escape(about)}</p>"]
    if epochs:
        parts.append(f"<div class='tiles'>{''.join(_tiles(epochs[-1]))}</div>")
        parts.append(f"<h2>Curves</h2><div class='curves'>{''.join(_curves(epochs))}</div>")
    shown = next((record["preview"] for record in reversed(epochs) if record.get("preview")), None)
    if shown is not None:
        parts.append(f"<h2>Samples</h2><p class='about'>{escape(shown)}</p>{_picture(folder / shown)}")
    if graph_svg:
        parts.append(f"<h2>Graph</h2><div class='graph'>{_inline(graph_svg)}</div>")
    if notes:
        lines = "".join(f"<li>step {note['step']}: {escape(str(note['text']))}</li>" for note in notes)
        parts.append(f"<h2>Notes</h2><ul>{lines}</ul>")
    rows = "".join(f"<tr><td>{escape(key)}</td><td>{escape(str(value))}</td></tr>" for key, value in settings.items())
    parts.append(f"<h2>Settings</h2><table>{rows}</table>")
    parts.append(f"<h2>Resolved spec</h2><pre>{escape(spec_text)}</pre>")
    return (
        f"<!doctype html>\n<html lang='en'><head><meta charset='utf-8'><title>{escape(title)}</title>"
        f"<meta name='viewport' content='width=device-width'><style>{STYLE}</style></head>"
        f"<body>{''.join(parts)}</body></html>\n"
    )


def _picture(path: Path) -> str:
    """A PNG within the page; empty if it is gone."""
    if not path.is_file():
        return ""
    return f"<img class='samples' src='data:image/png;base64,{b64encode(path.read_bytes()).decode()}'>"


def _tiles(last: Record) -> list[str]:
    tiles = [
        ("test accuracy", "test_accuracy", "{:.2f} %"), ("test loss", "test_loss", "{:.4f}"),
        ("NFE on the test set", "test_nfe", "{:.1f}"), ("NFE forward", "nfe_forward", "{:.1f}"),
        ("NFE backward", "nfe_backward", "{:.1f}"), ("epochs", "epoch", "{}"),
        ("images/s", "images_per_second", "{:.0f}"),
    ]  # fmt: skip
    shown = [(label, form.format(last[key])) for label, key, form in tiles if key in last]
    shown += [(f"time share of {name}", f"{100 * share:.2g} %") for name, share in last.get("time_share", {}).items()]
    return [f"<div class='tile'><b>{escape(value)}</b><span>{escape(label)}</span></div>" for label, value in shown]


def _curves(epochs: Sequence[Record]) -> list[str]:
    drawn = []
    for title, unit, curves in PANELS:
        lines = [(label, [(r["epoch"], r[key]) for r in epochs if key in r]) for label, key in curves.items()]
        lines = [(label, points) for label, points in lines if points]
        if lines:
            drawn.append(_plot(title, unit, lines))
    for title, key in SHARES:
        names = dict.fromkeys(name for record in epochs for name in record.get(key, {}))  # in the network's order
        lines = [(name, [(r["epoch"], 100 * r[key][name]) for r in epochs if name in r.get(key, {})]) for name in names]
        if lines:
            drawn.append(_plot(title, "%", lines))
    return drawn


def _plot(title: str, unit: str, lines: Sequence[tuple[str, Sequence[tuple[float, float]]]]) -> str:
    """One panel as SVG, drawn by matplotlib without pyplot's global state."""
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    with matplotlib.rc_context({"svg.fonttype": "none", "font.family": "sans-serif", "svg.hashsalt": title}):
        figure = Figure(figsize=(4.6, 2.9), layout="constrained")
        FigureCanvasSVG(figure)
        axes = figure.add_subplot()
        many = len(lines) > len(COLOURS)
        shades = [matplotlib.colormaps["viridis"](k / max(len(lines) - 1, 1)) for k in range(len(lines))]
        for (label, points), colour in zip(lines, shades if many else COLOURS[: len(lines)], strict=True):
            x, y = zip(*points, strict=True)
            axes.plot(x, y, label=label, color=colour, linewidth=1.6, marker="o" if len(x) < 3 else None, markersize=3)
        axes.set_title(title, fontsize=11)
        axes.set_xlabel("epoch", fontsize=9)
        axes.set_ylabel(unit, fontsize=9)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.tick_params(labelsize=8)
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
        if len(lines) > LEGEND:
            axes.set_title(f"{title}\n{len(lines)} of them, the first dark, the last light", fontsize=9)
        elif any(label for label, _ in lines):
            axes.legend(fontsize=6 if many else 8, frameon=False)
        text = io.StringIO()
        figure.savefig(text, format="svg", metadata={"Date": None})
    return _inline(_own_ids(text.getvalue(), re.sub(r"\W+", "-", title.lower())))


def _own_ids(svg: str, prefix: str) -> str:
    """Several drawings in one page must not share the names of their clip paths."""
    svg = re.sub(r'id="([^"]+)"', rf'id="{prefix}-\1"', svg)
    return re.sub(r'(url\(|href=")#', rf"\1#{prefix}-", svg)


def _inline(svg: str) -> str:
    """The `<svg>` element alone: HTML has no room for XML's prologue."""
    return svg[svg.index("<svg") :]
