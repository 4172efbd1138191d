"""Fixes that write a word as it was meant."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from tdspec.report.fix import Edit, Fix
from tdspec.text.source import Span
from tdspec.text.suggest import only_meaning

if TYPE_CHECKING:
    from tdspec.text.yaml_node import Scalar


def write(span: Span, text: str) -> Fix:
    """Another text in the place of a span."""
    return Fix(f"write `{text}`", (Edit(span, text),))


def respell(span: Span | None, word: str, known: Iterable[str]) -> Fix | None:
    """The known word that can only be meant, where `word` begins a span; None in doubt."""
    meant = only_meaning(word, known)
    if meant is None or span is None or not span.text.startswith(word):
        return None
    return write(Span(span.source, span.start, span.start + len(word)), meant)


def blank_behind(colon: Span) -> Fix | None:
    """A blank between a key's colon and its value; None before a sign that would then mean something else."""
    follows = colon.source.text[colon.end : colon.end + 1]
    plain = follows.isalnum() or follows in "[{\"'.-"
    return Fix("put a blank behind the colon", (Edit(colon, ": "),)) if plain else None


def inside(node: Scalar) -> Span | None:
    """The text of a scalar without its quotes; None where YAML changes it on loading."""
    span = node.span
    if node.style == "plain":
        return span
    if node.style == "quoted" and span.text[1:-1] == node.value:
        return Span(span.source, span.start + 1, span.end - 1)
    return None
