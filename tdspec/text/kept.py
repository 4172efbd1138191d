"""The text of a pipeline or an expression as it stands in the source, character for character.

Only such a text can be read with true places. A string that YAML changes on loading (escapes,
several lines, comments inside) is refused, with the form that is kept.
"""

from __future__ import annotations

import re

from tdspec.text.cursor import Cursor
from tdspec.text.mistake import Mistake
from tdspec.text.source import Span
from tdspec.text.suggest import to_copy
from tdspec.text.yaml_node import Mapping, Node, Scalar, Sequence

EXPECTED = "a pipeline in brackets was expected"
COMMENT = re.compile(r"(?<=\s)#[^\n]*")


def keep_pipeline(node: Node) -> Cursor:
    """A cursor on what stands between the brackets; raises `Mistake`."""
    span = node.span
    if isinstance(node, Sequence):
        if not node.flow:
            raise Mistake("TD010", f"{EXPECTED}, found a list with `- `", span, _as_pipeline(node))
        return between_brackets(Cursor(_image(node), span.source, span.start))
    if isinstance(node, Mapping):
        found, inner = ("braces", span.text[1:-1]) if node.flow else ("a mapping", "GN–Act")
        raise Mistake("TD010", f"{EXPECTED}, found {found}", span, to_copy("write `[{}]`", inner))
    if node.style != "plain":
        return between_brackets(_keep_scalar(node, "a pipeline"))
    if node.value is None:
        raise Mistake("TD010", f"{EXPECTED}, found nothing", span, "write `[]` for one without steps")
    raise Mistake("TD010", f"{EXPECTED}, found none", span, to_copy("write `[{}]`", span.text))


def keep_expression(node: Node) -> Cursor:
    """A cursor on the text of an expression; raises `Mistake`."""
    if not isinstance(node, Scalar):
        found = "a list" if isinstance(node, Sequence) else "a mapping"
        help = 'write it without brackets, in quotes if it has a comma: `"min(C/4, 32)"`'
        raise Mistake("TD016", f"an expression was expected, found {found}", node.span, help)
    if node.style == "plain":
        return Cursor(node.span.text, node.span.source, node.span.start)
    return _keep_scalar(node, "an expression")


def between_brackets(cursor: Cursor) -> Cursor:
    """Narrow a cursor to what stands between `[` and `]`; raises `Mistake`."""
    text, at = cursor.text, cursor.skip_blanks()
    if cursor.peek() != "[":
        raise Mistake("TD010", f"{EXPECTED}, found none", cursor.span(0, len(text)), to_copy("write `[{}]`", text))
    close, last = text.rfind("]"), len(text.rstrip())
    if close == -1:
        raise Mistake(
            "TD012",
            "the `[` that opens here is never closed",
            cursor.span(at, at + 1),
            "write `]` at the end",
        )
    if close != last - 1:
        help = "a repeat stands behind one step, `[Block*4]`" if "*" in text[close:] else "delete it"
        raise Mistake("TD010", "the pipeline ends before this", cursor.span(close + 1, last), help)
    cursor.at, cursor.end = at + 1, close
    return cursor


def _image(node: Sequence) -> str:
    """The text of a flow sequence with quotes around its items made blanks: same length, same places."""
    span = node.span
    text = span.text
    image: list[str] = []
    done = 0
    for item in node.items:
        begin, end = item.span.start - span.start, item.span.end - span.start
        # The node of an alias lies elsewhere.
        if isinstance(item, Scalar) and item.style == "quoted" and done <= begin and end <= len(text):
            _keep_scalar(item, "a step")
            _refuse_comment(span, done, begin)
            image += (text[done:begin], " ", text[begin + 1 : end - 1], " ")
            done = end
    _refuse_comment(span, done, len(text))
    return "".join((*image, text[done:]))


def _refuse_comment(span: Span, begin: int, end: int) -> None:
    """There is none between two offsets that count from the start of the span."""
    comment = COMMENT.search(span.source.text, span.start + begin, span.start + end)
    if comment is not None:
        place = Span(span.source, comment.start(), comment.end())
        help = "put the comment before the pipeline or behind its `]`"
        raise Mistake("TD013", "a comment stands inside a pipeline", place, help)


def _keep_scalar(node: Scalar, what: str) -> Cursor:
    """The inside of a quoted scalar; raises `Mistake` where YAML changes it on loading."""
    text, source = node.span.text, node.span.source
    if node.style == "quoted" and text[1:-1] == node.value:
        return Cursor(text[1:-1], source, node.span.start + 1)
    if node.style == "block":
        reason = f"{what} stands in a block of text"
    elif "\n" in text:
        reason = f"{what} in quotes goes over several lines"
    elif "\\" in text:
        reason = f"{what} has an escape with a backslash"
    else:
        reason = f"{what} has doubled quotes"
    help = to_copy("write it on one line, without escapes: `{}`", str(node.value)) or "write it on one line"
    raise Mistake("TD013", f"{reason}, so places in it are lost", node.span, help)


def _as_pipeline(node: Sequence) -> str:
    steps = [item.span.text for item in node.items if isinstance(item, Scalar)]
    return to_copy("write `[{}]`", "–".join(steps)) if len(steps) == len(node.items) else ""
