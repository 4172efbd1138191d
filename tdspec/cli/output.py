"""Reports on standard output, and the options that several commands share."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import click

from tdspec.report.colour import wants_color
from tdspec.report.finding import Report
from tdspec.report.render import render


def print_report(report: Report, format: str, *, err: bool = False) -> None:
    """Print findings; a format that has nothing to say prints nothing.

    `err` sends them to stderr, where stdout is for something else.
    """
    text = render(report, format, color=wants_color(sys.stderr if err else sys.stdout))
    if text:
        click.echo(text, color=True, err=err)


def settings_option() -> Callable[[Any], Any]:
    """`--set train.optimizer.lr=0.05`, as often as needed."""
    return click.option(
        "--set", "settings", multiple=True, metavar="KEY=VALUE",
        help="Change a value of the spec, by its dotted path; may be given several times.",
    )  # fmt: skip
