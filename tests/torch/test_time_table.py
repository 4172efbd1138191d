"""The figures that docs/figures.md and the rules' pages quote are those that are measured."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks.time_table import ZERO, border_row, case_row, feature_row, norm_row, shares

FIGURES = (Path(__file__).parents[2] / "docs" / "figures.md").read_text(encoding="utf-8").splitlines()


def average(field: str, *, per_sample: bool = False, training: bool = True, extent: int = 8) -> float:
    found = shares(field, per_sample=per_sample, training=training, extent=extent)
    return sum(found) / len(found)


def test_norms_of_one_channel_leave_nothing_but_a_border() -> None:
    for norm in ("IN", "BN", "GN(C)"):
        assert average(f"ConcatConv(pad_mode=circular)–{norm}") < ZERO
        assert average(f"ConcatConv–{norm}") == pytest.approx(1.1e-3, rel=0.2)
    assert average("ConcatConv(pad_mode=circular)–BN", per_sample=True) > 1e-3


def test_the_border_halves_as_the_map_doubles() -> None:
    assert average("ConcatConv–IN", extent=16) / average("ConcatConv–IN") == pytest.approx(0.5, abs=0.1)


def test_a_position_is_kept_by_in_and_erased_over_channels() -> None:
    assert average("Conv–PosEmb–IN") == pytest.approx(0.1, abs=0.03)
    assert average("Conv–PosEmb–ChannelLN") < ZERO


def test_a_factor_before_in_is_left_to_eps() -> None:
    assert ZERO < average("Conv–Gate(squash=Sigmoid)–IN") < 1e-8


def test_a_mask_revives_in_training_what_evaluation_erases() -> None:
    assert average("Conv–Emb–Dropout(0.1)–IN") > 1e-3
    assert average("Conv–Emb–Dropout(0.1)–IN", training=False) < ZERO


def numbers(row: str) -> list[float]:
    """Means of a row's cells behind the first; 0 is bold."""
    return [float(cell.split("±")[0].strip(" *")) for cell in row.strip("| ").split("|")[1:]]


@pytest.mark.parametrize(
    "row, argument",
    [
        (norm_row, "IN"),
        (norm_row, "GN, 4 per group"),
        (border_row, 8),
        (case_row, "Conv–Emb–BN"),
        (case_row, "Conv–Emb–Dropout(0.1)–IN"),
        (feature_row, 1),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_the_document_shows_what_is_measured(row: Callable[[Any], str], argument: object) -> None:
    measured = row(argument)
    name = measured.split("|")[1]
    shown = [line for line in FIGURES if line.startswith(f"|{name}|")]
    assert len(shown) == 1, f"docs/figures.md has {len(shown)} rows called{name}"
    # Other releases of torch may draw other numbers, so only the size is held; 0 must be 0.
    assert numbers(shown[0]) == pytest.approx(numbers(measured), rel=0.5, abs=ZERO)
