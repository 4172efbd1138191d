"""Why a text is not YAML, in a sentence for people.

PyYAML's two loaders word the same mistake differently, and in the parser's terms. Only what they
agree on is used: what was being read, where that began, the kind of problem and its place. The
rest is seen from the text. The first explanation that fits wins.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tdspec.text.respell import blank_behind
from tdspec.text.suggest import shorten, to_copy
from tdspec.text.tabs import blanks_for_tabs
from tdspec.text.yaml_brackets import CLOSERS, behind_brackets, in_brackets, repeated_group
from tdspec.text.yaml_fault import Fault

if TYPE_CHECKING:
    from tdspec.report.finding import Finding
    from tdspec.text.source import Source

CONFLICT = re.compile(r"^(?:<{7}|>{7}) .*$", re.MULTILINE)
INDENT = re.compile(r"[ \t]*")
TAB_INDENT = re.compile(r"^ *\t", re.MULTILINE)


def explain_syntax(error: Any, source: Source, shift: int = 0) -> Finding:
    """The finding for a `yaml.YAMLError`; `shift` is added to the loader's offsets."""
    began, at = (getattr(error, name, None) for name in ("context_mark", "problem_mark"))
    length = len(source.text)
    place = min(at.index + shift, length) if at is not None else 0
    fault = Fault(
        source,
        getattr(error, "context", None) or "",
        min(began.index + shift, place) if began is not None else place,
        getattr(error, "problem", None) or "",
        place,
    )
    for explain in EXPLANATIONS:
        found = explain(fault)
        if found is not None:
            return found
    return fault.say("YAML cannot be read on from here", help="put quotes around texts with special characters")


def _conflict(fault: Fault) -> Finding | None:
    match = CONFLICT.search(fault.source.text)
    if match is None:
        return None
    return fault.say(
        "here is a merge conflict that is not resolved",
        fault.span(match.start(), len(match[0])),
        help="choose one of the two versions",
    )


def _tab(fault: Fault) -> Finding | None:
    indent = INDENT.match(fault.source.text, fault.line_start)
    assert indent is not None
    tab = fault.line_start + indent[0].find("\t")
    if "\t" not in indent[0]:
        if "tab" not in fault.problem or fault.char != "\t":
            return None
        tab = fault.at
    others = len(TAB_INDENT.findall(fault.source.text)) - 1
    return fault.say(
        "a line is indented by a tab; YAML takes blanks only",
        fault.span(tab),
        "TD006",
        caption="a tab",
        help="use two blanks for each level",
        notes=(f"{others} other line{'s' * (others > 1)} too",) if others > 0 else (),
        fix=blanks_for_tabs(fault.source),
    )


def _quoted(fault: Fault) -> Finding | None:
    if "quoted" not in fault.what:
        return None
    if "end of stream" in fault.problem or "document indicator" in fault.problem:
        quote = fault.source.text[fault.began : fault.began + 1]
        return fault.say(
            f"the quote `{quote}` that opens here is never closed",
            fault.span(fault.began),
            help=f"write `{quote}` at the end of the text",
        )
    start = fault.source.text.rfind("\\", 0, fault.at + 1)
    span = fault.span(max(start, fault.began), 2)
    return fault.say(
        f"`{span.text}` has no meaning between double quotes",
        span,
        help="use single quotes: between them a backslash is a backslash",
    )


def _second_colon(fault: Fault) -> Finding | None:
    if "mapping values are not allowed" not in fault.problem:
        return None
    if re.search(r":\s", fault.before) or fault.before.rstrip().endswith(("]", "}")):
        return fault.say(
            "a second `: ` on one line: YAML would read a key here",
            help="put quotes around a text with `: `; an argument is written `name=value`",
        )
    start = fault.line_start + len(fault.before) - len(fault.before.lstrip())
    return fault.say(
        f"`{shorten(fault.before.strip())}` is indented as if it were part of the value above",
        fault.span(start, max(fault.at - start, 1)),
        help="indent it like the key that it belongs beside",
    )


def _no_colon(fault: Fault) -> Finding | None:
    if "expected ':'" not in fault.problem:
        return None
    span = fault.line_span(fault.began)
    joined = re.match(r"([\w.-]{1,40})([:\uff1a])(\S.*)", span.text)
    return fault.say(
        f"a key and a colon were expected, found `{shorten(span.text)}`",
        span,
        help=to_copy("write `{}: {}`", joined[1], joined[3]) if joined else "write `key: value`",
        fix=blank_behind(fault.span(span.start + joined.start(2))) if joined else None,
    )


def _left_over(fault: Fault) -> Finding | None:
    """Something where the next key, or the end, was expected."""
    if not re.search(r"block mapping|block collection", fault.what) and "document start" not in fault.problem:
        return None
    if fault.char in ("]", "}"):
        return fault.say(f"`{fault.char}` closes nothing", help="delete it, or open the bracket")
    if fault.before.strip(" ") or "document start" in fault.problem:
        if fault.source.text[: fault.at].rstrip()[-1:] == "]" or fault.char == "*":
            return behind_brackets(fault, fault.at)
        return fault.say(
            "the value ends before this, and a new line was expected",
            fault.line_span(fault.at),
            help="put quotes around the whole text, of the other kind than those in it",
        )
    span = fault.line_span(fault.at)
    if fault.source.text.startswith(("- ", "-\n"), fault.at):
        return fault.say("a key was expected, found an item of a list", span, help="write `key: value`")
    if "'-'" in fault.problem or "block collection" in fault.what:
        return fault.say("an item of the list was expected, which begins with `- `", span)
    return fault.say(
        f"this line's indentation, {len(fault.before)}, is that of no line above it",
        span,
        help="give all keys of one mapping the same indentation",
    )


def _special_start(fault: Fault) -> Finding | None:
    """A value that begins with a character YAML has another use for."""
    if re.search("cannot start any token|mapping keys are not allowed", fault.problem) or "block scalar" in fault.what:
        place = fault.began if "block scalar" in fault.what else fault.at
        char = fault.source.text[place : place + 1]
        name = "a backquote" if char == "`" else f"`{char}`"
        return fault.say(
            f"a text may not begin with {name}, which means something else in YAML",
            fault.span(place),
            help="put quotes around the text",
        )
    if "alphabetic or numeric" in fault.problem or "alias" in fault.what or "anchor" in fault.what:
        char = fault.source.text[fault.began : fault.began + 1]
        use = "the name of an anchor" if char == "&" else "an alias"
        return fault.say(
            f"`{char}` at the start of a word begins {use} in YAML",
            fault.span(fault.began),
            help="a repeat stands behind its step, `Block*4`; a text that begins so needs quotes",
        )
    if "tag" in fault.what or "tag" in fault.problem:
        return fault.say(
            "`!` at the start of a word begins a YAML tag, and a spec has none",
            fault.span(fault.began),
            help="leave it out, or put quotes around the text",
        )
    return None


def _nothing(fault: Fault) -> Finding | None:
    """A value was expected, and something else came."""
    if "node content" not in fault.problem:
        return None
    if fault.char in ("]", "}"):
        return fault.say(
            f"a value was expected, and `{fault.char}` closes nothing", help="delete it, or open the bracket"
        )
    if fault.char == ",":
        return fault.say("a value was expected before this comma", help="delete the comma, or write the value")
    if fault.char == "-":
        return fault.say(
            "a pipeline begins with a step, and here stands a separator",
            code="TD010",
            help="delete the separator",
        )
    opened = list(re.finditer(r"[\[{]", fault.source.text[: fault.at]))[-1:]
    if fault.at >= len(fault.source.text) and opened:
        message = f"the `{opened[0][0]}` that opens here is never closed"
        return fault.say(message, fault.span(opened[0].start()), help=f"write `{CLOSERS[opened[0][0]]}` at the end")
    return fault.say("a value was expected here")


def _list_on_line(fault: Fault) -> Finding | None:
    if "sequence entries are not allowed" not in fault.problem:
        return None
    return fault.say(
        "a list with `- ` begins on a line of its own",
        help="put it on the next line, or write `[first, second]`",
    )


def _directive(fault: Fault) -> Finding | None:
    if "directive" not in fault.what + fault.problem and "incompatible" not in fault.problem:
        return None
    return fault.say(
        "a line that begins with `%` is a directive of YAML, and a spec has none",
        fault.line_span(fault.line_start),
        help="delete the line",
    )


EXPLANATIONS: tuple[Callable[[Fault], Finding | None], ...] = (
    _conflict,
    _tab,
    _quoted,
    in_brackets,
    repeated_group,
    _second_colon,
    _no_colon,
    _special_start,
    _directive,
    _left_over,
    _nothing,
    _list_on_line,
)
