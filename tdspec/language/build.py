"""From a tree to the frozen sections of `structure.py`, leniently.

The schema has already said what does not hold; the builder goes on where it can. A pipeline that
cannot be read becomes a `BrokenPipeline`; a value of the wrong type becomes its default; a section
that lacks what it needs is None, and `Builder.incomplete` says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tdspec.language.declared import (
    Choice,
    Declared,
    Either,
    ExpressionText,
    List,
    Map,
    Nullable,
    PipelineText,
    Scalar,
    Section,
    Tagged,
    options,
)
from tdspec.language.instance import key_of
from tdspec.language.validator import Reading
from tdspec.report.finding import Report
from tdspec.text.syntax import Pipeline
from tdspec.text.yaml_node import Mapping, Node, Sequence
from tdspec.text.yaml_node import Scalar as Leaf


@dataclass(frozen=True, slots=True)
class BrokenPipeline(Pipeline):
    """A pipeline whose text has errors; what it would make is not known."""


MISSING: Any = object()


class Builder:
    """Builds sections of one tree."""

    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        self.incomplete = False
        self._silent = Report()

    def section(self, cls: type, node: Mapping) -> Any:
        """An instance of `cls`, or MISSING if a required option has no usable value."""
        given = {key_of(entry.key): entry.value for entry in node.entries}
        values: dict[str, Any] = {}
        for option in options(cls):
            value = self.value(option.type, given[option.key]) if option.key in given else MISSING
            if value is not MISSING:
                values[option.field] = value
            elif option.required:
                self.incomplete = True
                return MISSING
        return cls(**values)

    def value(self, declared: Declared, node: Node) -> Any:
        """The value of a node under a declared type, or MISSING."""
        match declared:
            case PipelineText():
                if not isinstance(node, (Leaf, Sequence)):
                    return MISSING
                return self.reading.pipeline(node, self._silent) or BrokenPipeline((), node.span)
            case ExpressionText():
                return self.reading.expression(node, self._silent) or MISSING
            case Scalar(type=type_):
                return self.scalar(type_, node)
            case Choice(values=values):
                return node.value if isinstance(node, Leaf) and node.value in values else MISSING
            case List(item=item) if isinstance(node, Sequence):
                items = tuple(self.value(item, entry) for entry in node.items)
                return MISSING if MISSING in items else items
            case Map(item=item) if isinstance(node, Mapping):
                found = {}
                for entry in node.entries:
                    key = key_of(entry.key)
                    if key.startswith("x-"):
                        continue
                    value = self.value(item, entry.value)
                    if value is not MISSING:
                        found[key] = value
                return found
            case Section(cls=cls) if isinstance(node, Mapping):
                return self.section(cls, node)
            case Tagged(members=members) if isinstance(node, Mapping):
                kind = node.get("kind")
                chosen = (
                    dict(members).get(kind.value) if isinstance(kind, Leaf) and isinstance(kind.value, str) else None
                )
                if chosen is None:
                    self.incomplete = True
                    return MISSING
                return self.section(chosen, node)
            case Nullable(item=item):
                return None if isinstance(node, Leaf) and node.value is None else self.value(item, node)
            case Either(members=members):
                return self.either(members, node)
        return MISSING

    def either(self, members: tuple[Declared, ...], node: Node) -> Any:
        for member in members:
            mapping = isinstance(member, (Section, Map, Tagged))
            if mapping == isinstance(node, Mapping):
                value = self.value(member, node)
                if value is not MISSING:
                    return value
        return MISSING

    @staticmethod
    def scalar(type_: type, node: Node) -> Any:
        if not isinstance(node, Leaf):
            return MISSING
        value = node.value
        if type_ is float and isinstance(value, int) and not isinstance(value, bool):
            return float(value)
        if type_ is int and isinstance(value, bool):
            return MISSING
        return value if isinstance(value, type_) else MISSING
