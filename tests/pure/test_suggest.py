"""The nearest known word."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tdspec.text.suggest import distance, nearest, quote_list, shorten

OPS = [
    "Conv",
    "ConcatConv",
    "Emb",
    "PosEmb",
    "GN",
    "BN",
    "IN",
    "LN",
    "RMSN",
    "Act",
    "ReLU",
    "SiLU",
    "ELU",
    "GELU",
    "FC",
    "GAP",
]
KEYS = [
    "batch_size",
    "epochs",
    "iterations",
    "optimizer",
    "schedule",
    "learning_rate",
    "weight_decay",
    "momentum",
    "ema",
]


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("Cnov", "Conv"), ("conv", "Conv"), ("CONV", "Conv"), ("Con", "Conv"), ("Convv", "Conv"),
        ("ConcatConf", "ConcatConv"),
        ("concat_conv", "ConcatConv"), ("PosEnb", "PosEmb"), ("Relu", "ReLU"), ("gn", "GN"), ("NG", "GN"), ("Fc", "FC"),
        ("batchsize", "batch_size"), ("batchSize", "batch_size"), ("batch-size", "batch_size"), ("epoch", "epochs"),
        ("optimiser", "optimizer"), ("shedule", "schedule"), ("learning rate", "learning_rate"), ("epochs", "epochs"),
        ("Transformer", None), ("", None), ("x", None), ("width", None), ("a" * 1000, None),
    ],
)  # fmt: skip
def test_nearest(word: str, expected: str | None) -> None:
    assert nearest(word, [*OPS, *KEYS]) == expected


def test_nothing_to_choose_from() -> None:
    assert nearest("Conv", []) is None


def test_the_nearest_of_several_wins_and_the_first_of_equals() -> None:
    assert nearest("SiLu", OPS) == "SiLU"
    assert nearest("XN", ["AN", "BN"]) == "AN"


@pytest.mark.parametrize(
    ("left", "right", "slips"),
    [("", "", 0), ("a", "", 1), ("ab", "ba", 1), ("abc", "acb", 1), ("ca", "abc", 3), ("kitten", "sitting", 3)],
)
def test_distance(left: str, right: str, slips: int) -> None:
    assert distance(left, right) == slips == distance(right, left)


SHORT = st.text("abAB_", max_size=7)


@given(SHORT, SHORT)
def test_distance_is_bounded_and_zero_for_equals_only(left: str, right: str) -> None:
    slips = distance(left, right)
    assert abs(len(left) - len(right)) <= slips <= max(len(left), len(right))
    assert (slips == 0) == (left == right)


@given(SHORT, st.lists(SHORT, max_size=8))
def test_the_cheap_bound_loses_nothing(word: str, candidates: list[str]) -> None:
    """What is left out unseen would not have been near enough."""
    found = nearest(word, candidates)
    if found is None and word:
        folded = word.casefold().replace("_", "")
        for candidate in candidates:
            assert distance(folded, candidate.casefold().replace("_", "")) > max(1, len(word) / 3) - 0.1


def test_ten_thousand_candidates_are_quick() -> None:
    candidates = [f"conv_{i}" for i in range(10_000)]
    start = time.perf_counter()
    assert nearest("residual_stage", candidates) is None
    assert time.perf_counter() - start < 0.2


def test_lists_of_words() -> None:
    assert quote_list([]) == ""
    assert quote_list(["a"]) == "`a`"
    assert quote_list(["a", "b"]) == "`a` or `b`"
    assert quote_list("abc", "and") == "`a`, `b` and `c`"
    assert quote_list("abcdefghij", most=4) == "`a`, `b`, `c` or 7 others"


def test_long_words_are_cut() -> None:
    assert shorten("short") == "short"
    assert shorten("two\n  lines") == "two lines"
    assert shorten("x" * 10**6, 5) == "xxxx…"
