"""What a norm keeps of an offset, by formula and by drawing offsets."""

from __future__ import annotations

import random

import pytest

from tdspec.facts.kept import border_share, kept
from tdspec.facts.state import EACH, ONE, SPACE, Affine, Labels, canonical, spread
from tdspec.ops.effects import Linear, Normalise

CHANNELS = 12


def drawn(labels: Labels, groups: int, draws: int = 4000) -> float:
    """The fraction of energy left when each unit's mean is removed from offsets drawn per label."""
    rng = random.Random(0)
    width = CHANNELS // groups
    before = after = 0.0
    for _ in range(draws):
        signals: dict[int, float] = {0: 0.0}
        values = [signals.setdefault(label, rng.gauss(0, 1)) for label in spread(labels, CHANNELS)]
        for start in range(0, CHANNELS, width):
            unit = values[start : start + width]
            mean = sum(unit) / width
            before += sum(value**2 for value in unit)
            after += sum((value - mean) ** 2 for value in unit)
    return after / before


@pytest.mark.parametrize("groups", [1, 2, 3, 6, 12])
@pytest.mark.parametrize(
    "labels",
    [ONE, EACH, canonical((1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6)), canonical((1, 0, 0, 2, 2, 0, 3, 4, 5, 5, 5, 0))],
    ids=["one", "each", "pairs", "some"],
)
def test_formula_is_what_is_drawn(labels: Labels, groups: int) -> None:
    found = kept(Normalise(groups, batch=False, space=True), Affine(0, 0, True, labels, 0), CHANNELS)
    assert found == pytest.approx(drawn(labels, groups), abs=0.02)


def test_independent_offsets_keep_one_minus_g_over_c() -> None:
    state = Affine(0, 0, True, EACH, 0)
    assert kept(Normalise(3, batch=False, space=True), state, CHANNELS) == 1 - 3 / CHANNELS


def test_what_is_not_known_is_not_said() -> None:
    over_space = Affine(0, 0, True, EACH, SPACE)
    assert kept(Normalise(3, batch=False, space=True), over_space, CHANNELS) is None
    assert kept(Normalise(CHANNELS, batch=True, space=True), Affine(0, 0, True, EACH, 0), CHANNELS) is None


def test_border_falls_as_one_over_the_extent() -> None:
    def share(extent: int) -> float:
        axis = ((extent - 1) / extent, 1.0, (extent - 1) / extent)
        return border_share(Linear(True, "zeros", seen=tuple(x * y for x in axis for y in axis)))

    assert share(8) == pytest.approx(0.153, abs=0.001)
    assert share(64) * 64 == pytest.approx(share(32) * 32, rel=0.05)
