"""What can be wrong with the keys of a YAML mapping."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tdspec.report.codes import finding
from tdspec.report.finding import Label
from tdspec.report.fix import Edit, Fix
from tdspec.text.respell import blank_behind
from tdspec.text.source import Span
from tdspec.text.suggest import shorten, to_copy
from tdspec.text.yaml_node import Entry, Node, Scalar, Sequence
from tdspec.text.yaml_scalar import Value

if TYPE_CHECKING:
    from tdspec.report.finding import Finding


def unfit_key(node: Node) -> Finding | None:
    """Why a node cannot be a key, or None."""
    if not isinstance(node, Scalar) or not isinstance(node.value, str):
        kind = "a list" if isinstance(node, Sequence) else "an alias" if isinstance(node, Scalar) else "a mapping"
        return finding("TD002", f"a key is a word, found {kind}", node.span, help="write the key out")
    if node.style != "plain":
        return None
    if node.value == "":
        return finding("TD002", "there is no key before this colon", node.span, help="write `key: value`")
    if node.value == "<<":
        return finding(
            "TD002",
            "the merge key `<<` is not understood: it is no part of YAML 1.2",
            node.span,
            help="share values between specs by `extends:`, and between ops by `defaults:`",
        )
    return None


def checked_entries(entries: list[Entry], flow: bool) -> tuple[list[Entry], list[Finding]]:
    """The entries of a mapping, each key once, and what was found about them.

    flow  whether it is written in braces, where YAML has two traps of its own
    """
    found: list[Finding] = []
    if flow:
        entries = rejoined(entries, found)
        found.extend(_joined(entry.key) for entry in entries if _is_bare(entry) and ":" in str(entry.key.value))
    first: dict[Value, Entry] = {}
    for entry in entries:
        known = first.setdefault(entry.key.value, entry)
        if known is not entry:
            found.append(_repeated(entry.key, known.key))
    return list(first.values()), found


def rejoined(entries: list[Entry], found: list[Finding]) -> list[Entry]:
    """Entries in braces, with a value that YAML split at its commas made whole again.

    `{groups: min(C/4, 32)}` is, for YAML, two keys: `groups`, and `32)` without a value.
    """
    whole: list[Entry] = []
    at = 0
    while at < len(entries):
        key, value = entries[at]
        pieces = _pieces_behind(entries, at)
        if pieces:
            span = value.span.to(entries[at + pieces].key.span)
            value = Scalar(span, span.text, "plain")
            found.append(
                finding(
                    "TD016",
                    "a comma in braces ends the value, so this expression is cut in pieces",
                    span,
                    help=to_copy('put quotes around it: `{}: "{}"`', str(key.value), span.text),
                    fix=_in_quotes(span),
                )
            )
        whole.append(Entry(key, value))
        at += 1 + pieces
    return whole


def _pieces_behind(entries: list[Entry], at: int) -> int:
    """How many of the entries that follow belong to a value whose parentheses are still open."""
    value = entries[at].value
    depth = _open_parentheses(value) if isinstance(value, Scalar) else 0
    for behind in range(at + 1, len(entries)):
        if depth <= 0 or not _is_bare(entries[behind]):
            return 0
        depth += _open_parentheses(entries[behind].key)
        if depth <= 0:
            return behind - at
    return 0


def _open_parentheses(word: Scalar) -> int:
    text = word.span.text if word.style == "plain" else ""
    return text.count("(") - text.count(")")


def _in_quotes(span: Span) -> Fix | None:
    if any(sign in span.text for sign in '"\\\n'):
        return None
    start, end = (Span(span.source, at, at) for at in (span.start, span.end))
    return Fix("put quotes around it", (Edit(start, '"'), Edit(end, '"')))


def _is_bare(entry: Entry) -> bool:
    """A word that stands alone in braces, without a colon and a value."""
    return entry.key.style == "plain" and entry.value.span.start == entry.value.span.end


def _joined(key: Scalar) -> Finding:
    word, _, rest = str(key.value).partition(":")
    at = key.span.start + len(word)
    return finding(
        "TD002",
        f"YAML reads `{shorten(str(key.value))}` as one word: a blank is missing behind the colon",
        key.span,
        help=to_copy("write `{}: {}`", word, rest),
        fix=blank_behind(Span(key.span.source, at, at + 1)) if key.style == "plain" else None,
    )


def _repeated(key: Scalar, first: Scalar) -> Finding:
    return finding(
        "TD003",
        f"the key `{shorten(str(key.value))}` is given twice",
        key.span,
        caption="and here again",
        labels=(Label(first.span, "first given here"),),
        help="keep one of the two",
    )
