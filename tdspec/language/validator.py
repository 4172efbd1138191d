"""The project's JSON Schema validator: the standard one with the project's keywords.

`pipeline` and `expression` read the notation; `timeRules` runs what judges the whole spec. Both
yield jsonschema errors that carry a `Finding`; the standard keywords' errors become findings in
`schema_findings`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend

from tdspec.language.instance import Items, Text
from tdspec.language.schema import merged_schema
from tdspec.language.schema_findings import explain_error, nonfinite
from tdspec.report.finding import Finding, Report
from tdspec.text.notation import read_expression, read_pipeline
from tdspec.text.syntax import Expression, Pipeline
from tdspec.text.yaml_node import Mapping, Node, Scalar, Sequence


class Reading:
    """What the notation keywords have read, by the place of the node, so that each is read once."""

    def __init__(self) -> None:
        self.pipelines: dict[tuple[int, int, int], Pipeline | None] = {}
        self.expressions: dict[tuple[int, int, int], Expression | None] = {}

    @staticmethod
    def place(node: Node) -> tuple[int, int, int]:
        return (id(node.span.source), node.span.start, node.span.end)

    def pipeline(self, node: Scalar | Sequence, report: Report) -> Pipeline | None:
        key = self.place(node)
        if key not in self.pipelines:
            self.pipelines[key] = read_pipeline(node, report)
        return self.pipelines[key]

    def expression(self, node: Node, report: Report) -> Expression | None:
        key = self.place(node)
        if key not in self.expressions:
            self.expressions[key] = read_expression(node, report)
        return self.expressions[key]


class FindingError(ValidationError):
    """A validation error that is already a finding."""

    finding: Finding


def _error(found: Finding) -> FindingError:
    error = FindingError(found.message)
    error.finding = found
    return error


Judge = Callable[[], list[Finding]]


_schema = cache(merged_schema)


def validate(tree: Mapping, instance: Any, reading: Reading, judge: Judge) -> Iterator[Finding]:
    """All findings of the schema, the project's keywords included, in no particular order."""

    def pipeline(validator: Any, value: Any, found: Any, schema: Any) -> Iterator[ValidationError]:
        if isinstance(found, (Text, Items)):
            report = Report()
            reading.pipeline(found.node, report)
            yield from map(_error, report.findings)

    def expression(validator: Any, value: Any, found: Any, schema: Any) -> Iterator[ValidationError]:
        if isinstance(found, Text):
            report = Report()
            reading.expression(found.node, report)
            yield from map(_error, report.findings)

    def time_rules(validator: Any, value: Any, found: Any, schema: Any) -> Iterator[ValidationError]:
        yield from map(_error, judge())

    keywords = {"pipeline": pipeline, "expression": expression, "timeRules": time_rules}
    validator = extend(Draft202012Validator, keywords)(_schema())  # type: ignore[no-untyped-call]
    endless = list(nonfinite(tree))
    said = {item.span for item in endless}
    yield from endless
    for error in validator.iter_errors(instance):
        if isinstance(error, FindingError):
            yield error.finding
        else:
            yield from (item for item in explain_error(error, tree) if item.span not in said)
