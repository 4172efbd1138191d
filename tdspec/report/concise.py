"""One line for each finding, notes too: `file:line:column: error TD104 [batch-norm-in-ode] message`."""

from __future__ import annotations

from tdspec.report.colour import painter
from tdspec.report.display import shown
from tdspec.report.finding import Report


def render_concise(report: Report, *, color: bool) -> str:
    """Findings in the form that editors and `grep` know; empty for a clean report."""
    paint = painter(color)
    lines = []
    for finding in report.findings:
        line, column, _, _ = finding.region
        code = paint(finding.severity.value, f"{finding.severity.value} {finding.code}")
        message = shown(finding.message).replace("\n", " ")
        lines.append(f"{shown(finding.path)}:{line}:{column}: {code} [{finding.name}] {message}")
    return "\n".join(lines)
