"""Where a reader of the notation stands in its text."""

from __future__ import annotations

import re

from tdspec.text.source import Source, Span

BLANKS = re.compile(r"\s*")


class Cursor:
    """A text with a position `at` and an `end`; its offset 0 is the offset `shift` of the source.

    work  operators, calls and parentheses met in the present expression
    """

    __slots__ = ("at", "end", "shift", "source", "text", "work")

    def __init__(self, text: str, source: Source, shift: int = 0) -> None:
        self.text = text
        self.source = source
        self.shift = shift
        self.at = 0
        self.end = len(text)
        self.work = 0

    def span(self, start: int, end: int) -> Span:
        return Span(self.source, self.shift + start, self.shift + end)

    def skip_blanks(self) -> int:
        """Go to the next character that is no blank; return its offset."""
        match = BLANKS.match(self.text, self.at, self.end)
        assert match is not None
        self.at = match.end()
        return self.at

    def peek(self) -> str:
        """The next character, or nothing at the end."""
        return self.text[self.at] if self.at < self.end else ""
