"""A spec given as Python data, written as the YAML text that messages can point into."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from numbers import Integral, Real
from typing import Any

DEEPEST = 100
PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


class NotYaml(Exception):
    """Data that no YAML text can hold: `code` of the finding, its message, the dotted path."""

    def __init__(self, code: str, message: str, where: str = "") -> None:
        self.code, self.message, self.where = code, message, where
        super().__init__(message)

    help = "a spec as a dict has mappings, lists, tuples, strings, numbers, flags and None"


def yaml_text(data: Mapping[str, Any]) -> str:
    """The YAML text of nested mappings, lists, tuples, strings, numbers, flags and None.

    Mappings become indented lines and lists stand in brackets, so a pipeline that YAML split at its
    commas (`["Conv(64", "3)–GN"]`) reads as one again. Raises `NotYaml` for other types, and for a
    structure that contains itself.
    """
    return "".join(_lines(data, "", ())) if data else "{}\n"


def _lines(data: Mapping[str, Any], indent: str, path: tuple[str, ...]) -> list[str]:
    _check_depth(path)
    lines: list[str] = []
    for key, value in data.items():
        if isinstance(value, Mapping) and value:
            lines.append(f"{indent}{_key(key, path)}:\n")
            lines += _lines(value, indent + "  ", (*path, str(key)))
        else:
            lines.append(f"{indent}{_key(key, path)}: {_flow(value, (*path, str(key)))}\n")
    return lines


def _flow(value: Any, path: tuple[str, ...]) -> str:
    _check_depth(path)
    if isinstance(value, Mapping):
        entries = (f"{_key(key, path)}: {_flow(item, (*path, str(key)))}" for key, item in value.items())
        return "{" + ", ".join(entries) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_flow(item, (*path, str(index))) for index, item in enumerate(value)) + "]"
    return _scalar(value, path)


def _scalar(value: Any, path: tuple[str, ...]) -> str:
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, Integral):
        return str(int(value))
    if isinstance(value, Real):
        text = repr(float(value))
        return text if text[-1].isdigit() else f"{'-' * (text[0] == '-')}.{text.lstrip('-')}"
    where = ".".join(path)
    raise NotYaml("TD008", f"`{where}` is a {_type(value)}, which cannot stand in a spec", where)


def _key(key: Any, path: tuple[str, ...]) -> str:
    if isinstance(key, str):
        return key if PLAIN_KEY.fullmatch(key) else json.dumps(key, ensure_ascii=False)
    if key is None or isinstance(key, Real):
        return _scalar(key, path)  # as YAML has them: the schema says what they should be
    what = f"a key of `{'.'.join(path)}`" if path else "a key of the spec"
    raise NotYaml("TD008", f"{what} is a {_type(key)}, but should be text", ".".join(path))


def _type(value: Any) -> str:
    name, module = type(value).__name__, type(value).__module__
    return name if module == "builtins" else f"{module}.{name}"


def _check_depth(path: tuple[str, ...]) -> None:
    if len(path) > DEEPEST:
        message = f"a spec nests at most {DEEPEST} levels deep, but this dict goes on: does it contain itself?"
        raise NotYaml("TD004", message, ".".join(path[:3]))
