"""Findings for programs: one JSON array, an object for each finding.

code, name          `TD104`, `batch-norm-in-ode`
severity            `error`, `warning` or `note`
message             one sentence
path                the file, as it was given; `<stdin>` for standard input
line, column        first character, 1-based, columns in characters; 1, 1 for a file as a whole
end_line, end_column  the position right behind the last character
caption             a few words about the marked text, or empty
help                what to write instead, or empty
notes               list of further facts
labels              list of further places: `path`, the four numbers, `text`
fix                 null, or a change that makes the finding go away and nothing worse: `applicability`
                    (`safe` or `unsafe`), `title`, and `edits`: `path`, the four numbers, and the `text`
                    that takes the place of what stands there
where               dotted path of the place in the spec, `model.ode.field`; two where a block is used
                    by an ODE, apart by a space; what an allowance is matched against

Keys are added, never renamed. Findings that an allowance silences are left out.
"""

from __future__ import annotations

import json
from typing import Any

from tdspec.report.finding import Finding, Report


def render_json(report: Report, *, color: bool = False) -> str:
    """The array as text in ASCII, so that no terminal or pipe can break it; `color` has no effect."""
    return json.dumps([as_object(finding) for finding in report.findings], indent=2)


def as_object(finding: Finding) -> dict[str, Any]:
    """One finding as plain data."""
    return {
        "code": finding.code,
        "name": finding.name,
        "severity": finding.severity.value,
        "message": finding.message,
        "path": finding.path,
        **finding.region._asdict(),
        "caption": finding.caption,
        "help": finding.help,
        "notes": list(finding.notes),
        "labels": [{"path": label.path, **label.region._asdict(), "text": label.text} for label in finding.labels],
        "fix": _fix(finding),
        "where": finding.where,
        "uses": list(finding.uses),
    }


def _fix(finding: Finding) -> dict[str, Any] | None:
    if not finding.offered or finding.fix is None:
        return None
    edits = [{"path": edit.path, **edit.region._asdict(), "text": edit.content} for edit in finding.fix.edits]
    return {"applicability": finding.applicability, "title": finding.fix.title, "edits": edits}
