"""`tdspec audit`: measure where time dies in any PyTorch module that takes it."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any

import click

from tdspec.cli.factory import made
from tdspec.report.colour import wants_color
from tdspec.text.suggest import nearest

if TYPE_CHECKING:
    from torch import nn


def _shapes(context: click.Context, option: click.Parameter, values: tuple[str, ...]) -> tuple[tuple[int, ...], ...]:
    """`3,32,32`: extents, the batch left out."""
    return tuple(_shape(context, option, value) for value in values)


def _shape(context: click.Context, option: click.Parameter, value: str) -> tuple[int, ...]:
    parts = value.replace("x", ",").split(",")
    if not all(part.strip().isdigit() and int(part) for part in parts):
        message = f"`{value}` is no shape; expected extents without the batch, such as 3,32,32"
        raise click.BadParameter(message, context, option)
    return tuple(map(int, parts))


def _span(context: click.Context, option: click.Parameter, value: str | None) -> tuple[float, float] | None:
    """`0,999`: the first and the last t."""
    if value is None:
        return None
    try:
        low, high = (float(part) for part in value.split(","))
    except ValueError:
        low = high = 0.0
    if low == high:
        message = f"`{value}` is no range; expected first and last t, such as 0,999"
        raise click.BadParameter(message, context, option)
    return low, high


def _keywords(context: click.Context, option: click.Parameter, value: str) -> dict[str, Any]:
    """A JSON object, or the name of a file that holds one."""
    try:
        if os.path.isfile(value):
            with open(value, encoding="utf-8") as file:
                value = file.read()
        found = json.loads(value)
    except ValueError as error:
        raise click.BadParameter(f"this is no JSON: {error}", context, option) from None
    if not isinstance(found, dict):
        raise click.BadParameter('expected an object, such as {"class_labels": 0}', context, option)
    return {name: item for name, item in found.items() if not name.startswith("_")}


@click.command()
@click.argument("factory", metavar="MODULE:FACTORY")
@click.option(
    "--input", "shapes", multiple=True, required=True, callback=_shapes, metavar="SHAPE",
    help="Shape of the state without the batch, 3,32,32; once for each part of the state.",
)  # fmt: skip
@click.option("--time", callback=_span, metavar="LOW,HIGH", help="First and last t; else the argument's name says it.")
@click.option("--integer/--continuous", default=None, help="Whether t are integer steps.")
@click.option("--shared/--per-sample", default=None, help="One t for the batch, as in an ODE, or one for each sample.")
@click.option("--time-name", metavar="NAME", help="The argument of forward that is time.")
@click.option(
    "--kwargs", default="{}", callback=_keywords, metavar="JSON",
    help="Further arguments of forward; a number becomes a tensor with one entry per sample.",
)  # fmt: skip
@click.option(
    "--config", default="{}", callback=_keywords, metavar="JSON",
    help="Arguments of the factory, or a file that holds them; keys that start with _ are left out.",
)  # fmt: skip
@click.option("--at", metavar="NAME", help="Audit the submodule of this name instead.")
@click.option("--batch", type=click.IntRange(min=2), metavar="N", help="Samples in a run; 4 by default.")
@click.option("--seed", type=click.IntRange(min=0), default=0, metavar="N", help="Of weights and inputs; 0 by default.")
@click.option("--json", "as_json", is_flag=True, help="Print the audit as an object.")
def audit(
    factory: str, shapes: tuple[tuple[int, ...], ...], time: tuple[float, float] | None, integer: bool | None,
    shared: bool | None, time_name: str | None, kwargs: dict[str, Any], config: dict[str, Any], at: str | None,
    batch: int | None, seed: int, as_json: bool,
) -> int:  # fmt: skip
    """Measure where time dies in any PyTorch module that takes it.

    MODULE is a Python module or a .py file; FACTORY is a class or a function in it that makes the model, or the
    model itself. Its forward takes the state and t, in whatever order and under whatever names. The weights are
    taken as they are, and drawn at random where a proof needs it. MODULE is imported, and so run.

    Exits with 1 if there is a finding of severity error.
    """
    model = _submodule(made(factory, config, seed), at)
    from tdspec.witness.audit import audit as measure
    from tdspec.witness.audit_text import render_audit
    from tdspec.witness.calling import AuditError

    per_sample = None if shared is None else not shared
    try:
        found = measure(
            model, shapes, kwargs=kwargs, time=time, integer=integer, per_sample=per_sample, time_name=time_name,
            batch=batch, seed=seed, name=factory + (f" at {at}" if at else ""),
        )  # fmt: skip
    except AuditError as error:
        raise click.ClickException(str(error)) from None
    text = json.dumps(found.as_dict(), indent=2) if as_json else render_audit(found, color=wants_color(sys.stdout))
    click.echo(text, color=True)
    return 0 if found.ok else 1


def _submodule(model: nn.Module, name: str | None) -> nn.Module:
    if name is None:
        return model
    names = [found for found, _ in model.named_modules() if found]
    if name not in names:
        near = nearest(name, names)
        raise click.UsageError(f"the model has no module `{name}`" + (f"; did you mean `{near}`?" if near else ""))
    return model.get_submodule(name)
