"""Workflow commands that GitHub turns into annotations on a pull request.

Source: GitHub Docs, "Workflow commands for GitHub Actions"; the escapes are those of its toolkit.
"""

from __future__ import annotations

from tdspec.report.finding import Finding, Report, Severity

COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}


def render_github(report: Report, *, color: bool = False) -> str:
    """One command for each finding; `color` has no effect."""
    return "\n".join(_command(finding) for finding in report.findings)


def _command(finding: Finding) -> str:
    line, column, end_line, end_column = finding.region
    place = {"file": finding.path, "line": line}
    if line == end_line:  # GitHub takes columns within one line only
        place |= {"col": column, "endLine": end_line, "endColumn": end_column}
    else:
        place |= {"endLine": end_line}
    place |= {"title": f"{finding.code} {finding.name}"}
    properties = ",".join(f"{key}={_property(str(value))}" for key, value in place.items())
    text = "\n".join([finding.message, *([f"help: {finding.help}"] if finding.help else []), *finding.notes])
    return f"::{COMMANDS[finding.severity]} {properties}::{_data(text)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
