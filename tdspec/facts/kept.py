"""How much of a time signal a norm keeps, in expectation: what is known of it before a weight is learned."""

from __future__ import annotations

from collections import Counter

from tdspec.facts.state import NONE, SPACE, Affine, spread
from tdspec.ops.effects import Linear, Normalise, Offset


def kept(effect: Normalise, state: Affine, channels: int) -> float | None:
    """The fraction of an offset's energy that a norm keeps, over draws of its signals.

    Signals of different labels are taken as independent with mean zero and one variance. A unit of n channels, m_i
    of them with signal i, loses its mean, which has the energy sum(m_i^2)/n of sum(m_i): of n signals of their own
    1 - 1/n is left, 1 - G/C of the whole; of one that all share, nothing. None where it is no offset that is
    constant over each unit, or where the unit spans samples.
    """
    if state.a != NONE or state.b_axes & SPACE or effect.batch:
        return None
    if not effect.centre:
        return 1.0
    width = channels // effect.groups
    labels = spread(state.b, channels)
    energy = lost = 0.0
    for start in range(0, channels, width):
        counts = Counter(label for label in labels[start : start + width] if label)
        energy += counts.total()
        lost += sum(count**2 for count in counts.values()) / width
    return 1 - lost / energy if energy else None


def border_share(effect: Linear | Offset) -> float:
    """The part of a constant's energy that lies in its variation over positions, behind a kernel that sees zeros.

    An output position sums the taps that lie on the map. With f the fraction of positions at which a tap does, its
    variance over positions is f(1 - f) of its energy, and its mean square f; it falls as 1/H.
    """
    return sum(f * (1 - f) for f in effect.seen) / sum(effect.seen)
