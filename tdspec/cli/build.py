"""`tdspec build`: compile a spec and show what it became."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tdspec.cli.output import settings_option, spec_that_holds

if TYPE_CHECKING:
    from tdspec.graph.graph import Graph
    from tdspec.language.spec import Spec


def to_svg(graph: Graph) -> str:
    from tdspec.graph import svg

    return svg.to_svg(graph)


def to_mermaid(graph: Graph) -> str:
    from tdspec.graph import mermaid

    return mermaid.to_mermaid(graph)


def to_text(graph: Graph) -> str:
    from tdspec.graph import text_form

    return text_form.print_graph(graph)


DRAWINGS = {".svg": to_svg, ".mmd": to_mermaid, ".txt": to_text}


def _drawable(context: click.Context, option: click.Parameter, path: Path | None) -> Path | None:
    if path is not None and path.suffix not in DRAWINGS:
        known = ", ".join(DRAWINGS)
        raise click.BadParameter(f"a graph is written as {known}, not as `{path.suffix}`", context, option)
    return path


@click.command()
@click.argument("spec", type=click.Path(allow_dash=True))
@settings_option()
@click.option("--json", "as_json", is_flag=True, help="Print an object instead of the table.")
@click.option(
    "--emit", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
    help="Write the network as one readable Python file that needs torch, not tdspec.",
)  # fmt: skip
@click.option(
    "--graph", "draw", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", callback=_drawable,
    help="Draw the graph: .svg (a picture), .mmd (Mermaid) or .txt.",
)  # fmt: skip
def build(spec: str, settings: tuple[str, ...], as_json: bool, emit: Path | None, draw: Path | None) -> int:
    """Compile a spec: its nodes, its source, its picture.

    SPEC is a file, or - for standard input. The object of --json has `name`, `parameters` (the network's
    trainable numbers), `process_parameters` (those of a learned process beside it) and `nodes`, a list of
    objects with `name`, `op`, `shape` (without the batch), `parameters` and `time`.
    """
    found = spec_that_holds(spec, settings, err=as_json)
    if found is None:
        return 1
    checked, graph = found
    shown = _shown(checked, graph, as_json)
    files: dict[Path, str] = {}
    if emit is not None:
        from tdspec.backend.emit import emit_source

        files[emit] = emit_source(checked, graph)
    if draw is not None:
        files[draw] = DRAWINGS[draw.suffix](graph)
    for path, text in files.items():  # when all of it has been made
        path.write_text(text, encoding="utf-8")
    for path in files:
        click.echo(f"wrote {path}", err=True)
    click.echo(shown)
    return 0


def _shown(spec: Spec, graph: Graph, as_json: bool) -> str:
    """The table of nodes, or the object."""
    import torch

    from tdspec.backend.compile import compile_spec
    from tdspec.cli.nodes import as_table, node_rows

    with torch.device("meta"):  # shapes and counts need no memory
        network = compile_spec(spec)
    rows = node_rows(spec, graph, network)
    total = sum(item.numel() for item in network.parameters() if item.requires_grad)
    if as_json:
        # No task so far learns a process (a noise schedule) beside the network.
        content = {"name": spec.name, "parameters": total, "process_parameters": 0, "nodes": rows}
        return json.dumps(content, indent=2)
    return f"{as_table(rows)}\n\n{spec.name}: {total:,} parameters"
