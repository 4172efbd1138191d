"""Reports on standard output, and what several commands begin with."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import click

from tdspec.report.colour import wants_color
from tdspec.report.finding import Report, Severity
from tdspec.report.render import render

if TYPE_CHECKING:
    from tdspec.graph.graph import Graph
    from tdspec.language.spec import Spec


def print_report(report: Report, format: str, *, err: bool = False) -> None:
    """Print findings; a format that has nothing to say prints nothing.

    `err` sends them to stderr, where stdout is for something else.
    """
    text = render(report, format, color=wants_color(sys.stderr if err else sys.stdout))
    if text:
        click.echo(text, color=True, err=err)


def spec_that_holds(path: str, settings: Iterable[str], *, err: bool) -> tuple[Spec, Graph] | None:
    """The spec in a file and its graph, or None if it has errors; prints errors and warnings."""
    from tdspec.check import check_path

    checked = check_path(path, settings)
    if checked.report.count(Severity.ERROR) or checked.report.count(Severity.WARNING):
        print_report(checked.report, "full", err=err)
    if not checked.report.ok or checked.spec is None or checked.graph is None:
        return None
    return checked.spec, checked.graph


def settings_option() -> Callable[[Any], Any]:
    """`--set train.optimizer.lr=0.05`, as often as needed."""
    return click.option(
        "--set", "settings", multiple=True, metavar="KEY=VALUE",
        help="Change a value of the spec, by its dotted path; may be given several times.",
    )  # fmt: skip
