"""`tdspec eval`: figures of a trained run, with the conditions under which they hold."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

import click
from click.core import ParameterSource

from tdspec.cli.columns import aligned
from tdspec.cli.drawing import chosen_drawing, drawing_options, one_run
from tdspec.evaluation.figures import DRAWN, LOOKED, METRICS, Evaluation, Requirement, parse_metrics, parse_requirement


def _parsed(parse: Callable[[str], Any]) -> Callable[..., Any]:
    def callback(context: click.Context, option: click.Parameter, value: Any) -> Any:
        try:
            return tuple(map(parse, value)) if isinstance(value, tuple) else value and parse(value)
        except ValueError as error:
            raise click.BadParameter(str(error), context, option) from None

    return callback


@click.command()
@click.argument("run", metavar="RUN", type=click.Path(exists=True, file_okay=False))
@click.option(
    "--metric",
    "metrics",
    callback=_parsed(parse_metrics),
    metavar="NAMES",
    help=f"Of {', '.join(METRICS)}, with commas; frechet for a diffusion model, loss for a classifier.",
)
@click.option(
    "-n",
    "--count",
    type=click.IntRange(min=2),
    metavar="N",
    help="Images to draw, for nll to look at; as many as test images.",
)
@click.option("--samples", type=click.Path(exists=True), metavar="PATH", help="Images there already: .npz or a folder.")
@drawing_options()
@click.option(
    "--weights",
    type=click.Path(exists=True, dir_okay=False),
    metavar="FILE",
    help="Inception's weights for fid, is and kid; by default they are downloaded.",
)
@click.option(
    "--cache",
    type=click.Path(file_okay=False),
    metavar="FOLDER",
    help="Where the small classifiers of frechet are kept; ~/.cache/tdspec.",
)
@click.option(
    "--require",
    "requirements",
    multiple=True,
    callback=_parsed(parse_requirement),
    metavar="BOUND",
    help="Exit with 1 unless it holds: 'recognised>=90', 'frechet<=2'; may be given several times.",
)
@click.option("--json", "as_json", is_flag=True, help="Print an object instead of the table.")
@click.pass_context
def eval(
    context: click.Context, /, run: str, metrics: tuple[str, ...] | None, count: int | None, samples: str | None,
    weights: str | None, cache: str | None, requirements: tuple[Requirement, ...], as_json: bool, **options: Any,
) -> int:  # fmt: skip
    """Measure what a trained run is worth.

    RUN is the folder of a run, whose last checkpoint is taken, or a checkpoint in it. A diffusion model draws
    images, which are compared with those of its data; a classifier is tested. The figures, and all that they
    depend on, are kept in RUN/evaluations.

    Exits with 1 if that cannot be measured or a requirement does not hold.
    """
    drawing = chosen_drawing(options)
    found = one_run(run)
    if found is None:
        return 1
    spec, origin = found
    from tdspec.evaluation.run import default_metrics, evaluate_run
    from tdspec.training import TrainError

    metrics = metrics or default_metrics(spec)
    for option in (*LOOKED, "cache", "weights"):
        if context.get_parameter_source(option) is ParameterSource.COMMANDLINE:
            if not any(option in METRICS[name].options for name in metrics):
                raise click.UsageError(f"--{option} has no effect on {', '.join(metrics)}")
            if samples is not None and option in DRAWN:
                raise click.UsageError(f"--{option} is for images that are drawn; --samples has them already")
    if samples is not None and drawing.raw and all(METRICS[name].looks for name in metrics):
        raise click.UsageError("--raw is for images that are drawn; --samples has them already")
    for requirement in requirements:
        if not any(requirement.name in METRICS[name].columns for name in metrics):
            raise click.UsageError(f"--require {requirement}: {', '.join(metrics)} does not measure it")
    try:
        with click.progressbar(length=1, label="sampling", file=sys.stderr) as bar:

            def step(done: int, total: int) -> None:
                bar.length = total
                bar.update(1)

            result = evaluate_run(
                spec, origin, metrics, drawing, count=count, samples=samples, weights=weights, cache=cache,
                on_step=step, tell=lambda text: click.echo(text, err=True),
            )  # fmt: skip
    except (TrainError, ValueError) as error:
        click.echo(f"tdspec: {error}", err=True)
        return 1
    click.echo(json.dumps(result.as_dict(), indent=2, ensure_ascii=False) if as_json else table(result))
    missed = [each for each in requirements if not each.met(result.value(each.name))]
    for requirement in missed:
        value = result.value(requirement.name)
        said = "that is nothing to measure of this run" if value is None else f"it is {value:.4g}"
        click.echo(f"tdspec: {requirement} does not hold: {said}", err=True)
    return int(bool(missed))


def table(result: Evaluation) -> str:
    """The evaluation as aligned text."""
    head, rows = result.table()
    lines = [", ".join((result.name, *result.about)), "", aligned(head, rows, right=head[1:]), "", *result.remarks()]
    return "\n".join([*lines, f"saved as {result.saved}"])
