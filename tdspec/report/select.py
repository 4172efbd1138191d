"""Which findings to show: `--select` and `--ignore` take the start of a code, or a name."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

from tdspec.report.codes import CODES
from tdspec.report.finding import Finding, Report


def matches(selector: str, code: str, name: str) -> bool:
    """Whether `TD1`, `td104` or `batch-norm-in-ode` means this rule."""
    return code.startswith(selector.upper()) or name == selector


def names_nothing(selector: str) -> bool:
    """Whether no code starts so, and none has that name."""
    return not any(matches(selector, code, name) for code, (name, _) in CODES.items())


def stays(finding: Finding, select: Collection[str], ignore: Collection[str]) -> bool:
    """Whether `select` names a finding (or nothing), and `ignore` does not."""

    def named(selectors: Iterable[str]) -> bool:
        return any(matches(selector, finding.code, finding.name) for selector in selectors)

    return (not select or named(select)) and not named(ignore)


def selected(report: Report, wanted: Callable[[Finding], bool]) -> Report:
    """The report without what is not wanted."""
    return Report(
        [finding for finding in report.findings if wanted(finding)],
        [(finding, reason) for finding, reason in report.allowed if wanted(finding)],
        list(report.files),
    )
