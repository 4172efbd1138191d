"""The fix of tabs in indentation: blanks, where it is certain how many."""

from __future__ import annotations

import re
from typing import NamedTuple

from tdspec.report.fix import Edit, Fix
from tdspec.text.source import Source, Span

LINE = re.compile(r"([ \t]*)([^\n]*)(?:\n|\Z)")
OPENS = re.compile(r":\s*(?:#.*)?\Z")  # the line is a key whose mapping follows
STEP = 2  # blanks for a level, where the file does not show its own


class Level(NamedTuple):
    """A mapping that is not at its end: its indentation in blanks, and as the file has it where that has a tab."""

    width: int
    tabs: str = ""


def blanks_for_tabs(source: Source) -> Fix | None:
    """Every indentation that has a tab, as blanks; None where a line could belong to several levels.

    Such a line lies one level below the line above it if that opens a mapping; else on the level of an
    earlier line with the very same tabs, or on the only one that is indented at all.
    """
    edits: list[Edit] = []
    levels = [Level(0)]
    opened = False
    step = _step(source.text)
    for match in LINE.finditer(source.text):
        indent, rest = match[1], match[2].strip()
        tabs = indent if "\t" in indent else ""
        if not rest or (rest.startswith("#") and not tabs):
            continue
        if opened:
            levels.append(Level(levels[-1].width + step, tabs) if tabs else Level(len(indent)))
        at = _level(levels, indent, tabs)
        if at is None:
            return None
        levels[at:] = [levels[at]._replace(tabs=tabs or levels[at].tabs)]
        if tabs:
            edits.append(Edit(Span(source, match.start(1), match.end(1)), " " * levels[at].width))
        opened = OPENS.search(rest) is not None and not rest.startswith("#")
    return Fix("indent by blanks", tuple(edits)) if edits else None


def _level(levels: list[Level], indent: str, tabs: str) -> int | None:
    """The level that a line lies on; None in doubt."""
    if not tabs:
        found = [at for at, level in enumerate(levels) if level.width == len(indent)]
    else:
        found = [at for at, level in enumerate(levels) if level.tabs == tabs]
        found = found or [at for at, level in enumerate(levels) if level.width and not level.tabs]
    return found[0] if len(found) == 1 else None


def _step(text: str) -> int:
    """The least indentation by blanks."""
    return min((len(match[1]) for match in LINE.finditer(text) if match[2] and set(match[1]) == {" "}), default=STEP)
