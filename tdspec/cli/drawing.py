"""How images are drawn from a run: the options that `tdspec sample` and `tdspec eval` share."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tdspec.cli.output import spec_that_holds
from tdspec.cli.train import device_option
from tdspec.language.declared import Choice, Option, Scalar
from tdspec.language.sampler import OPTIONS, SAMPLERS, Drawing, Sampler, having

if TYPE_CHECKING:
    from tdspec.language.spec import Spec
    from tdspec.training.resume import Origin


def drawing_options() -> Callable[[Any], Any]:
    """Options for all of a `Drawing`; `chosen_drawing` makes one of them."""
    options = (
        click.option(
            "--sampler", type=click.Choice(list(SAMPLERS)), default="ddpm", help="How noise becomes an image; ddpm."
        ),
        *map(_option, OPTIONS),
        click.option(
            "--labels",
            callback=_labels,
            metavar="K,...",
            help="Classes that the images get in turn, for a network that is told them; by default all.",
        ),
        click.option(
            "--guidance",
            type=float,
            default=1.0,
            metavar="X",
            help="How far a label is taken beyond what is made without: 1 not at all, 0 leaves it out; 1.",
        ),
        click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=0, metavar="N", help="Seed of the noise; 0."),
        click.option("--raw", is_flag=True, help="The last weights, in place of the averaged ones."),
        click.option("--batch", type=click.IntRange(min=1), default=64, metavar="N", help="Images at a time; 64."),
        device_option(),
    )

    def decorate(command: Any) -> Any:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def _option(declared: Option) -> Callable[[Any], Any]:
    """An option as samplers declare it; None where not given."""
    how: dict[str, Any] = {"metavar": "X"}
    match declared.type:
        case Choice(values):
            how = {"type": click.Choice(values)}
        case Scalar(kind) if kind is bool:
            how = {"is_flag": True}
        case Scalar(kind):
            how["type"] = kind
    of = having(declared.key)
    defaults = " or ".join(
        dict.fromkeys(str(value) for value in of.values() if value is not False and value is not None)
    )
    names = f"of {', '.join(of)}" if len(of) < 4 else "by default"
    return click.option(
        f"--{declared.key}", default=None, help=f"{declared.doc}; {names} {defaults}".rstrip() + ".", **how
    )


def _labels(context: click.Context, option: click.Parameter, value: str | None) -> tuple[int, ...]:
    try:
        return tuple(int(label) for label in value.split(",")) if value is not None else ()
    except ValueError:
        raise click.BadParameter(
            f"classes by their numbers, such as 3 or 0,1,7, not `{value}`", context, option
        ) from None


def chosen_drawing(options: dict[str, Any]) -> Drawing:
    """The drawing that the options say; takes them out of `options`."""
    own = {declared.key: options.pop(declared.key) for declared in OPTIONS}
    try:
        sampler = Sampler(options.pop("sampler"), **own)
    except ValueError as error:
        raise click.UsageError(f"--{error}") from None
    rest = {key: options.pop(key) for key in ("seed", "raw", "batch", "device", "labels", "guidance")}
    try:
        return Drawing(sampler, **rest)
    except ValueError as error:
        raise click.UsageError(f"--{error}") from None


def one_run(run: str) -> tuple[Spec, Origin] | None:
    """The run that is meant, and its own spec; None if that no longer holds, and prints why."""
    from tdspec.training.errors import CheckpointError
    from tdspec.training.resume import find

    try:
        origin = find(os.path.join(os.curdir, run) if run == "last" else run, Path("runs"), "")
    except CheckpointError as error:
        raise click.UsageError(str(error)) from None
    if origin.seeds:
        raise click.UsageError(f"{run} is a set of runs: name one of them, such as {Path(run) / 'seed-0'}")
    found = spec_that_holds(str(origin.folder / "spec.resolved.yaml"), (), err=True)
    return None if found is None else (found[0], origin)
