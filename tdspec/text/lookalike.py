"""Characters that look like those of the notation, and what was meant.

Word processors, papers and slides turn a hyphen into any of a dozen dashes, an `x` into `×`, and
parentheses into fullwidth ones. Each is named, so that the message can be understood on a screen
where the two look the same.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from tdspec.text.suggest import shorten

# Signs that people put between steps; the dashes and arrows of Unicode are told by their class.
SEPARATORS = re.compile(r"[-–—=]+>|-{2,}|[>|,.;/+~&·•⋅∘]|\\(?:to|rightarrow|circ)\b")
HYPHENS = re.compile(r"[\w)]\s*-\s*[A-Z]")  # between two steps
ASCII_NAMES = {
    ">": "a greater-than sign", "|": "a bar", ",": "a comma", ".": "a full stop", ";": "a semicolon",
    "/": "a slash", "+": "a plus sign", "~": "a tilde", "&": "an ampersand",
}  # fmt: skip
# Minus signs, the soft hyphen, a bullet and box-drawing lines: not of Unicode's class of dashes.
DASH_LIKE = "−\u00ad\u2043\u2796\u02d7\u2500\u2501\u30fc\u23af"

SOFT_HYPHEN = "\u00ad"  # what is left where a word was broken at the end of a line

TIMES = "×\u2715\u2217"
OPERATORS = {"\u2215": "/", "÷": "/", "·": "*"} | dict.fromkeys(TIMES, "*")
QUOTES = "'\"\u2018\u2019\u201a\u201c\u201d\u201e\u00ab\u00bb"


class Lookalike(NamedTuple):
    """`length` characters that look like `meant`; `named` tells them apart.

    sure  nothing else can be meant: a dash or an arrow, where a comma may be anything
    """

    length: int
    meant: str
    named: str
    sure: bool = True


def separator_like(text: str, at: int, end: int) -> Lookalike | None:
    """What stands for a separator between two steps, if anything does."""
    match = SEPARATORS.match(text, at, end)
    if match is not None:
        found = match[0]
        if found.endswith(">") and len(found) > 1:
            named = "an arrow"
        elif found.startswith("--"):
            named = "several hyphens in a row"
        else:
            named = ASCII_NAMES.get(found) or name_of(found)
        sure = len(found) > 1 and found != "\\circ"
        return Lookalike(len(found), "–", f"`{shorten(found, 10)}`, {named},", sure)
    return dash_like(text[at : at + 1], "–") if at < end else None


def separator_of(text: str) -> str:
    """The separator that a pipeline, or a whole spec, is written with."""
    return "-" if "–" not in text and HYPHENS.search(text) else "–"


def dash_like(char: str, meant: str) -> Lookalike | None:
    """A dash or an arrow other than `–` and `-`."""
    import unicodedata  # costs 2 ms, and a good spec never comes here

    if char.isascii() or char == "–":
        return None
    if char in DASH_LIKE or unicodedata.category(char) == "Pd":
        return Lookalike(1, meant, f"`{char}`, {name_of(char)},", sure=char != SOFT_HYPHEN)
    if "ARROW" in unicodedata.name(char, ""):
        return Lookalike(1, meant, f"`{char}`, an arrow (U+{ord(char):04X}),")
    return None


def other_like(char: str) -> Lookalike | None:
    """A sign of the notation in a form that is not ASCII: a fullwidth parenthesis, `×`."""
    import unicodedata

    if char.isascii():
        return None
    meant = OPERATORS.get(char) or unicodedata.normalize("NFKC", char)
    if len(meant) == 1 and meant.isascii() and not meant.isspace():
        return Lookalike(1, meant, f"`{char}`, {name_of(char)},")
    return None


def name_of(char: str) -> str:
    """`an em dash (U+2014)`."""
    import unicodedata

    known = unicodedata.name(char, "").lower()
    if not known:
        return f"the character U+{ord(char):04X}"
    article = "an" if known[0] in "aeiou" else "a"
    return f"{article} {known} (U+{ord(char):04X})"


def is_invisible(char: str) -> bool:
    import unicodedata

    return unicodedata.category(char) in ("Cf", "Cc", "Co", "Cn", "Mn")
