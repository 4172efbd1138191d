"""`tdspec probe`: how much of every node is due to t, measured."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tdspec.check import check_path
from tdspec.cli.columns import aligned
from tdspec.cli.output import print_report, settings_option
from tdspec.report.finding import Severity

if TYPE_CHECKING:
    from tdspec.witness.probe import Probe, Row


def _svg(context: click.Context, option: click.Parameter, path: Path | None) -> Path | None:
    if path is not None and path.suffix != ".svg":
        raise click.BadParameter(f"the drawing is written as .svg, not as `{path.suffix}`", context, option)
    return path


@click.command()
@click.argument("subject", metavar="SPEC|RUN", type=click.Path(allow_dash=True))
@settings_option()
@click.option("--seeds", type=click.IntRange(min=1), default=3, metavar="N", help="Draws of a spec's weights; 3.")
@click.option("--data", is_flag=True, help="Let the spec's test images enter; by default it is noise.")
@click.option("--batch", type=click.IntRange(min=2), default=8, metavar="N", help="How many samples enter; 8.")
@click.option("--json", "as_json", is_flag=True, help="Print an object instead of the table.")
@click.option(
    "--graph", "draw", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", callback=_svg,
    help="Draw the graph as .svg, coloured by time share in training.",
)  # fmt: skip
def probe(
    subject: str, settings: tuple[str, ...], seeds: int, data: bool, batch: int, as_json: bool, draw: Path | None
) -> int:
    """Measure the time share at every node.

    It is the part of a node's variance that is due to t, from 0 to 1.

    SPEC|RUN is a spec, whose weights are drawn by its rules, or the folder of a run (or a checkpoint in it),
    whose weights are taken.

    In the table, `keeps` is the share behind a norm over the share before it, and `expected` what a norm keeps of
    independent offsets before a weight is learned. Where time dies can be measured too: only a spec that is no
    network exits with 1.
    """
    is_run = Path(subject).is_dir()
    if is_run:
        from tdspec.training.errors import CheckpointError
        from tdspec.training.resume import find

        try:
            origin = find(subject, Path("runs"), "")
        except CheckpointError as error:
            raise click.UsageError(str(error)) from None
        if origin.checkpoint is None:
            raise click.UsageError(f"{subject} has no checkpoint: name one of its runs, or a spec")
    checked = check_path(str(origin.folder / "spec.resolved.yaml") if is_run else subject, settings)
    if checked.report.count(Severity.ERROR):
        print_report(checked.report, "full", err=True)
    spec = checked.spec
    if not checked.compiles or spec is None:
        return 1
    from tdspec.training import TrainError
    from tdspec.training.probing import probe_spec

    try:
        result = probe_spec(spec, origin=origin if is_run else None, seeds=seeds, data=data, batch=batch)
    except TrainError as error:
        click.echo(f"tdspec: {error}", err=True)
        return 1
    if not result.rows:
        click.echo(f"{spec.name} has no scope of time: nothing to measure", err=True)
    if draw is not None:
        from tdspec.graph.svg import to_svg
        from tdspec.graph.wire import wire

        draw.write_text(to_svg(wire(spec)[0], result.shares), encoding="utf-8")
        click.echo(f"wrote {draw}", err=True)
    click.echo(json.dumps(result.as_dict(), indent=2) if as_json else table(result))
    return 0


def table(result: Probe) -> str:
    """The probe as aligned text."""
    head = ("node", "op", "time", "training", "evaluation", "keeps", "expected")
    rows = [_cells(row) for row in result.rows]
    about = f"{result.name}: time share, weights {result.weights}, {result.inputs}"
    return f"{aligned(head, rows, right=('training', 'evaluation', 'keeps', 'expected'))}\n\n{about}"


def _cells(row: Row) -> tuple[str, ...]:
    keeps = f"{row.survival['training']:.2g}" if row.survival is not None else ""
    expected = f"{row.expected:.2g}" if row.expected is not None else ""
    return (
        row.path,
        row.op,
        row.said,
        spread(row.shares["training"]),
        spread(row.shares["evaluation"]),
        keeps,
        expected,
    )


def spread(shares: tuple[float, ...]) -> str:
    """The mean over seeds, and half the distance from least to greatest where there are several."""
    middle = sum(shares) / len(shares)
    if middle < 1e-20:
        return "0"
    return f"{middle:.1e}" + (f" ± {(max(shares) - min(shares)) / 2:.0e}" if len(shares) > 1 else "")
