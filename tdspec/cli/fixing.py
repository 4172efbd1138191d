"""What `validate --fix` and `--diff` do with their files, and how they end."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import click

from tdspec.cli.output import print_report
from tdspec.mend import Workspace
from tdspec.report.finding import Finding, Report
from tdspec.report.select import selected
from tdspec.text.read import STDIN

LINE = re.compile(r"[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+")


def fix_files(workspace: Workspace, wanted: Callable[[Finding], bool], format: str, *, unsafe: bool, diff: bool) -> int:
    """Make the fixes that hold, and print what is left; or print them as a unified diff and write nothing.

    What standard input has become goes to standard output, and all else to stderr.
    """
    workspace.fix(wanted, unsafe=unsafe)
    report = Report()
    for path in workspace.paths:
        report.merge(workspace.offer(path, wanted))
    report = selected(report, wanted)
    report.drop_repeats()
    changes = list(workspace.changes())
    if diff:
        for change in changes:
            click.echo("".join(_diff(*change)), nl=False)
        click.echo(f"would fix {_counts(workspace, report)}", err=True)
        return 1 if changes else 0
    from_stdin = STDIN in workspace.paths
    if from_stdin and STDIN in workspace.texts:
        click.echo(workspace.texts[STDIN].encode("utf-8"), nl=False)
    workspace.write()
    print_report(report, format, err=from_stdin)
    click.echo(f"fixed {_counts(workspace, report)}", err=True)
    return 0 if report.ok else 1


def _counts(workspace: Workspace, report: Report) -> str:
    """`3, 2 more with --unsafe-fixes`: what is left and could be fixed, was not because it is unsafe."""
    more = f", {len(report.fixable)} more with --unsafe-fixes" if report.fixable else ""
    return f"{workspace.fixed.total() or 'nothing'}{more}"


def _diff(path: str, before: str, after: str) -> Iterator[str]:
    import difflib

    name = "<stdin>" if path == STDIN else path
    for line in difflib.unified_diff(LINE.findall(before), LINE.findall(after), name, name):
        yield line if line.endswith(("\n", "\r")) else f"{line}\n\\ No newline at end of file\n"
