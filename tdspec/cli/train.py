"""`tdspec train`: from a spec to a run folder."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import click

from tdspec.cli.output import settings_option, spec_that_holds

if TYPE_CHECKING:
    from tdspec.training import Plan, TrainResult


FOLDER = click.Path(file_okay=False)
DEVICE = re.compile(r"auto|cpu|mps|cuda(:\d+)?")


def _device(context: click.Context, option: click.Parameter, value: str) -> str:
    if DEVICE.fullmatch(value) is None:
        hint = "; did you mean `cuda`?" if value in ("gpu", "cuda:", "nvidia") else ""
        raise click.BadParameter(f"`{value}` is no device: auto, cpu, cuda, cuda:1 or mps{hint}", context, option)
    return value


def device_option() -> Callable[[Any], Any]:
    """`--device cuda:1`."""
    return click.option(
        "--device", default="auto", callback=_device, metavar="DEVICE", help="auto, cpu, cuda, cuda:1 or mps."
    )


@click.command()
@click.argument("spec", type=click.Path(allow_dash=True), required=False)
@settings_option()
@device_option()
@click.option("--precision", type=click.Choice(["fp32", "bf16"]), help="In place of train.precision.")
@click.option("--seed", type=click.IntRange(min=0), metavar="N", help="In place of train.seed.")
@click.option("--seeds", type=click.IntRange(min=1), metavar="N", help="Train N times, from that seed on.")
@click.option("--out", type=FOLDER, default="runs", metavar="FOLDER", help="Where runs go; runs by default.")
@click.option("--resume", metavar="RUN", help="Go on with a run: its folder, a checkpoint in it, or `last`.")
@click.option("--dry-run", is_flag=True, help="Print what would be run, and train nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as an object.")
def train(
    spec: str | None, settings: tuple[str, ...], device: str, precision: str | None, seed: int | None,
    seeds: int | None, out: str, resume: str | None, dry_run: bool, as_json: bool,
) -> int:  # fmt: skip
    """Train a spec.

    SPEC is a file, or - for standard input; with --resume and a folder it may be left out, and the run's own
    spec is taken, settings included. Checkpoints, metrics and a report go to a new folder
    FOLDER/<name of the spec>/<number>-<hash>. Ctrl-C ends the step, saves, and stops.

    Exits with 1 if the spec does not hold or the run cannot go on.
    """
    if spec is None:
        kept = os.path.join(resume, "spec.resolved.yaml") if resume is not None else ""
        if not os.path.isfile(kept):
            raise click.UsageError("give a SPEC, or the folder of a run to --resume")
        spec = kept
    found = spec_that_holds(spec, settings, err=as_json)
    if found is None:
        return 1
    checked, _ = found
    from tdspec.backend.ode import SolverError
    from tdspec.training import TrainError
    from tdspec.training import train as run

    first = checked.train.seed if seed is None else seed
    chosen = range(first, first + (seeds or 1)) if seeds is not None or seed is not None else None
    try:
        result = run(checked, seeds=chosen, dry_run=dry_run, out=out, device=device, precision=precision, resume=resume)
    except (TrainError, SolverError) as error:
        click.echo(f"tdspec: {error}", err=True)
        return 1
    if os.environ.get("RANK", "0") == "0":  # of several processes one speaks
        click.echo(json.dumps(result.as_dict(), indent=2) if as_json else "\n".join(_lines(result)))
    return 0


def _lines(result: TrainResult | Plan) -> Iterator[str]:
    yield str(result)
    for run in getattr(result, "runs", ()) or (result,):
        if hasattr(run, "folder"):
            yield f"report: {os.path.join(run.folder, 'report.html')}"
