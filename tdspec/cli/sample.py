"""`tdspec sample`: images out of a trained diffusion model."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

import click

from tdspec.cli.output import spec_that_holds
from tdspec.cli.train import device_option

SAMPLERS = ("ddpm", "ddim", "heun")


@click.command()
@click.argument("run", metavar="RUN", type=click.Path(exists=True, file_okay=False))
@click.option("-n", "--count", type=click.IntRange(min=1), default=64, metavar="N", help="How many images; 64.")
@click.option("--sampler", type=click.Choice(SAMPLERS), default="ddpm", help="How noise becomes an image; ddpm.")
@click.option("--steps", type=click.IntRange(min=1), default=50, metavar="N", help="Steps from noise to image; 50.")
@click.option("--eta", type=click.FloatRange(0, 1), metavar="X", help="Noise that ddim adds: 0 none, 1 as ddpm.")
@click.option("--seed", type=click.IntRange(min=0), default=0, metavar="N", help="Seed of the noise; 0.")
@click.option("--raw", is_flag=True, help="The last weights, in place of the averaged ones.")
@click.option("--batch", type=click.IntRange(min=1), default=64, metavar="N", help="Images at a time; 64.")
@device_option()
@click.option(
    "--out", "outs", type=click.Path(path_type=Path), multiple=True, metavar="PATH",
    help="A grid (.png), an array (.npz), or a folder of PNGs; may be given several times. By default a grid, "
    "RUN/samples/<sampler>-<steps>-<seed>.png.",
)  # fmt: skip
def sample(
    run: str, count: int, sampler: str, steps: int, eta: float | None, seed: int, raw: bool, batch: int, device: str,
    outs: tuple[Path, ...],
) -> int:  # fmt: skip
    """Draw images from a trained diffusion model.

    RUN is the folder of a run, whose last checkpoint is taken, or a checkpoint in it. Averaged weights are used
    where the run has them.

    Exits with 1 if the run cannot be sampled.
    """
    if eta is not None and sampler != "ddim":
        raise click.UsageError(f"--eta is of ddim; {sampler} has none")
    from tdspec.training.errors import CheckpointError
    from tdspec.training.resume import find

    try:
        origin = find(run, Path("runs"), "")
    except CheckpointError as error:
        raise click.UsageError(str(error)) from None
    if origin.seeds:
        raise click.UsageError(f"{run} is a set of runs: name one of them, such as {Path(run) / 'seed-0'}")
    found = spec_that_holds(str(origin.folder / "spec.resolved.yaml"), (), err=True)
    if found is None:
        return 1
    from tdspec.diffusion.sampler import Sampler
    from tdspec.training import TrainError
    from tdspec.training.pictures import write_images
    from tdspec.training.sampling import sample_run

    try:
        with click.progressbar(length=-(-count // batch) * steps, label="sampling", file=sys.stderr) as bar:
            images = sample_run(
                found[0], origin, count, sampler=Sampler(sampler, steps, eta or 0.0), seed=seed, raw=raw, batch=batch,
                device=device, on_step=partial(bar.update, 1),
            )  # fmt: skip
        click.echo(str(images))
        for path in outs or (origin.folder / "samples" / f"{sampler}-{steps}-{seed}.png",):
            write_images(images.images, path)
            click.echo(f"wrote {path}")
    except (TrainError, ValueError) as error:
        click.echo(f"tdspec: {error}", err=True)
        return 1
    return 0
