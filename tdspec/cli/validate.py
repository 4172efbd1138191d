"""`tdspec validate`: check files, folders or standard input."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator

import click

from tdspec.check import check_path
from tdspec.cli.output import print_report, settings_option
from tdspec.report.finding import Report
from tdspec.report.render import FORMATS
from tdspec.report.select import names_nothing, selected
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
@settings_option()
def validate(
    paths: tuple[str, ...],
    format: str,
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    settings: tuple[str, ...],
) -> int:
    """Check specs and say what does not hold.

    PATHS are files, folders (every .yaml and .yml file below them with a top-level key `tdspec`), or
    - for standard input; without any, the working directory.

    Exits with 1 if there is a finding of severity error.
    """
    report = Report()
    for path in _specs(paths or (".",)):
        try:
            report.merge(check_path(path, settings).report)
        except Exception as error:
            error.add_note(f"while checking {path}")
            raise
    report = selected(report, select, ignore)
    report.drop_repeats()
    print_report(report, format)
    return 0 if report.ok else 1


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
