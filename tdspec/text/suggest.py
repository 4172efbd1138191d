"""Words in messages: the nearest known one for a misspelt one, lists, and long ones cut short."""

from __future__ import annotations

from collections.abc import Iterable

LONGEST = 64
"""Longer words are not compared: no name of the language comes near."""

MOST_TO_COPY = 800  # characters


def nearest(word: str, candidates: Iterable[str]) -> str | None:
    """The candidate that `word` most likely stands for, or None where none is near.

    A different case or different separators (`batchSize` for `batch_size`) count as nearly equal;
    otherwise one slip in about three characters is forgiven.
    """
    if not 0 < len(word) <= LONGEST:
        return None
    folded = _fold(word)
    least, best = max(1.0, len(word) / 3) + 0.5, None
    for candidate in candidates:
        if candidate == word:
            return candidate
        other = _fold(candidate)
        # Each slip adds or removes at most one kind of character on each side: a cheap bound
        # that spares the table below for nearly every candidate.
        if abs(len(other) - len(folded)) >= least or len(set(other) ^ set(folded)) >= 2 * least:
            continue
        away = distance(folded, other) + (0.1 if other != candidate or folded != word else 0)
        if away < least:
            least, best = away, candidate
    return best


def only_meaning(word: str, candidates: Iterable[str]) -> str | None:
    """The one candidate that `word` can stand for, so surely that a fix may write it; None in doubt.

    It differs in case or separators only; or it is the only one that a single slip leads to, where one
    of the two has four letters at least (of shorter words a slip leaves too little).
    """
    if not 0 < len(word) <= LONGEST:
        return None
    folded = _fold(word)
    others = [(candidate, _fold(candidate)) for candidate in candidates]
    alike = [candidate for candidate, other in others if other == folded]
    if not alike:
        near = [(name, other) for name, other in others if abs(len(other) - len(folded)) <= 1]
        alike = [name for name, other in near if max(len(folded), len(other)) >= 4 and distance(folded, other) == 1]
    return alike[0] if len(alike) == 1 else None


def distance(left: str, right: str) -> int:
    """Number of slips (insert, delete, replace, swap of neighbours) between two words.

    The optimal string alignment variant of the Damerau-Levenshtein distance.
    """
    before: list[int] = []
    row = list(range(len(right) + 1))
    for i, a in enumerate(left, 1):
        above, before, row = before, row, [i]
        for j, b in enumerate(right, 1):
            best = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == right[j - 2] and b == left[i - 2]:
                best = min(best, above[j - 2] + 1)
            row.append(best)
    return row[-1]


def quote_list(words: Iterable[str], last: str = "or", most: int = 8) -> str:
    """Words in backquotes for a sentence: "`a`, `b` or `c`"; of more than `most`, the first few."""
    quoted = [f"`{word}`" for word in words]
    if len(quoted) > most:
        return ", ".join(quoted[: most - 1]) + f" {last} {len(quoted) - most + 1} others"
    if len(quoted) < 2:
        return "".join(quoted)
    return ", ".join(quoted[:-1]) + f" {last} {quoted[-1]}"


def shorten(text: str, most: int = 40) -> str:
    """The text on one line, cut with an ellipsis where it is longer than a message bears."""
    text = " ".join(text[: 4 * most].split()) if len(text) > most or "\n" in text else text
    return text if len(text) <= most else text[: most - 1] + "…"


def to_copy(template: str, *texts: str) -> str:
    """A correction to copy: the template filled with texts, each on one line and whole; empty if that is too long."""
    if sum(map(len, texts)) > MOST_TO_COPY:
        return ""
    return template.format(*(" ".join(text.split()) for text in texts))


def _fold(word: str) -> str:
    return word.casefold().replace("-", "").replace("_", "").replace(" ", "")
