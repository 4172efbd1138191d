"""Edits of one step of a pipeline, and of what stands around it; all else keeps its letters.

A step that cannot be read at its place (YAML has split it at a comma, with quotes around the pieces)
is not edited.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from tdspec.report.fix import Edit
from tdspec.text.cursor import Cursor
from tdspec.text.lookalike import separator_of
from tdspec.text.source import Source, Span
from tdspec.text.steps import StepReader
from tdspec.text.syntax import Step

AFTER = re.compile(r"[ \t]*[–-][ \t]*")
BEFORE = re.compile(r"[ \t]*[–-][ \t]*\Z")


def step_at(span: Span) -> Step | None:
    """The step that is written at a span."""
    reader = StepReader(Cursor(span.text, span.source, span.start))
    reader.read()
    return reader.steps[0] if len(reader.steps) == 1 and not reader.mistakes else None


def set_argument(step: Step, name: str, text: str, *, first: bool = False) -> Edit:
    """The step with an argument of that value, in the place of what is written or behind it.

    first  whether the argument goes by its position, which is the first
    """
    for argument in step.arguments:
        if argument.name == name or (first and argument.name is None and argument is step.arguments[0]):
            return Edit(argument.value.span, text)
    source = step.span.source
    if not step.arguments:
        end = step.name_span.end
        empty = re.compile(r"\s*\(\s*\)").match(source.text, end, step.span.end)
        new = text if first else f"{name}={text}"
        return Edit(Span(source, end, empty.end() if empty is not None else end), f"({new})")
    if first:
        return Edit(_point(source, step.arguments[0].span.start), f"{text}, ")
    return Edit(_point(source, step.arguments[-1].span.end), f", {name}={text}")


def replace_step(step: Step, name: str, first: str, named: Mapping[str, str]) -> Edit:
    """Another op in the step's place, with a positional argument and named ones; the repeat stays."""
    arguments = ", ".join((first, *(f"{key}={value}" for key, value in named.items())))
    repeat = f"*{step.repeat}" if step.repeat != 1 else ""
    return Edit(step.span, f"{name}({arguments}){repeat}")


def insert_behind(step: Step, text: str) -> Edit:
    """A further step behind this one, set off by the separator that stands around it."""
    span = step.span
    source = span.source
    start = source.text.rfind("\n", 0, span.start) + 1
    around = AFTER.match(source.text, span.end) or BEFORE.search(source.text, start, span.start)
    separator = around[0] if around is not None else separator_of(source.text)
    return Edit(_point(source, span.end), f"{separator}{text}")


def _point(source: Source, offset: int) -> Span:
    return Span(source, offset, offset)
