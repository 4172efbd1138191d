"""Source text and places in it.

Everything a user reads in a message points back here: a `Span` is a half-open range of
character offsets into one `Source`. Lines and columns are derived on demand (1-based, columns
counted in characters), so that carrying a span through every stage costs three words.
"""

from __future__ import annotations

from bisect import bisect_right
from functools import cached_property
from typing import NamedTuple


class Position(NamedTuple):
    """A 1-based line and a 1-based column, in characters."""

    line: int
    column: int


class Source:
    """One text: what messages call it, and its content.

    `name` is the path as the user gave it, `<stdin>`, `<string>` or `<dict>`. `written` is the file's own
    text, where that differs: it begins with a byte order mark, or its lines end in CR. Apart from the mark
    it is the same character by character, so that offsets are the same.
    """

    def __init__(self, name: str, text: str, written: str | None = None) -> None:
        self.name = name
        self.text = text
        self.written = text if written is None else written

    @cached_property
    def line_starts(self) -> list[int]:
        starts = [0]
        find = self.text.find
        at = find("\n")
        while at != -1:
            starts.append(at + 1)
            at = find("\n", at + 1)
        return starts

    def position(self, offset: int) -> Position:
        """Line and column of a character offset."""
        line = bisect_right(self.line_starts, offset)
        return Position(line, offset - self.line_starts[line - 1] + 1)

    def line(self, number: int) -> str:
        """The text of a 1-based line, without its line break."""
        start = self.line_starts[number - 1]
        end = self.text.find("\n", start)
        return self.text[start : end if end != -1 else len(self.text)].rstrip("\r")

    @property
    def line_break(self) -> str:
        """How lines end in the file."""
        return next((mark for mark in ("\r\n", "\n", "\r") if mark in self.written), "\n")

    def whole(self) -> Span:
        """The span of the whole text."""
        return Span(self, 0, len(self.text))

    def __repr__(self) -> str:
        return f"Source({self.name!r}, {len(self.text)} characters)"


class Span:
    """A half-open range of character offsets in a source."""

    __slots__ = ("end", "source", "start")

    def __init__(self, source: Source, start: int, end: int) -> None:
        self.source = source
        self.start = start
        self.end = end

    @property
    def text(self) -> str:
        return self.source.text[self.start : self.end]

    @property
    def first(self) -> Position:
        return self.source.position(self.start)

    @property
    def last(self) -> Position:
        """The position right behind the last character."""
        return self.source.position(self.end)

    def to(self, other: Span) -> Span:
        """From the start of this span to the end of another in the same source."""
        return Span(self.source, self.start, other.end)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Span)
            and self.source is other.source
            and (self.start, self.end) == (other.start, other.end)
        )

    def __hash__(self) -> int:
        return hash((id(self.source), self.start, self.end))

    def __repr__(self) -> str:
        return f"{self.source.name}:{self.first.line}:{self.first.column}"
