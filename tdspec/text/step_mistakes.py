"""What is wrong where the grammar of steps does not fit."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tdspec.text.cursor import Cursor
from tdspec.text.expression_mistakes import strange_character
from tdspec.text.lookalike import TIMES, Lookalike, name_of, separator_like, separator_of
from tdspec.text.mistake import Mistake
from tdspec.text.respell import write
from tdspec.text.suggest import shorten, to_copy

if TYPE_CHECKING:
    from tdspec.report.fix import Fix

WORD = re.compile(r"[\w.]+")
SEPARATOR = re.compile(r"[-–]")
NEXT_NAME = re.compile(r"\s*([A-Za-z_]\w{0,30})")
KERNEL_FIRST = re.compile(r"([0-9]{1,9}(?:x[0-9]{1,9}){1,3})\s*([A-Za-z_]\w*)")
COUNT_FIRST = re.compile(r"([0-9]+)\s*\*?\s*([A-Za-z_]\w*)")
KERNEL = re.compile(r"[0-9]{1,9}(?:x[0-9]{1,9}){1,3}(?!\w)")
NUMBER = re.compile(r"[0-9.]+(?!\w)")
NAMED = re.compile(r"([A-Za-z_]\w*)\s*=\s*([\w.]*)")
COUNT = re.compile(r"\s*((?:-(?=[0-9]))?[^-–(),\s]{0,20})")
ONE_MORE = re.compile(r"\]\s*[-–,]?\s*\[")
BLOCK = (
    "name the inner pipeline as a block, `blocks: {Inner: {pipeline: [...]}}`, "
    "and use it as a step, `Inner` or `Inner*4`"
)


def expected_step(cursor: Cursor) -> Mistake:
    """No name comes next: at the beginning, or behind a separator."""
    begin = cursor.at
    at = cursor.skip_blanks()
    char = cursor.peek()
    text, span = cursor.text, cursor.span(at, at + 1)
    before = text[:begin].rstrip()
    first = before.strip() in ("", "[")
    if char == "":
        span = cursor.span(len(before) - 1, len(before))
        return Mistake("TD010", "a step was expected behind this separator", span, "delete it, or write the step")
    if char in "-–>":
        # The separator before may belong to it: `--`, `->`.
        start = at - 1 if at == begin and before[-1:] in ("-", "–") else at
        like = separator_like(text, start, cursor.end)
        if like is not None and like.length > 1:
            stop = start + like.length
            message = f"{like.named} was found where `–` is meant"
            help = "separate steps by one `–` or one `-`"
            fix = as_separator(cursor, start, like)
            return Mistake("TD011", message, cursor.span(start, stop), help, resume=stop, fix=fix)
        if first:
            message = "a pipeline begins with a step, not with a separator"
            return Mistake("TD010", message, span, f"delete the `{char}`")
        return Mistake("TD010", "a step is missing between two separators", span, "delete one of them")
    kernel = KERNEL_FIRST.match(text, at, cursor.end)
    if kernel is not None:
        span, fixed = cursor.span(at, kernel.end(1)), f"{kernel[2]}{kernel[1]}"
        return Mistake("TD010", "the kernel stands before the name", span, to_copy("write `{}`", fixed))
    count = COUNT_FIRST.match(text, at, cursor.end)
    if count is not None:
        span, fixed = cursor.span(at, count.end(1)), f"{count[2]}*{count[1]}"
        return Mistake("TD010", "a number stands before the name", span, to_copy("write `{}`", fixed))
    if char in "()[]{}":
        return bracket(cursor, at)
    if char == "*":
        help = "write the repeat behind a step, `Block*4`; a YAML alias cannot stand for a step"
        return Mistake("TD010", "there is no step before this `*`", span, help)
    like = separator_like(text, at, cursor.end)
    if like is not None:
        return Mistake("TD010", f"{like.named} stands where a step was expected", span, "delete it")
    return foreign(cursor, at, "a step was expected")


def expected_separator(cursor: Cursor, start: int) -> Mistake:
    """Behind the step that begins at `start` comes neither a separator nor the end."""
    last = cursor.at
    at = cursor.skip_blanks()
    char = cursor.peek()
    text, end, span = cursor.text, cursor.end, cursor.span(at, at + 1)
    step = text[start:last]
    if char == "*" or char in TIMES:
        return repeat(cursor, at, step)
    like = separator_like(text, at, end)
    if like is not None:
        behind = at + like.length
        following = NEXT_NAME.match(text, behind, end)
        if following is None and not text[behind:end].strip():
            help = f"delete the `{text[at:behind]}`"
        else:
            help = to_copy("write `{}–{}`", step, following[1]) if following is not None else "write `–`"
        message = f"{like.named} was found where `–` is meant"
        fix = as_separator(cursor, at, like) if following is not None else None
        return Mistake("TD011", message, cursor.span(at, behind), help, resume=behind, fix=fix)
    if char == "(":
        help = "a step has one pair of parentheses, right behind its name"
        return Mistake("TD010", f"`{shorten(step)}` already has its arguments", span, help)
    if char in ")[]{}":
        return bracket(cursor, at)
    named = NAMED.match(text, at, end)
    if named is not None:
        help = to_copy("write `{}({}={})`", step, named[1], named[2])
        return Mistake("TD010", "arguments stand in parentheses", cursor.span(at, named.end()), help)
    kernel, number = KERNEL.match(text, at, end), NUMBER.match(text, at, end)
    if kernel is not None:
        span, help = cursor.span(at, kernel.end()), to_copy("write `{}{}`", step, kernel[0])
        return Mistake("TD010", "the kernel belongs right behind the name", span, help)
    if number is not None:
        help = to_copy("write `{}({})`", step, number[0])
        return Mistake("TD010", "arguments stand in parentheses", cursor.span(at, number.end()), help)
    following = NEXT_NAME.match(text, at, end)
    if following is not None:
        help = to_copy("write `{}–{}`", step, following[1])
        message = f"a separator is missing before `{following[1]}`"
        return Mistake("TD010", message, cursor.span(at, following.end()), help, resume=at)
    return foreign(cursor, at, "a separator or the end of the pipeline was expected")


def as_separator(cursor: Cursor, at: int, like: Lookalike) -> Fix | None:
    """The separator of the pipeline, in the place of what can be nothing else."""
    span = cursor.span(at, at + like.length)
    return write(span, separator_of(cursor.text[:at] + cursor.text[at + like.length :])) if like.sure else None


def repeat(cursor: Cursor, at: int, step: str) -> Mistake:
    """A `*`, or what looks like it, without a whole number behind it."""
    char = cursor.text[at]
    count = COUNT.match(cursor.text, at + 1, cursor.end)
    found = count[1] if count is not None else ""
    if char != "*":
        kernel = step[-1].isdigit() and cursor.text[at + 1 : at + 2].isdigit()
        meant, times = ("x", found) if kernel else ("*", found or "4")
        message = f"`{char}`, {name_of(char)}, was found where `{meant}` is meant"
        span = cursor.span(at, at + 1)
        return Mistake("TD011", message, span, to_copy("write `{}{}{}`", step, meant, times), fix=write(span, meant))
    stop = count.end() if count is not None and found else at + 1
    if cursor.text[stop : stop + 1] == "(":
        help = "write the arguments first, `Block(64)*4`"
        return Mistake("TD015", "the arguments stand behind the repeat", cursor.span(at, stop), help)
    message = "a whole number was expected behind `*`" + (f", found `{found}`" if found else "")
    help = to_copy("write `{}*4`", step)
    return Mistake("TD015", message, cursor.span(at, stop), help, resume=_next_step(cursor, stop))


def bracket(cursor: Cursor, at: int) -> Mistake:
    """A bracket where none may stand."""
    text, char, span = cursor.text, cursor.text[at], cursor.span(at, at + 1)
    more = ONE_MORE.match(text, at, cursor.end)
    if more is not None:
        message = "the brackets close, and the pipeline goes on"
        help = "a pipeline has one pair of brackets, `[A–B]`"
        return Mistake("TD012", message, cursor.span(at, more.end()), help, resume=more.end())
    if char in ")]}":
        opener = {")": "(", "]": "[", "}": "{"}[char]
        return Mistake("TD012", f"`{char}` closes nothing: there is no `{opener}` before it", span, "delete it")
    if char == "(":
        return Mistake("TD010", "a name was expected before these parentheses", span, BLOCK)
    close = text.rfind("]" if char == "[" else "}", at, cursor.end)
    resume = _next_step(cursor, close) if close != -1 else None
    if text[:at].rstrip()[-1:] in ("", "[", "–", "-", ","):
        return Mistake("TD014", f"there is a `{char}` inside the pipeline", span, BLOCK, resume=resume)
    help = "arguments stand in parentheses, `Conv(64)`"
    return Mistake("TD014", f"there is a `{char}` behind the step", span, help, resume=resume)


def foreign(cursor: Cursor, at: int, wanted: str) -> Mistake:
    """A character that is no part of the notation."""
    char = cursor.text[at]
    strange = strange_character(cursor, at, "TD010")
    if strange is not None:
        return strange
    span = cursor.span(at, at + 1)
    if char == "#":
        help = "comments stand outside of the brackets"
    elif char == ":":
        help = "arguments are written `Name(name=value)`"
    else:
        help = "a pipeline is written `[GN–Act–Conv(64)]`"
    word = WORD.match(cursor.text, at, cursor.end)
    found = shorten(word[0]) if word is not None else char
    return Mistake("TD010", f"{wanted}, found `{found}`", span, help)


def _next_step(cursor: Cursor, at: int) -> int:
    """Offset behind the next separator, or the end."""
    separator = SEPARATOR.search(cursor.text, at, cursor.end)
    return separator.end() if separator is not None else cursor.end
