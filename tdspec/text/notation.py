"""The pipeline notation: from a node of the YAML tree, or a text, to its syntax tree and back.

The text is taken from the source by the node's span, never from the value YAML loaded, so that every
step has its true place. An unquoted pipeline is, for YAML, a list in brackets that it splits at
commas; a list of quoted pieces, as a dict from Python has it, is read as if it were not split.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tdspec.text.cursor import Cursor
from tdspec.text.expression import is_bounded, parse_expression, print_expression
from tdspec.text.expression_mistakes import unexpected
from tdspec.text.kept import between_brackets, keep_expression, keep_pipeline
from tdspec.text.mistake import Mistake
from tdspec.text.source import Source
from tdspec.text.steps import StepReader
from tdspec.text.syntax import Argument, Expression, Name, Negate, Number, Pipeline, Step
from tdspec.text.yaml_node import Scalar

if TYPE_CHECKING:
    from tdspec.report.finding import Report
    from tdspec.text.yaml_node import Node


def read_pipeline(node: Node, report: Report, where: str = "") -> Pipeline | None:
    """The pipeline that a node of the tree holds; None after findings (TD010 to TD016).

    where  dotted path of the node, for the findings
    """
    try:
        cursor = keep_pipeline(node)
    except Mistake as mistake:
        report.add(mistake.finding(where))
        return None
    return _read(cursor, report, where)


def parse_pipeline(text: str, source: Source | None = None) -> Pipeline:
    """The pipeline that a text is: `parse_pipeline("[GN–Act]")`. Raises `SpecError`.

    source  where the text stands, as a whole
    """
    from tdspec.report.finding import Report, SpecError

    report = Report()
    pipeline = None
    try:
        pipeline = _read(between_brackets(Cursor(text, source or Source("<string>", text))), report, "")
    except Mistake as mistake:
        report.add(mistake.finding())
    if pipeline is None:
        raise SpecError(report)
    return pipeline


def _read(cursor: Cursor, report: Report, where: str) -> Pipeline | None:
    span = cursor.span(cursor.at - 1, cursor.end + 1)
    reader = StepReader(cursor)
    reader.read()
    report.extend(mistake.finding(where) for mistake in reader.mistakes)
    return None if reader.mistakes else Pipeline(tuple(reader.steps), span)


def read_expression(node: Node, report: Report, where: str = "") -> Expression | None:
    """The expression that an option holds: `32`, `C/4`, `"min(C/4, 32)"`, `normal(0.02)`, `true`.

    None after a finding (TD011 to TD016). `where` is the dotted path of the node.
    """
    value = node.value if isinstance(node, Scalar) and node.style == "plain" else None
    span = node.span
    if isinstance(value, bool):
        return Name("true" if value else "false", span)
    if isinstance(value, int | float) and is_bounded(value):
        return Number(value, span) if value >= 0 else Negate(Number(-value, span), span)
    try:
        cursor = keep_expression(node)
        expression = parse_expression(cursor)
        cursor.skip_blanks()
        if cursor.peek():
            raise unexpected(cursor)
    except Mistake as mistake:
        report.add(mistake.finding(where))
        return None
    return expression


def print_pipeline(pipeline: Pipeline) -> str:
    """The canonical form: en dashes without blanks, no empty parentheses, no repeat of one."""
    return f"[{'–'.join(map(_print_step, pipeline.steps))}]"


def _print_step(step: Step) -> str:
    kernel = "x".join(map(str, step.kernel)) if step.kernel is not None else ""
    arguments = f"({', '.join(map(_print_argument, step.arguments))})" if step.arguments else ""
    return f"{step.name}{kernel}{arguments}" + (f"*{step.repeat}" if step.repeat != 1 else "")


def _print_argument(argument: Argument) -> str:
    value = print_expression(argument.value)
    return value if argument.name is None else f"{argument.name}={value}"
