"""The grammar of a pipeline: steps with arguments and repeats between separators.

    pipeline   "[" [step {("–" | "-") step}] "]"
    step       name [kernel] ["(" [argument {"," argument}] ")"] ["*" number]
    kernel     number "x" number {"x" number}, without a blank before it
    argument   [name "="] expression

One regular expression for the head of a step and one for its tail make this linear and quick. What
they do not match is looked at in `step_mistakes.py`; reading then goes on at the next separator,
so that several mistakes of one pipeline are reported together.
"""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING

from tdspec.report.finding import Label
from tdspec.report.fix import Fix
from tdspec.text.cursor import Cursor
from tdspec.text.expression import close, parse_expression
from tdspec.text.mistake import Mistake
from tdspec.text.step_mistakes import expected_separator, expected_step
from tdspec.text.suggest import shorten
from tdspec.text.syntax import Argument, Step

if TYPE_CHECKING:
    from tdspec.text.source import Span

MOST_REPEATS = 1000
MOST_STEPS = 100_000
MOST_ARGUMENTS = 64
MOST_MISTAKES = 100
MOST_LABELS = 8
LONGEST_NAME = 100
LARGEST_EXTENT = 9999

HEAD = re.compile(r"\s*([A-Za-z_][A-Za-z0-9_]*)(?!\w)\s*(\((?:\s*\))?)?")
TAIL = re.compile(r"\s*(?:\*\s*([0-9]+)(?![\w.])\s*)?([–-]|\Z)")
KERNEL = re.compile(r"(?<=[A-Za-z_])[0-9]+(?:x[0-9]+)+\Z")
LANDMARK = re.compile(r"[()–-]")
ARGUMENT = re.compile(r"\s*(?:([A-Za-z_][A-Za-z0-9_]*)\s*=(?!=))?")


class StepReader:
    """Reads the steps between two brackets; `mistakes` has what does not fit."""

    def __init__(self, cursor: Cursor) -> None:
        self.cursor = cursor
        self.steps: list[Step] = []
        self.mistakes: list[Mistake] = []
        self.total = 0

    def read(self) -> None:
        cursor = self.cursor
        cursor.skip_blanks()
        if cursor.at == cursor.end:
            return
        more, met = True, 0
        while more and met < MOST_MISTAKES:
            begin = cursor.at
            try:
                more = self.step()
            except Mistake as mistake:
                met += 1
                self.note(mistake)
                more = self.resume(begin, mistake)

    def step(self) -> bool:
        """Read one step and the separator behind it; whether another step has to follow."""
        cursor = self.cursor
        text, end = cursor.text, cursor.end
        head = HEAD.match(text, cursor.at, end)
        if head is None:
            raise expected_step(cursor)
        start, stop = head.span(1)
        name, kernel, name_span = head[1], None, cursor.span(start, stop)
        if stop - start > LONGEST_NAME:
            raise Mistake("TD010", f"a name has at most {LONGEST_NAME} characters", name_span)
        if name[-1].isdigit() and (suffix := KERNEL.search(name)) is not None:
            kernel = _kernel(suffix[0], cursor.span(start + suffix.start(), stop))
            name = name[: suffix.start()]
        cursor.at = head.end() if head[2] else stop
        arguments = self.arguments(head.end() - 1) if head[2] == "(" else ()
        last = cursor.at
        tail = TAIL.match(text, last, end)
        if tail is None:
            raise expected_separator(cursor, start)
        repeat = 1
        if tail[1] is not None:
            last = tail.end(1)
            repeat = self.repeat(tail[1], cursor.span(tail.start(1), last))
        self.total += repeat
        if self.total > MOST_STEPS:
            message = f"a pipeline has at most {MOST_STEPS:,} steps, repeats included"
            raise Mistake("TD015", message, cursor.span(start, last), "use a smaller repeat", resume=end)
        self.steps.append(Step(name, kernel, arguments, repeat, cursor.span(start, last), name_span))
        cursor.at = tail.end()
        return tail.start(2) < tail.end(2)

    def arguments(self, opened: int) -> tuple[Argument, ...]:
        """What stands between parentheses, the first of which is at `opened`; goes behind the last."""
        cursor = self.cursor
        found: list[Argument] = []
        while True:
            match = ARGUMENT.match(cursor.text, cursor.at, cursor.end)
            assert match is not None
            name, cursor.at, cursor.work = match[1], match.end(), 0
            value = parse_expression(cursor)
            span = value.span if name is None else cursor.span(match.start(1), match.end()).to(value.span)
            if name is None and found and found[-1].name is not None:
                help = f"give it a name, or put it before `{shorten(found[-1].span.text)}`"
                raise Mistake("TD010", "a positional argument stands behind a named one", span, help)
            found.append(Argument(name, value, span))
            if cursor.peek() != ",":
                close(cursor, opened)
                return tuple(found)
            cursor.at += 1
            if len(found) == MOST_ARGUMENTS:
                raise Mistake("TD010", f"a step has at most {MOST_ARGUMENTS} arguments", span)

    def repeat(self, digits: str, span: Span) -> int:
        count = int(digits) if len(digits) < 10 else MOST_REPEATS + 1
        if not 1 <= count <= MOST_REPEATS:
            message = f"a step is repeated 1 to {MOST_REPEATS} times, found {shorten(digits)}"
            raise Mistake("TD015", message, span, "leave the step out" if count == 0 else "use a smaller repeat")
        return count

    def note(self, mistake: Mistake) -> None:
        """Keep a mistake; the same look-alike in several places is one mistake with several places."""
        for earlier in self.mistakes:
            if mistake.code == "TD011" and earlier.message == mistake.message:
                if len(earlier.labels) < MOST_LABELS:
                    earlier.labels += (Label(mistake.span, "here too"),)
                if earlier.fix is not None and mistake.fix is not None:
                    earlier.fix = Fix(earlier.fix.title, earlier.fix.edits + mistake.fix.edits)
                return
        self.mistakes.append(mistake)

    def resume(self, begin: int, mistake: Mistake) -> bool:
        """Go to where the next step may begin; whether there is such a place."""
        cursor = self.cursor
        if mistake.resume is not None:
            cursor.at = mistake.resume
            return cursor.at < cursor.end
        depth = 0
        for match in islice(LANDMARK.finditer(cursor.text, begin, cursor.end), MOST_STEPS):
            if match[0] == "(":
                depth += 1
            elif match[0] == ")":
                depth = max(depth - 1, 0)
            elif depth == 0:
                cursor.at = match.end()
                return True
        return False


def _kernel(suffix: str, span: Span) -> tuple[int, ...]:
    extents = tuple(map(int, suffix.split("x")))
    if len(extents) > 3 or max(extents) > LARGEST_EXTENT:
        message = f"a kernel has two or three extents of at most {LARGEST_EXTENT:,}, found `{suffix}`"
        raise Mistake("TD010", message, span, "write `Conv3x3` for maps, `Conv3x3x3` for volumes")
    return extents
