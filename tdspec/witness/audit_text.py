"""An audit for people: how the model was called, where time enters, what each norm does to it, and the findings."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import TYPE_CHECKING

from tdspec.report.colour import Paint, painter
from tdspec.report.finding import Finding, Severity
from tdspec.report.full import summary

if TYPE_CHECKING:
    from tdspec.witness.audit import Audit

MOST = 12  # findings of one code that are listed by name; the table has all


def render_audit(audit: Audit, *, color: bool) -> str:
    """The audit as text for a terminal; `color` adds ANSI sequences."""
    paint = painter(color)
    shares = ", ".join(f"{_number(share)} in {mode}" for mode, share in audit.share.items())
    lines = [
        f"{paint('strong', audit.model)}: {audit.parameters:,} parameters",
        f"called as {audit.call}",
        f"time share of the output with the weights as they are: {shares}",
        "",
        *_table(("time enters at", "how", "at the output"), [
            (row.name or "forward", row.kind + (", still" if row.still else ""), row.end) for row in audit.sources
        ]),
        "",
        *_table(("norm", "", "before", "behind", "survival", "time"), [
            (
                row.name, row.title, _number(row.before), _number(row.behind),
                "" if row.survival is None else f"{row.survival:.2g}", row.verdict,
            )
            for row in audit.norms
        ], numbers=(2, 3, 4)),
        "",
    ]  # fmt: skip
    for (code, severity), group in groupby(audit.findings, key=lambda item: (item.code, item.severity)):
        lines += [*_block(code, severity, list(group), paint), ""]
    lines.append(summary(audit.report).removesuffix(" (--format concise shows each)"))
    return "\n".join(lines)


def _block(code: str, severity: Severity, findings: list[Finding], paint: Paint) -> Iterator[str]:
    """All findings of one code, with what they have in common said once."""
    level = severity.value
    head = findings[0].message if len(findings) == 1 else f"{findings[0].name}, {len(findings)} times"
    yield f"{paint(level, f'{level}[{code}]')}: {paint('strong', head)}"
    if len(findings) > 1:
        for item in findings[:MOST]:
            yield f"  {paint('frame', '-->')} {item.message}"
        if len(findings) > MOST:
            yield f"  {paint('frame', '-->')} and {len(findings) - MOST} more: see the table"
    shown = findings[:MOST]
    for text in dict.fromkeys(item.help for item in shown if item.help):
        yield f"{paint('help', 'help')}: {text}"
    for text in dict.fromkeys(note for item in shown for note in item.notes):
        if len(findings) == 1 or all(text in item.notes for item in findings):
            yield f"{paint('note', 'note')}: {text}"
    yield f"{paint('frame', 'more')}: tdspec explain {code}"


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]], numbers: tuple[int, ...] = ()) -> Iterator[str]:
    if not rows:
        yield f"{head[0]}: none"
        return
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    for row in (head, *rows):
        cells = (
            cell.rjust(width) if place in numbers else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        yield "  ".join(cells).rstrip()


def _number(share: float) -> str:
    return "0" if share == 0 else f"{share:.1e}"
