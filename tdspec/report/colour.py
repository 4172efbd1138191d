"""Colour on a terminal: plain ANSI sequences, and only where they are wanted."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TextIO

STYLES = {
    "error": "1;31",
    "warning": "1;33",
    "note": "1;36",
    "help": "1;32",
    "frame": "1;34",
    "label": "34",
    "strong": "1",
}

Paint = Callable[[str, str], str]


def painter(color: bool) -> Paint:
    """A function `paint(style, text)`; without colour it gives the text back."""
    if not color:
        return lambda _, text: text
    return lambda style, text: f"\x1b[{STYLES[style]}m{text}\x1b[0m" if text else text


def wants_color(stream: TextIO) -> bool:
    """Whether to colour what goes to a stream: https://no-color.org, `FORCE_COLOR`, else a terminal."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb"
