"""A spec given as Python data, written as the YAML text that messages can point into."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from numbers import Integral, Real
from typing import Any

DEEPEST = 100
PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


def yaml_text(data: Mapping[str, Any]) -> str:
    """The YAML text of nested mappings, lists, tuples, strings, numbers, flags and None.

    Mappings become indented lines and lists stand in brackets, so a pipeline that YAML split at its
    commas (`["Conv(64", "3)–GN"]`) reads as one again. Raises `TypeError` for other types and
    `ValueError` for a structure that contains itself.
    """
    return "".join(_lines(data, "")) if data else "{}\n"


def _lines(data: Mapping[str, Any], indent: str) -> list[str]:
    _check_depth(len(indent) // 2)
    lines: list[str] = []
    for key, value in data.items():
        if isinstance(value, Mapping) and value:
            lines.append(f"{indent}{_key(key)}:\n")
            lines += _lines(value, indent + "  ")
        else:
            lines.append(f"{indent}{_key(key)}: {_flow(value, len(indent) // 2)}\n")
    return lines


def _flow(value: Any, depth: int) -> str:
    _check_depth(depth)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_key(key)}: {_flow(item, depth + 1)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_flow(item, depth + 1) for item in value) + "]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, Integral):
        return str(int(value))
    if isinstance(value, Real):
        text = repr(float(value))
        return text if text[-1].isdigit() else f"{'-' * (text[0] == '-')}.{text.lstrip('-')}"
    raise TypeError(f"a value of type {type(value).__name__} cannot stand in a spec")


def _key(key: Any) -> str:
    if not isinstance(key, str):
        raise TypeError(f"a key of a spec is a string, found {key!r}")
    return key if PLAIN_KEY.fullmatch(key) else json.dumps(key, ensure_ascii=False)


def _check_depth(depth: int) -> None:
    if depth > DEEPEST:
        raise ValueError(f"a spec nests at most {DEEPEST} levels deep")
