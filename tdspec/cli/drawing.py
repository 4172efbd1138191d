"""How images are drawn from a run: the options that `tdspec sample` and `tdspec eval` share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tdspec.cli.output import spec_that_holds
from tdspec.cli.train import device_option
from tdspec.language.declared import Choice, Option, Scalar
from tdspec.language.sampler import OPTIONS, SAMPLERS, Sampler, having

if TYPE_CHECKING:
    from tdspec.language.spec import Spec
    from tdspec.training.resume import Origin


def drawing_options() -> Callable[[Any], Any]:
    """`--sampler` with the options of all samplers, `--seed`, `--raw`, `--batch` and `--device`."""
    options = (
        click.option(
            "--sampler", "name", type=click.Choice(list(SAMPLERS)), default="ddpm", help="How noise becomes an image."
        ),
        *map(_option, OPTIONS),
        click.option("--seed", type=click.IntRange(min=0), default=0, metavar="N", help="Seed of the noise; 0."),
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
    defaults = " or ".join(dict.fromkeys(str(default) for default in of.values() if default is not False))
    names = f"of {', '.join(of)}" if len(of) < 4 else "by default"
    return click.option(
        f"--{declared.key}", default=None, help=f"{declared.doc}; {names} {defaults}".rstrip() + ".", **how
    )


def chosen_sampler(name: str, options: dict[str, Any]) -> Sampler:
    """The sampler that the options say; takes its own out of `options`."""
    try:
        return Sampler(name, **{declared.key: options.pop(declared.key) for declared in OPTIONS})
    except ValueError as error:
        raise click.UsageError(f"--{error}") from None


def one_run(run: str) -> tuple[Spec, Origin] | None:
    """The run that is meant, and its own spec; None if that no longer holds, and prints why."""
    from tdspec.training.errors import CheckpointError
    from tdspec.training.resume import find

    try:
        origin = find(run, Path("runs"), "")
    except CheckpointError as error:
        raise click.UsageError(str(error)) from None
    if origin.seeds:
        raise click.UsageError(f"{run} is a set of runs: name one of them, such as {Path(run) / 'seed-0'}")
    found = spec_that_holds(str(origin.folder / "spec.resolved.yaml"), (), err=True)
    return None if found is None else (found[0], origin)
