"""Fixes: what a finding's text could be changed to, as edits of its source.

A rule proposes; `tdspec.mend` tries the proposal on the text and offers it only where the finding is gone
and nothing else is worse.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from tdspec.report.finding import Region
    from tdspec.text.source import Source, Span

Applicability = Literal["safe", "unsafe"]

# Which codes may come with a fix. A safe one says the same in other letters: spelling, dashes, blanks,
# quotes, what has no effect. One that changes what is trained is unsafe, however good it is.
FIXES: dict[str, Applicability] = {
    "TD002": "safe",
    "TD006": "safe",
    "TD011": "safe",
    "TD016": "safe",
    "TD020": "safe",
    "TD021": "safe",
    "TD022": "safe",
    "TD030": "safe",
    "TD031": "safe",
    "TD032": "safe",
    "TD037": "safe",
    "TD038": "safe",
    "TD040": "safe",
    "TD101": "unsafe",
    "TD102": "unsafe",
    "TD103": "unsafe",
    "TD104": "unsafe",
    "TD105": "unsafe",
    "TD106": "unsafe",
    "TD108": "unsafe",
    "TD109": "unsafe",
    "TD110": "unsafe",
    "TD112": "unsafe",
    "TD114": "unsafe",
    "TD115": "unsafe",
    "TD116": "unsafe",
    "TD201": "unsafe",
}


class Edit(NamedTuple):
    """Text in the place of a span; an empty span is an insertion. Line breaks are written `\\n`."""

    span: Span
    text: str

    @property
    def path(self) -> str:
        """Name of the file it changes."""
        return self.span.source.name

    @property
    def region(self) -> Region:
        from tdspec.report.finding import Region

        return Region.of(self.span)

    @property
    def content(self) -> str:
        """The text with the line breaks of the file that it goes into."""
        return self.text.replace("\n", self.span.source.line_break)


class Fix(NamedTuple):
    """A change that should make its finding go away.

    title  what it does, as a command: "write `Conv`"
    edits  in any order; they do not overlap
    """

    title: str
    edits: tuple[Edit, ...]


def edited(source: Source, edits: Iterable[Edit]) -> str:
    """The file's own text (with its line breaks and its byte order mark) after edits of this source."""
    text = source.written
    shift = len(text) - len(source.text)
    for edit in sorted(edits, key=lambda edit: (edit.span.start, edit.span.end), reverse=True):
        text = text[: shift + edit.span.start] + edit.content + text[shift + edit.span.end :]
    return text
