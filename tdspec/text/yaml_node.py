"""The nodes of a YAML tree. Treat them as frozen: stages share them."""

from __future__ import annotations

from typing import Literal, NamedTuple

from tdspec.text.source import Span
from tdspec.text.yaml_scalar import Value

Style = Literal["plain", "quoted", "block"]


class Scalar:
    """A leaf. `value` is resolved by YAML 1.2 where it is plain; that of a key is always its text."""

    __slots__ = ("span", "style", "value")
    __match_args__ = ("span", "value", "style")

    def __init__(self, span: Span, value: Value, style: Style) -> None:
        self.span = span
        self.value = value
        self.style = style

    def __repr__(self) -> str:
        return f"Scalar({self.value!r})"


class Sequence:
    """A list; `flow` where it is written in brackets, which an unquoted pipeline is too."""

    __slots__ = ("flow", "items", "span")
    __match_args__ = ("span", "items", "flow")

    def __init__(self, span: Span, items: tuple[Node, ...], flow: bool) -> None:
        self.span = span
        self.items = items
        self.flow = flow

    def __repr__(self) -> str:
        return f"Sequence({list(self.items)!r})"


class Entry(NamedTuple):
    """One `key: value`."""

    key: Scalar
    value: Node


class Mapping:
    """Entries in the order written, each key once; `flow` where it is written in braces."""

    __slots__ = ("_values", "entries", "flow", "span")
    __match_args__ = ("span", "entries", "flow")

    def __init__(self, span: Span, entries: tuple[Entry, ...], flow: bool = False) -> None:
        self.span = span
        self.entries = entries
        self.flow = flow
        self._values: dict[Value, Node] | None = None

    def get(self, key: str) -> Node | None:
        """The value under a key, or None."""
        if self._values is None:
            self._values = {entry.key.value: entry.value for entry in self.entries}
        return self._values.get(key)

    def __repr__(self) -> str:
        return f"Mapping({', '.join(f'{key.value}: {value!r}' for key, value in self.entries)})"


Node = Scalar | Sequence | Mapping
