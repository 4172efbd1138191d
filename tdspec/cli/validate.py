"""`tdspec validate`: check files, folders or standard input."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator

import click

from tdspec.cli.output import print_report, settings_option
from tdspec.mend import Workspace
from tdspec.report.finding import Finding, Report, Severity
from tdspec.report.render import FORMATS
from tdspec.report.select import names_nothing, selected, stays
from tdspec.text.read import UTF16

SPEC = re.compile(rb"^(?:\xef\xbb\xbf)?(?:\{ *)?[\"']?tdspec[\"']? *:", re.MULTILINE)


def _rules(context: click.Context, option: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    words = [word.strip() for value in values for word in value.split(",") if word.strip()]
    for word in words:
        if names_nothing(word):
            from tdspec.cli.explain import suggestion

            raise click.BadParameter(f"no rule is called `{word}`{suggestion(word)}", context, option)
    return tuple(words)


@click.command()
@click.argument("paths", nargs=-1, type=click.Path())
@click.option("--format", type=click.Choice(list(FORMATS)), default="full", help="How to print; full by default.")
@click.option(
    "--select", multiple=True, callback=_rules, metavar="RULES",
    help="Report these only: starts of codes (TD1), codes or names, with commas between.",
)  # fmt: skip
@click.option("--ignore", multiple=True, callback=_rules, metavar="RULES", help="Do not report these.")
@click.option("--fix", is_flag=True, help="Mend what can be mended without changing what is trained.")
@click.option("--unsafe-fixes", is_flag=True, help="With --fix or --diff: also what changes the training.")
@click.option("--diff", is_flag=True, help="Print what --fix would change, and change nothing.")
@settings_option()
def validate(
    paths: tuple[str, ...],
    format: str,
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    fix: bool,
    unsafe_fixes: bool,
    diff: bool,
    settings: tuple[str, ...],
) -> int:
    """Check specs and say what does not hold.

    PATHS are files, folders (every .yaml and .yml file below them with a top-level key `tdspec`), or
    - for standard input; without any, the working directory.

    Exits with 1 if there is a finding of severity error; with --diff, if there is something to change.
    Standard input is mended to standard output.
    """
    if unsafe_fixes and not (fix or diff):
        raise click.UsageError("--unsafe-fixes goes with --fix or --diff")

    def wanted(item: Finding) -> bool:
        return stays(item, select, ignore)

    workspace = Workspace(_specs(paths or (".",)), settings)
    if fix or diff:
        from tdspec.cli.fixing import fix_files

        return fix_files(workspace, wanted, format, unsafe=unsafe_fixes, diff=diff)
    report = Report()
    for path in workspace.paths:
        report.merge(workspace.offer(path, lambda item: wanted(item) and _shows_fix(format, item)))
    report = selected(report, wanted)
    report.drop_repeats()
    print_report(report, format)
    return 0 if report.ok else 1


def _shows_fix(format: str, item: Finding) -> bool:
    """Whether a format says how a finding could be fixed; trying out what nobody sees would take time."""
    return format in ("json", "sarif") or (format == "full" and item.severity is not Severity.NOTE)


def _specs(paths: Iterable[str]) -> Iterator[str]:
    """The files that the paths mean, each once."""
    seen: set[str] = set()
    for path in paths:
        found = sorted(_below(path)) if os.path.isdir(path) else [path]
        if not found:
            raise click.UsageError(f"no specs in {path}: none of its .yaml files has a key `tdspec`")
        yield from (file for file in found if file not in seen)
        seen.update(found)


def _below(folder: str) -> Iterator[str]:
    for place, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in files:
            path = os.path.normpath(os.path.join(place, name))
            if name.endswith((".yaml", ".yml")) and _is_spec(path):
                yield path


def _is_spec(path: str) -> bool:
    """Whether a file has a top-level key `tdspec`; one that cannot be read is left to be reported."""
    try:
        with open(path, "rb") as file:
            data = file.read()
        if data.startswith(UTF16):  # found, to be told that a spec is UTF-8
            data = data.decode("utf-16", errors="replace").encode()
        return SPEC.search(data) is not None
    except OSError:
        return True
