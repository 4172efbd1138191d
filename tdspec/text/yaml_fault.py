"""A place where a YAML text cannot be read, and the text around it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from tdspec.report.codes import finding
from tdspec.text.source import Source, Span

if TYPE_CHECKING:
    from tdspec.report.finding import Finding

# YAML 1.2's printable characters, without those that YAML 1.1 takes for line breaks (U+0085,
# U+2028, U+2029) and the byte order mark, which has no meaning behind the start of a file.
UNREADABLE = re.compile("[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")


class Fault(NamedTuple):
    """PyYAML's complaint: while reading `what`, which began at `began`, `problem` at offset `at`."""

    source: Source
    what: str
    began: int
    problem: str
    at: int

    @property
    def char(self) -> str:
        return self.source.text[self.at : self.at + 1]

    @property
    def line_start(self) -> int:
        return self.source.text.rfind("\n", 0, self.at) + 1

    @property
    def before(self) -> str:
        """What stands on the line before the place."""
        return self.source.text[self.line_start : self.at]

    def span(self, start: int, length: int = 1) -> Span:
        return Span(self.source, start, min(start + length, len(self.source.text)))

    def line_span(self, start: int) -> Span:
        """From an offset to the end of its line, without trailing blanks."""
        end = self.source.text.find("\n", start)
        line = self.source.text[start : end if end != -1 else None].rstrip()
        return self.span(start, max(len(line), 1))

    def say(self, message: str, span: Span | None = None, code: str = "TD002", **more: Any) -> Finding:
        return finding(code, message, span if span is not None else self.span(self.at), **more)


def unreadable_character(source: Source) -> Finding | None:
    """The first character that may not stand in YAML, as a finding."""
    match = UNREADABLE.search(source.text, 1 if source.text.startswith("\ufeff") else 0)
    if match is None:
        return None
    return finding(
        "TD002",
        f"the character U+{ord(match[0]):04X} may not stand in a spec",
        Span(source, match.start(), match.end()),
        caption="it cannot be seen",
        help="delete it",
    )
