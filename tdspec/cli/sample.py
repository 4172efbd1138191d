"""`tdspec sample`: images out of a trained diffusion model."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import Any

import click

from tdspec.cli.drawing import chosen_drawing, drawing_options, one_run


@click.command()
@click.argument("run", metavar="RUN", type=click.Path(exists=True, file_okay=False))
@click.option("-n", "--count", type=click.IntRange(min=1), default=64, metavar="N", help="How many images; 64.")
@drawing_options()
@click.option(
    "--out", "outs", type=click.Path(path_type=Path), multiple=True, metavar="PATH",
    help="A grid (.png), an array (.npz), or a folder of PNGs; may be given several times. By default a grid, "
    "RUN/samples/<sampler>-<steps>-<seed>.png, with further options before the seed.",
)  # fmt: skip
def sample(run: str, count: int, outs: tuple[Path, ...], **options: Any) -> int:
    """Draw images from a trained diffusion model.

    RUN is the folder of a run, whose last checkpoint is taken, or a checkpoint in it. Averaged weights are used
    where the run has them.

    Exits with 1 if the run cannot be sampled.
    """
    drawing = chosen_drawing(options)
    found = one_run(run)
    if found is None:
        return 1
    spec, origin = found
    from tdspec.training import TrainError
    from tdspec.training.pictures import check_destination, write_images
    from tdspec.training.sampling import sample_run

    steps = drawing.by.steps  # the solver of `ode` does not say how many it will take
    paths = outs or (origin.folder / "samples" / f"{drawing.stem}.png",)
    try:
        for path in paths:
            check_destination(path)
        with click.progressbar(
            length=-(-count // drawing.batch) * (steps or 1), label="sampling", file=sys.stderr
        ) as bar:
            images = sample_run(spec, origin, count, drawing, on_step=partial(bar.update, 1))
        click.echo(str(images))
        for path in paths:
            write_images(images.images, path)
            click.echo(f"wrote {path}")
    except (TrainError, ValueError) as error:
        click.echo(f"tdspec: {error}", err=True)
        return 1
    return 0
