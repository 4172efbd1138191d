"""The figures that docs/figures.md and the rules' pages quote are those that are measured."""

from __future__ import annotations

import pytest

from benchmarks.time_table import ZERO, shares


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
