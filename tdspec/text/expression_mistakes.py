"""What is wrong where the grammar of expressions does not fit."""

from __future__ import annotations

import re
import string

from tdspec.report.finding import Label
from tdspec.report.fix import Edit, Fix
from tdspec.text.cursor import Cursor
from tdspec.text.lookalike import OPERATORS, QUOTES, dash_like, is_invisible, name_of, other_like
from tdspec.text.mistake import Mistake
from tdspec.text.suggest import shorten

NAME = string.ascii_letters + string.digits + "_"
WORD = re.compile(r"[\w.]+")
NAMED = re.compile(r"\w+\s*=")
PARENTHESIS = re.compile(r"[()]")


def expected_operand(cursor: Cursor) -> Mistake:
    """No number, name or parenthesis comes next."""
    at = cursor.skip_blanks()
    char = cursor.peek()
    wanted = "a number or a name was expected"
    before = cursor.text[:at].rstrip()[-1:]
    if char == "":
        help = f"write a value behind `{before}`" if before else ""
        return Mistake("TD016", f"{wanted}, and the text ends", cursor.span(at, at), help)
    strange = strange_character(cursor, at)
    if strange is not None:
        return strange
    word = WORD.match(cursor.text, at, cursor.end)
    if word is not None:
        parts = re.fullmatch(r"([0-9.]+)([A-Za-z]\w*)", word[0])
        return Mistake(
            "TD016",
            f"{wanted}, found `{shorten(word[0])}`",
            cursor.span(at, word.end()),
            help=f"a product is written `{parts[1]}*{parts[2]}`" if parts and len(word[0]) < 40 else "",
        )
    if char in "[]{}":
        help = "arguments are numbers, names and calls, without brackets of their own"
        return Mistake("TD014", f"{wanted}, found the bracket `{char}`", cursor.span(at, at + 1), help)
    help = ""
    if before == char == "*":
        help = "there are no powers; write the product"
    elif before == char == "/":
        help = "a single `/` floors between whole numbers"
    elif char == "+":
        help = "leave the plus out"
    elif char in ",)" and before:
        help = f"write a value behind `{before}`" + (", or delete it" if before != "=" else "")
    elif char == "–":
        help = "inside parentheses a minus is a hyphen, `-`"
    return Mistake("TD016", f"{wanted}, found `{char}`", cursor.span(at, at + 1), help)


def not_closed(cursor: Cursor, opened: int) -> Mistake | None:
    """The `(` at `opened` has no `)`: a step, a bracket or the end comes first."""
    at = cursor.skip_blanks()
    char = cursor.peek()
    if char == "–":
        following = PARENTHESIS.search(cursor.text, at, cursor.end)
        if following is not None and following[0] == ")":
            return None  # the `)` comes, so the dash was to be a minus
        resume = at + 1
    elif char in ("", "]"):
        resume = cursor.end
    else:
        return None
    start = opened - len(cursor.text[:opened]) + len(cursor.text[:opened].rstrip(NAME))
    written = cursor.text[start:at].rstrip() if at - start < 60 else ""
    if "-" in written:  # which of these hyphens were to be separators is not for us to say
        written = ""
    return Mistake(
        "TD012",
        "the `(` that opens here is never closed",
        cursor.span(opened, opened + 1),
        help=f"write `{written})`" if written else "write `)` behind its last argument",
        labels=(Label(cursor.span(at, at + 1), "`)` was expected before this"),) if char else (),
        resume=resume,
    )


def unexpected(cursor: Cursor) -> Mistake:
    """Something follows a complete expression that cannot follow it."""
    at = cursor.skip_blanks()
    char = cursor.peek()
    strange = strange_character(cursor, at)
    if strange is not None:
        return strange
    span = cursor.span(at, at + 1)
    if char == "–":
        message = "`–`, an en dash, separates steps; between numbers a minus is a hyphen"
        return Mistake("TD011", message, span, "write `-`", fix=in_ascii(cursor, at, "-"))
    if char in "=:":
        return Mistake("TD010", f"`{char}` follows a value", span, "an argument is written `name=value`")
    word = WORD.match(cursor.text, at, cursor.end)
    if word is not None or char == "(":
        span = cursor.span(at, word.end()) if word is not None else span
        message = f"an operator or a comma was expected before `{shorten(span.text)}`"
        named = NAMED.match(cursor.text, at, cursor.end) is not None
        return Mistake("TD016", message, span, "put a comma before it" if named else "a product is written `2*C`")
    if char in "[]{}":
        message = f"the bracket `{char}` stands inside an expression"
        return Mistake("TD014", message, span, "leave it out; groups are made by `(` and `)`")
    return Mistake("TD016", f"`{char}` follows a value", span, "known operators: `+`, `-`, `*` and `/`")


def in_ascii(cursor: Cursor, at: int, meant: str) -> Fix:
    """The sign that is meant; and where one is written so, the others that reading would stop at next.

    Of minus signs those up to the closing parenthesis, of other signs those of the whole pipeline.
    """
    end = at + 1
    if meant != "-":
        end = cursor.end
    elif (close := PARENTHESIS.search(cursor.text, at, cursor.end)) is not None and close[0] == ")":
        end = close.start()
    edits = []
    for place in range(at, end):
        char = cursor.text[place]
        like = other_like(char) if meant != "-" else dash_like(char, "-")
        if place == at or (meant == "-" and char == "–"):
            edits.append(Edit(cursor.span(place, place + 1), meant))
        elif like is not None and like.sure and char not in OPERATORS:
            edits.append(Edit(cursor.span(place, place + 1), like.meant))
    return Fix(f"write `{meant}`", tuple(edits))


def strange_character(cursor: Cursor, at: int, code: str = "TD016") -> Mistake | None:
    """Quotes, look-alikes and characters that no notation has."""
    char = cursor.text[at]
    span = cursor.span(at, at + 1)
    if char in QUOTES:
        return Mistake(code, "words of the notation stand without quotes", span, "delete the quotes")
    if char.isascii():
        return None
    dash = dash_like(char, "-")
    like = dash or other_like(char)
    if like is not None:
        return Mistake(
            "TD011",
            f"{like.named} was found where `{like.meant}` is meant",
            span,
            help=f"write `{like.meant}`",
            fix=in_ascii(cursor, at, like.meant),
        )
    if char == "–":
        return None
    if is_invisible(char):
        return Mistake(code, f"an invisible character stands here, {name_of(char)}", span, "delete it")
    if char.isalpha():
        return Mistake(code, f"`{char}` is {name_of(char)}; names are made of ASCII letters, digits and `_`", span)
    return Mistake(code, f"`{char}`, {name_of(char)}, has no meaning here", span)
