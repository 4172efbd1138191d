"""Why a text is not YAML, where brackets are concerned: most often in an unquoted pipeline."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tdspec.report.finding import Label
from tdspec.text.yaml_fault import Fault

if TYPE_CHECKING:
    from tdspec.report.finding import Finding

COMMENT = re.compile(r"[ \t]#[^\n]*")
CLOSERS = {"[": "]", "{": "}"}
NEAR = 1000
"""Characters before a fault in which its bracket is looked for."""


def in_brackets(fault: Fault) -> Finding | None:
    """Inside `[...]` or `{...}`: no comma, no end, or a bracket too many."""
    text, at, began = fault.source.text, fault.at, fault.began
    if "flow sequence" not in fault.what and "flow mapping" not in fault.what:
        return None
    opener = text[began]
    opened = (Label(fault.span(began), f"`{opener}` opens here"),)
    closer = CLOSERS.get(opener, "]")
    # A comment is the culprit if it swallows the bracket, or the comma right before the fault.
    comment = list(COMMENT.finditer(text, began, at))[-1:]
    if comment and ("]" in comment[0][0] or not text[comment[0].end() : at].strip()):
        return fault.say(
            "`#` behind a blank begins a comment, so the rest of this line is not read",
            fault.span(comment[0].start() + 1, len(comment[0][0].rstrip()) - 1),
            labels=opened,
            help="put the comment behind the closing bracket",
        )
    if fault.char in ("[", "{") and opener == "[":
        return _nested(fault, at)
    if fault.char in ("]", "}"):
        message = f"`{fault.char}` closes nothing: the `{opener}` before it expects `{closer}`"
        return fault.say(message, labels=opened, help=f"write `{closer}`")
    new_line = "\n" in text[began:at]
    if at >= len(text) or fault.char == ":" or (new_line and re.match(r"[\w.-]+\s*:(?:\s|$)", text[at : at + 80])):
        return fault.say(
            f"the `{opener}` that opens here is never closed",
            fault.span(began),
            help=f"write `{closer}` at the end",
        )
    return fault.say(
        f"`,` or `{closer}` was expected before this",
        labels=opened,
        help="put one pair of quotes around the whole pipeline, or none" if opener == "[" else "",
    )


def _nested(fault: Fault, at: int) -> Finding:
    return fault.say(
        f"there is a `{fault.source.text[at]}` inside the pipeline",
        fault.span(at),
        "TD014",
        help="name the inner pipeline as a block, `blocks: {Inner: {pipeline: [...]}}`, "
        "and use it as a step, `Inner` or `Inner*4`; arguments stand in parentheses",
    )


def repeated_group(fault: Fault) -> Finding | None:
    """`[A–[B]*2–C]`: libyaml stumbles over `*2–`, no name of an alias, before it sees the inner bracket."""
    text, at = fault.source.text, fault.began
    if text[at - 1 : at + 1] != "]*":
        return None
    depth, first = 0, max(at - NEAR, 0)
    for bracket in reversed(list(re.finditer(r"[\[\]]", text[first:at]))):
        depth += 1 if bracket[0] == "]" else -1
        if depth == 0:
            start = first + bracket.start()
            inside = text[:start].rstrip()[-1:] not in ("", ":")
            return _nested(fault, start) if inside else behind_brackets(fault, at)
    return None


def behind_brackets(fault: Fault, at: int) -> Finding:
    """`[A]*4` or `[A]–[B]`: YAML's value ends with the bracket, and something follows."""
    return fault.say(
        "the value ends before this, and a new line was expected",
        fault.line_span(at),
        help="a repeat stands behind a step, `[Block*4]`, and a pipeline has one pair of brackets, `[A–B]`",
    )
