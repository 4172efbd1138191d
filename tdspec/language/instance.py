"""The YAML tree as plain data, the way any JSON Schema validator sees a spec.

Strings and sequences keep the node they came from, so that keywords that ask for the notation can
read the very text, and `tree_at` finds the node of an error's path again.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tdspec.text.yaml_node import Mapping, Node, Scalar, Sequence


class Text(str):
    """A string with the node it was read from."""

    node: Scalar


class Items(list[Any]):
    """A list with the node it was read from."""

    node: Sequence


def to_instance(node: Node) -> Any:
    """Dicts, lists and scalars."""
    if isinstance(node, Scalar):
        if isinstance(node.value, str):
            text = Text(node.value)
            text.node = node
            return text
        return node.value
    if isinstance(node, Sequence):
        items = Items(to_instance(item) for item in node.items)
        items.node = node
        return items
    return {key_of(entry.key): to_instance(entry.value) for entry in node.entries}


def key_of(key: Scalar) -> str:
    """A key as a string; YAML lets it be a number."""
    return key.value if isinstance(key.value, str) else key.span.text


def child(node: Node, part: str | int) -> Node | None:
    """One step down a path."""
    if isinstance(node, Mapping) and isinstance(part, str):
        found = node.get(part)
        if found is not None:
            return found
        for entry in node.entries:  # a key that is a number
            if key_of(entry.key) == part:
                return entry.value
    if isinstance(node, Sequence) and isinstance(part, int) and part < len(node.items):
        return node.items[part]
    return None


def tree_at(root: Node, path: Iterable[str | int]) -> Node:
    """The node at a path, or the last one on the way that exists."""
    node = root
    for part in path:
        found = child(node, part)
        if found is None:
            return node
        node = found
    return node


def key_at(root: Node, path: Iterable[str | int]) -> Scalar | None:
    """The key under which the node at a path stands."""
    *above, last = path
    parent = tree_at(root, above)
    if isinstance(parent, Mapping):
        for entry in parent.entries:
            if key_of(entry.key) == last:
                return entry.key
    return None
