"""Which findings to show: `--select` and `--ignore` take the start of a code, or a name."""

from __future__ import annotations

from collections.abc import Iterable

from tdspec.report.codes import CODES
from tdspec.report.finding import Finding, Report


def matches(selector: str, code: str, name: str) -> bool:
    """Whether `TD1`, `td104` or `batch-norm-in-ode` means this rule."""
    return code.startswith(selector.upper()) or name == selector


def names_nothing(selector: str) -> bool:
    """Whether no code starts so, and none has that name."""
    return not any(matches(selector, code, name) for code, (name, _) in CODES.items())


def selected(report: Report, select: Iterable[str], ignore: Iterable[str]) -> Report:
    """The report without what `select` does not name (if it names anything) and what `ignore` does."""
    wanted, unwanted = tuple(select), tuple(ignore)

    def stays(finding: Finding) -> bool:
        def named(selectors: tuple[str, ...]) -> bool:
            return any(matches(selector, finding.code, finding.name) for selector in selectors)

        return (not wanted or named(wanted)) and not named(unwanted)

    return Report(
        [finding for finding in report.findings if stays(finding)],
        [(finding, reason) for finding, reason in report.allowed if stays(finding)],
        list(report.files),
    )
