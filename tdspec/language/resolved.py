"""The resolved spec: every option with its value and its origin, as YAML that reads back the same."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import is_dataclass
from typing import TYPE_CHECKING, Any

from tdspec.language.declared import kind_of, options
from tdspec.language.instance import child, key_of
from tdspec.ops import OPS
from tdspec.report.finding import Report
from tdspec.text.expression import print_expression
from tdspec.text.notation import print_pipeline
from tdspec.text.syntax import Pipeline
from tdspec.text.yaml_node import Entry, Mapping, Node

if TYPE_CHECKING:
    from tdspec.language.spec import Spec
    from tdspec.language.validator import Reading


def resolved_text(spec: Spec, *, origins: bool = True) -> str:
    """The spec with all defaults written out; with `origins`, each line says where its value stands.

    Without, the text is the same for all specs that say the same: the order of keys means nothing.
    """
    lines = list(_section(spec.document, spec.tree, "", origins))
    defaults = spec.tree.get("defaults")
    if isinstance(defaults, Mapping):
        lines += ["defaults:", *_defaults(defaults, spec.reading, origins)]
    return "\n".join(lines) + "\n"


def _section(section: Any, node: Node | None, indent: str, origins: bool) -> Iterator[str]:
    cls: type = type(section)
    kind = kind_of(cls)
    if kind is not None:
        yield f"{indent}kind: {kind}"
    for option in options(cls):
        value = getattr(section, option.field)
        if value is None or value in ((), {}) or option.key == "extends":
            continue
        given = child(node, option.key) if node is not None else None
        yield from _value(option.key, value, given, indent, origins)


def _value(key: str, value: Any, node: Node | None, indent: str, origins: bool) -> Iterator[str]:
    if is_dataclass(value) and kind_of(type(value)) is None and _expression(value) is not None:
        yield f"{indent}{key}: {json.dumps(_expression(value), ensure_ascii=False)}{_origin(node, origins)}"
    elif isinstance(value, Pipeline):
        yield f"{indent}{key}: {json.dumps(print_pipeline(value), ensure_ascii=False)}{_origin(node, origins)}"
    elif is_dataclass(value):
        body = list(_section(value, node, indent + "  ", origins))
        yield f"{indent}{key}:" if body else f"{indent}{key}: {{}}"
        yield from body
    elif isinstance(value, dict):
        yield f"{indent}{key}:"
        for name, item in value.items() if origins else sorted(value.items()):
            yield from _value(name, item, child(node, name) if node is not None else None, indent + "  ", origins)
    else:
        plain = list(value) if isinstance(value, tuple) else value
        yield f"{indent}{key}: {json.dumps(plain, ensure_ascii=False)}{_origin(node, origins)}"


def _expression(value: Any) -> str | None:
    module = type(value).__module__
    return print_expression(value) if module == "tdspec.text.syntax" and not isinstance(value, Pipeline) else None


def _defaults(defaults: Mapping, reading: Reading, origins: bool) -> Iterator[str]:
    """The section `defaults`, with every scalar under the parameter that it sets."""
    for op in _entries(defaults, origins):
        yield f"  {key_of(op.key)}:"
        parameters = _entries(op.value, origins) if isinstance(op.value, Mapping) else [op]
        for entry in parameters:
            name = OPS[key_of(op.key)].params[0].name if entry is op else key_of(entry.key)
            expression = reading.expression(entry.value, Report())
            value = getattr(entry.value, "value", None)
            if isinstance(value, str) and expression is not None:
                value = print_expression(expression)
            yield f"    {name}: {json.dumps(value, ensure_ascii=False)}{_origin(entry.value, origins)}"


def _entries(node: Mapping, origins: bool) -> list[Entry]:
    """The entries that are not the user's own; by name where places do not matter."""
    found = [entry for entry in node.entries if not key_of(entry.key).startswith("x-")]
    return found if origins else sorted(found, key=lambda entry: key_of(entry.key))


def _origin(node: Node | None, origins: bool) -> str:
    if not origins:
        return ""
    if node is None:
        return "  # default"
    return f"  # {node.span.source.name}:{node.span.first.line}"
