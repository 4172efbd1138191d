"""`tdspec sample`: images out of a trained diffusion model."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import click

from tdspec.cli.output import spec_that_holds
from tdspec.cli.train import device_option
from tdspec.language.declared import Choice, Option, Scalar
from tdspec.language.sampler import OPTIONS, SAMPLERS, Sampler, having


def sampler_options(command: Callable[..., int]) -> Callable[..., int]:
    """The options of all samplers, as they are declared; None where not given."""
    for declared in reversed(OPTIONS):
        how: dict[str, Any] = {"metavar": "X"}
        match declared.type:
            case Choice(values):
                how = {"type": click.Choice(values)}
            case Scalar(kind) if kind is bool:
                how = {"is_flag": True}
            case Scalar(kind):
                how["type"] = kind
        command = click.option(f"--{declared.key}", default=None, help=_help(declared), **how)(command)
    return command


def _help(declared: Option) -> str:
    of = having(declared.key)
    defaults = " or ".join(dict.fromkeys(str(default) for default in of.values() if default is not False))
    names = f"of {', '.join(of)}" if len(of) < 4 else "by default"
    return f"{declared.doc}; {names} {defaults}".rstrip() + "."


@click.command()
@click.argument("run", metavar="RUN", type=click.Path(exists=True, file_okay=False))
@click.option("-n", "--count", type=click.IntRange(min=1), default=64, metavar="N", help="How many images; 64.")
@click.option(
    "--sampler", "name", type=click.Choice(list(SAMPLERS)), default="ddpm", help="How noise becomes an image."
)
@sampler_options
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
    run: str, count: int, name: str, seed: int, raw: bool, batch: int, device: str, outs: tuple[Path, ...],
    **options: Any,
) -> int:  # fmt: skip
    """Draw images from a trained diffusion model.

    RUN is the folder of a run, whose last checkpoint is taken, or a checkpoint in it. Averaged weights are used
    where the run has them.

    Exits with 1 if the run cannot be sampled.
    """
    try:
        sampler = Sampler(name, **options)
    except ValueError as error:
        raise click.UsageError(f"--{error}") from None
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
    from tdspec.training import TrainError
    from tdspec.training.pictures import write_images
    from tdspec.training.sampling import sample_run

    try:
        # The solver of `ode` does not say how many steps it will take.
        with click.progressbar(
            length=-(-count // batch) * (sampler.steps or 1), label="sampling", file=sys.stderr
        ) as bar:
            images = sample_run(
                found[0], origin, count, sampler=sampler, seed=seed, raw=raw, batch=batch, device=device,
                on_step=partial(bar.update, 1),
            )  # fmt: skip
        click.echo(str(images))
        stem = f"{name}-{sampler.steps}-{seed}" if sampler.steps else f"{name}-{seed}"
        for path in outs or (origin.folder / "samples" / f"{stem}.png",):
            write_images(images.images, path)
            click.echo(f"wrote {path}")
    except (TrainError, ValueError) as error:
        click.echo(f"tdspec: {error}", err=True)
        return 1
    return 0
