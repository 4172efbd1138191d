"""What an unquoted YAML word means: the core schema of YAML 1.2 (section 10.3.2).

PyYAML follows YAML 1.1, where `no` is false, `010` is eight and `1e-3` is a string.
"""

from __future__ import annotations

import re

Value = str | int | float | bool | None

WORDS: dict[str, bool | None] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True,
    "false": False, "False": False, "FALSE": False,
}  # fmt: skip
MAY_START_NUMBER = frozenset("0123456789+-.")
NUMBER = re.compile(
    r"(?P<integer>[-+]?[0-9]+)"
    r"|(?P<octal>0o[0-7]+)"
    r"|(?P<hexadecimal>0x[0-9a-fA-F]+)"
    r"|[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"
    r"|(?P<special>[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))"
)
LONGEST_INTEGER = 300
"""Digits; a longer one is read as a float, which Python bounds, and so is infinite."""


def plain_value(text: str) -> Value:
    """The value of an unquoted scalar."""
    if text in WORDS:
        return WORDS[text]
    if text[0] not in MAY_START_NUMBER:
        return text
    match = NUMBER.fullmatch(text)
    if match is None:
        return text
    kind = match.lastgroup if len(text) <= LONGEST_INTEGER else "float"
    if kind == "integer":
        return int(text)
    if kind in ("octal", "hexadecimal"):
        return int(text, 0)
    if kind == "special":
        return float(text.replace(".", ""))
    return float(text) if text[:2] not in ("0o", "0x") else float("inf")
