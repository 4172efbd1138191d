"""The format for people: each finding at its place, with the cure.

Errors and warnings are shown in full. Notes take one line for each code and file, so that a clean
spec reads clean. The last line says how it stands.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from tdspec.report.colour import Paint, painter
from tdspec.report.display import shown
from tdspec.report.excerpt import marks_of, render_excerpt
from tdspec.report.finding import Finding, Report, Severity

LONGEST_MESSAGE = 1_000  # characters; a message can quote what the user wrote


def render_full(report: Report, *, color: bool) -> str:
    """All findings of a report as text for a terminal; `color` adds ANSI sequences."""
    paint = painter(color)
    lines: list[str] = []
    for finding in report.findings:
        if finding.severity is not Severity.NOTE:
            lines += [*_finding(finding, paint), ""]
    lines += _notes(report, paint)
    lines.append(summary(report))
    return "\n".join(lines)


def _finding(finding: Finding, paint: Paint) -> Iterator[str]:
    level = finding.severity.value
    yield f"{paint(level, f'{level}[{finding.code}]')}: {paint('strong', _text(finding.message))}"
    yield from _places(finding, paint)
    if finding.help:
        yield f"{paint('help', 'help')}: {_text(finding.help, indent=6)}"
    if finding.offered and finding.fix is not None:
        flag = "--fix" if finding.applicability == "safe" else "--fix --unsafe-fixes"
        yield f"{paint('help', 'fix')}: {_text(finding.fix.title, indent=5)} ({flag})"
    for note in finding.notes:
        yield f"{paint('note', 'note')}: {_text(note, indent=6)}"
    yield f"{paint('frame', 'more')}: tdspec explain {finding.code}"


def _places(finding: Finding, paint: Paint) -> Iterator[str]:
    """The finding's place and its labels; those in another file follow under that file's name."""
    span = finding.span
    if span is None:
        yield f"  {paint('frame', '-->')} {shown(finding.path)}"
        return
    places = [(span, finding.caption, finding.severity.value)]
    places += [(label.span, label.text, "label") for label in finding.labels]
    sources = list({id(place.source): place.source for place, _, _ in places}.values())
    marks = [(place.source, mark) for place, text, style in places for mark in marks_of(place, text, style)]
    gutter = max(len(str(mark.line)) for _, mark in marks)
    for source in sources:
        group = [mark for owner, mark in marks if owner is source]
        arrow = "-->" if source is span.source else ":::"
        line, column = span.first if source is span.source else (group[0].line, group[0].start + 1)
        yield f"{' ' * gutter}{paint('frame', arrow)} {shown(source.name)}:{line}:{column}"
        yield paint("frame", f"{' ' * gutter} |")
        yield from render_excerpt(source, group, gutter, paint)


def _notes(report: Report, paint: Paint) -> Iterator[str]:
    def kind(finding: Finding) -> tuple[str, str]:
        return finding.path, finding.code

    notes = [finding for finding in report.findings if finding.severity is Severity.NOTE]
    for (path, code), group in groupby(sorted(notes, key=kind), key=kind):
        first, *others = group
        more = f" (and {len(others)} more)" if others else ""
        place = f"{shown(path)}:{first.region.line}:{first.region.column}"
        yield f"{paint('note', f'note[{code}]')}: {place}: {_text(first.message)}{more}"


def summary(report: Report) -> str:
    """How it stands, in one line: `2 errors, 1 warning in node.yaml; 3 notes (...)`."""
    errors, warnings, notes = (report.count(severity) for severity in Severity)
    files = report.files or sorted({finding.path for finding in report.findings})
    parts = [_counted(count, word) for count, word in ((errors, "error"), (warnings, "warning")) if count]
    if parts:
        bad = {finding.path for finding in report.findings if finding.severity is not Severity.NOTE}
        where = shown(files[0]) if len(files) == 1 else f"{len(bad)} of {len(files)} files"
        text = f"{', '.join(parts)} in {where}"
    else:
        text = f"{shown(files[0]) if len(files) == 1 else _counted(len(files), 'file')}: ok"
    if notes:
        text += f"; {_counted(notes, 'note')} (--format concise shows each)"
    if report.allowed:
        text += f"; {_counted(len(report.allowed), 'finding')} allowed"
    return text


def _counted(count: int, word: str) -> str:
    return f"{count} {word}{'s' * (count != 1)}"


def _text(text: str, indent: int = 0) -> str:
    if len(text) > LONGEST_MESSAGE:
        text = text[:LONGEST_MESSAGE] + "…"
    return shown(text).replace("\n", "\n" + " " * indent)
