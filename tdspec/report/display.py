"""How text stands on a terminal: column by column, and nothing that would act on the terminal.

A spec can hold anything: escape sequences, characters that reverse the writing, halves of
surrogate pairs. What is not a plain visible character is shown by one that is.
"""

from __future__ import annotations

from collections.abc import Sequence
from unicodedata import category, east_asian_width

TAB = "    "
JOINERS = "\u200c\u200d"  # part of words in some scripts, and of emoji; without width


def laid_out(text: str) -> tuple[str, Sequence[int]]:
    """The text as it is shown, and the column of each of its characters and of its end."""
    if text.isascii() and text.isprintable():
        return text, range(len(text) + 1)
    pieces: list[str] = []
    columns = [0]
    for character in text:
        piece, width = _cell(character)
        pieces.append(piece)
        columns.append(columns[-1] + width)
    return "".join(pieces), columns


def shown(text: str) -> str:
    """The text as it is shown; line breaks stay."""
    if text.isprintable():
        return text
    return "\n".join(laid_out(line)[0] for line in text.split("\n"))


def _cell(character: str) -> tuple[str, int]:
    """What stands for a character, and how many columns that takes."""
    if character == "\t":
        return TAB, len(TAB)
    kind = category(character)
    if kind in ("Mn", "Me") or character in JOINERS:
        return character, 0
    if kind[0] == "C" or kind in ("Zl", "Zp"):
        code = ord(character)
        # The Unicode block of control pictures has one for each of the first 32, and for delete.
        return (chr(0x2400 + code) if code < 32 else "\u2421" if code == 127 else "\ufffd"), 1
    return character, 2 if east_asian_width(character) in ("W", "F") else 1
