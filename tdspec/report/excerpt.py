"""Source lines with marks under them.

    21 |     field: [GN–Act–ConcatConv–BN]
       |                    ---------- t enters here
       |                               ^^ each channel's mean is removed

Each mark has a row of its own, so that no two texts collide. Of a place that spans several lines
the first and the last are shown; of a long line, the part around the marks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from tdspec.report.colour import Paint
from tdspec.report.display import laid_out, shown

if TYPE_CHECKING:
    from tdspec.text.source import Source, Span

LONGEST = 120  # characters of a line that are shown


class Mark(NamedTuple):
    """What is marked in one line: characters `start` to `end`, with a text behind the marks.

    style  `error`, `warning` or `note`, which are carets, or `label`, which is dashes
    """

    line: int
    start: int
    end: int
    text: str
    style: str


def marks_of(span: Span, text: str, style: str) -> Iterator[Mark]:
    """One mark for each line that shows a span: one line, or the first and the last of several."""
    source, start, end = span.source, span.start, _visible_end(span)
    first, last = source.position(start), source.position(end)
    if first.line == last.line:
        yield Mark(first.line, first.column - 1, last.column - 1, text, style)
        return
    yield Mark(first.line, first.column - 1, _length(source, first.line), "from here", style)
    line_start = source.line_starts[last.line - 1]
    while source.text[line_start].isspace():
        line_start += 1
    yield Mark(last.line, source.position(line_start).column - 1, last.column - 1, text or "to here", style)


def _visible_end(span: Span) -> int:
    """The span's end without the space behind it: YAML's mappings end where the next key begins."""
    text, end = span.source.text, span.end
    while end > span.start and text[end - 1].isspace():
        end -= 1
    if end > span.start:
        return end
    # Nothing but space is marked: it counts, up to the end of its line.
    line_break = text.find("\n", span.start, span.end)
    return span.end if line_break == -1 else line_break


def _length(source: Source, line: int) -> int:
    starts = source.line_starts
    end = starts[line] - 1 if line < len(starts) else len(source.text)
    return end - starts[line - 1]


def render_excerpt(source: Source, marks: Iterable[Mark], gutter: int, paint: Paint) -> Iterator[str]:
    """The lines of one source that hold marks, each with its marks, and what joins them."""
    bar = paint("frame", f"{' ' * gutter} |")
    previous = 0
    for number, group in groupby(sorted(marks), key=lambda mark: mark.line):
        if previous and number - previous == 2:
            yield from _line(source, number - 1, [], gutter, paint)
        elif previous and number - previous > 2:
            yield paint("frame", "...")
        yield from _line(source, number, list(group), gutter, paint)
        previous = number
    yield bar


def _line(source: Source, number: int, marks: Sequence[Mark], gutter: int, paint: Paint) -> Iterator[str]:
    bar = paint("frame", f"{' ' * gutter} |")
    number_bar = paint("frame", f"{number:>{gutter}} |")
    start, length = source.line_starts[number - 1], _length(source, number)
    for low, high, within in _windows(marks, length):
        text = source.text[start + low : start + high].rstrip("\r" if high == length else "")
        line, columns = laid_out(text)
        before, behind = "…" if low else "", "…" if high < length else ""
        yield f"{number_bar} {before}{line}{behind}".rstrip()
        for mark in within:
            left = columns[min(max(mark.start - low, 0), len(text))]
            right = columns[min(max(mark.end - low, 0), len(text))]
            signs = ("-" if mark.style == "label" else "^") * max(1, right - left)
            tail = f" {shown(mark.text)}" if mark.text else ""
            yield f"{bar} {' ' * (len(before) + left)}{paint(mark.style, signs + tail)}"


def _windows(marks: Sequence[Mark], length: int) -> Iterator[tuple[int, int, list[Mark]]]:
    """The parts of a line to show, with the marks in each; the whole line where it is short enough."""
    if length <= LONGEST or not marks:
        yield 0, min(length, LONGEST), list(marks)
        return
    rest = list(marks)
    while rest:
        start = rest[0].start
        within = [mark for mark in rest if mark.end - start <= LONGEST] or rest[:1]
        rest = [mark for mark in rest if mark not in within]
        spare = LONGEST - (max(mark.end for mark in within) - start)
        lead = spare // 2 if spare >= 0 else LONGEST // 8
        low = min(max(0, start - lead), length - LONGEST)
        yield low, low + LONGEST, within
