"""The abstract domain of the time analysis: what one source of time has left in a tensor.

For one source, all others frozen, every channel c of a tensor is written

    z_c = a_c x_c + b_c        x free of t; a and b signals of t

Each signal has a label per channel, 0 where it is absent (a = 1, b = 0); equal labels mean the
same signal. It has axes, those of {B, S} along which it varies. A label says nothing about the
source it came from, so that sources in the same state are one dictionary key (see `time.py`).

A tensor free of t is `None`, and that is a proof. Everything else says "may".
"""

from __future__ import annotations

from enum import Enum
from itertools import count
from typing import NamedTuple, Union

BATCH, SPACE = 1, 2

NONE, ONE, EACH = 0, 1, 2
# NONE: absent on every channel; ONE: one signal on all; EACH: one of its own for every channel;
# else a label per channel, numbered in the order of appearance, 0 for absent.
Labels = Union[int, tuple[int, ...]]


def canonical(labels: tuple[object, ...]) -> Labels:
    """Labels given as any hashable values, falsy for absent, in their one written form."""
    distinct = set(labels)
    absent = sum(1 for value in distinct if not value)
    if len(distinct) == absent:
        return NONE
    if len(distinct) == 1:
        return ONE
    if not absent and len(distinct) == len(labels):
        return EACH
    numbers: dict[object, int] = {}
    numbering = count(1)
    return tuple(numbers.setdefault(value, next(numbering)) if value else 0 for value in labels)


def spread(labels: Labels, channels: int) -> tuple[int, ...]:
    """The labels written out for each channel."""
    if isinstance(labels, tuple):
        return labels
    if labels == EACH:
        return tuple(range(1, channels + 1))
    return (labels,) * channels


def fresh(channels: int) -> Labels:
    """A signal of its own for every channel."""
    return EACH if channels > 1 else ONE


def pair(first: Labels, second: Labels, channels: int) -> Labels:
    """Labels of a sum of two signals: the same only where both are."""
    if first == NONE:
        return second
    if second in (NONE, ONE) and not isinstance(first, tuple):
        return first
    if EACH in (first, second):
        return fresh(channels)
    both = zip(spread(first, channels), spread(second, channels), strict=True)
    return canonical(tuple((x, y) if x or y else None for x, y in both))


class Affine(NamedTuple):
    """z = a x + b. `positive`: a is above 0 wherever it is present."""

    a: Labels
    a_axes: int
    positive: bool
    b: Labels
    b_axes: int

    @property
    def additive(self) -> bool:
        return self.a == NONE


class Opaque(Enum):
    """What is no affine map of x any more."""

    MIXED = "t may be anywhere in the tensor"


State = Union[Affine, Opaque]
MIXED = Opaque.MIXED


def affine(a: Labels, a_axes: int, positive: bool, b: Labels, b_axes: int) -> State | None:
    """The state in its one written form: an absent signal has no axes, and none at all is no state."""
    if a == NONE and b == NONE:
        return None
    return Affine(a, a_axes if a != NONE else 0, positive or a == NONE, b, b_axes if b != NONE else 0)


def on_map(state: State | None, positions: int) -> State | None:
    """Nothing varies over a map of one position."""
    if positions == 1 and isinstance(state, Affine) and (state.a_axes | state.b_axes) & SPACE:
        return Affine(state.a, state.a_axes & ~SPACE, state.positive, state.b, state.b_axes & ~SPACE)
    return state
