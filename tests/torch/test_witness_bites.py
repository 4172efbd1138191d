"""The witness bites: an analysis that is wrong on purpose is caught within the ordinary number of graphs."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from tdspec.facts import time, transfer
from tdspec.facts.state import ONE, SPACE, Affine, State
from tests.torch.random_fields import random_spec
from tests.torch.test_witness import measure

Break = Callable[[pytest.MonkeyPatch], None]


def padding_adds_nothing(patch: pytest.MonkeyPatch) -> None:
    right = transfer.linear

    def wrong(effect: Any, state: Affine, out: Any, view: Any) -> State | None:
        return right(effect._replace(padding="keeping"), state, out, view)

    patch.setattr(transfer, "linear", wrong)


def every_channel_has_the_same_label(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(transfer, "fresh", lambda channels: ONE)


def positions_are_forgotten(patch: pytest.MonkeyPatch) -> None:
    right = transfer.enter

    def wrong(effect: Any, state: State | None, shape: Any, view: Any) -> State | None:
        found = right(effect, state, shape, view)
        return found._replace(b_axes=found.b_axes & ~SPACE) if isinstance(found, Affine) else found

    patch.setattr(transfer, "enter", wrong)
    patch.setattr(time, "enter", wrong)


def activations_keep_offsets(patch: pytest.MonkeyPatch) -> None:
    right = transfer.single

    def wrong(effect: Any, state: State, *rest: Any) -> State | None:
        if type(effect).__name__ == "Pointwise" and isinstance(state, Affine):
            return state
        return right(effect, state, *rest)

    patch.setattr(time, "single", wrong)


def batch_norm_erases_in_evaluation_too(patch: pytest.MonkeyPatch) -> None:
    right = transfer.normalise

    def wrong(effect: Any, state: State, shape: Any, view: Any) -> State | None:
        return right(effect, state, shape, view._replace(training=True))

    patch.setattr(transfer, "normalise", wrong)


@pytest.mark.parametrize(
    "break_it",
    [
        padding_adds_nothing,
        every_channel_has_the_same_label,
        positions_are_forgotten,
        activations_keep_offsets,
        batch_norm_erases_in_evaluation_too,
    ],
    ids=lambda break_it: break_it.__name__,
)
def test_a_wrong_analysis_is_caught(break_it: Break, monkeypatch: pytest.MonkeyPatch) -> None:
    break_it(monkeypatch)
    assert any(measure(random_spec(random.Random(seed).choice), seed) for seed in range(400))
