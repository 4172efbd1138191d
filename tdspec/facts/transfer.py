"""What each effect does to a state: one transfer function per word of `tdspec.ops.effects`.

Every function is sound in one direction: it returns None only if no element of the output
depends on the source. The property tests hold this against measurement.
"""

from __future__ import annotations

from typing import NamedTuple

from tdspec.facts.state import (
    BATCH,
    MIXED,
    NONE,
    ONE,
    SPACE,
    Affine,
    Labels,
    State,
    affine,
    canonical,
    fresh,
    on_map,
    pair,
    spread,
)
from tdspec.ops import effects as word
from tdspec.ops.effects import Effect
from tdspec.ops.shape import Shape


class View(NamedTuple):
    """Under which assumptions the analysis runs.

    per_sample  every sample has a t of its own (diffusion); else one for the batch (an ODE)
    training    batch statistics and dropout are on
    edges       zero padding is what it is; without, it keeps constants as circular padding does
    eps         norms divide by sqrt(var + eps); without, by sqrt(var)
    """

    per_sample: bool
    training: bool = True
    edges: bool = True
    eps: bool = True


def enter(effect: word.Offset | word.Modulate, state: State | None, shape: Shape, view: View) -> State | None:
    """The source's own effect on the tensor that it enters."""
    axes = BATCH if view.per_sample else 0
    each = fresh(shape.channels)
    if isinstance(effect, word.Modulate):
        if state is not None:
            return MIXED
        return affine(each, axes, effect.positive, each if effect.shift else NONE, axes)
    if effect.positional or (effect.edge and view.edges):
        axes |= SPACE
    label: Labels = each if effect.per_channel else ONE
    if state is None:
        return on_map(affine(NONE, 0, True, label, axes), shape.positions)
    if not isinstance(state, Affine):
        return state
    joined = affine(state.a, state.a_axes, state.positive, pair(state.b, label, shape.channels), state.b_axes | axes)
    return on_map(joined, shape.positions)


def offset(effect: word.Offset, state: Affine, shape: Shape, view: View) -> State | None:
    """Another source adds: static, so it matters only beside a scale, which it does not share."""
    return state if state.a == NONE else enter(effect, state, shape, view)


def modulate(effect: word.Modulate, state: Affine, shape: Shape, view: View) -> State | None:
    """Another source multiplies: its factor joins x, and spreads what is added over channels."""
    if state.b == NONE and not (effect.shift and state.a != NONE):
        return state
    axes = state.b_axes | (BATCH if view.per_sample else 0)
    return affine(state.a, state.a_axes, state.positive, fresh(shape.channels), axes)


def linear(effect: word.Linear, state: Affine, out: Shape, view: View) -> State | None:
    if state.a != NONE and (state.a != ONE or (effect.window and state.a_axes & SPACE)):
        return MIXED
    b: Labels = NONE
    axes = state.b_axes
    if state.b != NONE:
        b = fresh(out.channels)
        if effect.padding == "zeros" and view.edges:
            axes |= SPACE
    elif state.a != NONE and effect.bias:
        b = fresh(out.channels)
    return affine(state.a, state.a_axes, state.positive, b, axes)


def channelwise(state: Affine, channels: int) -> State | None:
    if state.a == NONE:
        return affine(NONE, 0, True, fresh(channels), state.b_axes)
    return affine(state.a, state.a_axes, state.positive, fresh(channels), state.b_axes)


def normalise(effect: word.Normalise, state: State, shape: Shape, view: View) -> State | None:
    batch = effect.batch and view.training
    if effect.batch and not view.training:  # running statistics: a fixed affine map
        return channelwise(state, shape.channels) if isinstance(state, Affine) else state
    channels, groups = shape.channels, effect.groups
    width = channels // groups
    if not batch and effect.single(shape):
        return None
    if not isinstance(state, Affine):
        return state
    inside = (BATCH if batch else 0) | (SPACE if effect.space else 0)
    outside = (0 if batch else BATCH) | (0 if effect.space else SPACE)
    dead = _units_erased(effect, state, channels, groups, inside, view)
    if all(dead):
        return None
    unit = canonical(tuple(index // width + 1 for index in range(channels)))
    a = pair(state.a, unit, channels)
    if effect.centre or state.b != NONE:
        b = fresh(channels) if effect.affine else pair(state.b, unit, channels)
    else:
        b = NONE
    if any(dead):
        a, b = (
            canonical(
                tuple(0 if dead[index // width] else label for index, label in enumerate(spread(labels, channels)))
            )
            for labels in (a, b)
        )
    positive = state.positive or state.a == NONE
    return on_map(affine(a, state.a_axes | outside, positive, b, state.b_axes | outside), shape.positions)


def _units_erased(
    effect: word.Normalise, state: Affine, channels: int, groups: int, inside: int, view: View
) -> list[bool]:
    """For each channel group, whether its units take the whole signal out."""
    width = channels // groups
    b_out, a_out = not state.b_axes & inside, not state.a_axes & inside
    shifts = spread(state.b, channels)
    scales = spread(state.a, channels)
    found = []
    for start in range(0, channels, width):
        b, a = set(shifts[start : start + width]), set(scales[start : start + width])
        one_shift = len(b) == 1 and (b_out or b == {0}) if effect.centre else b == {0}
        if a == {0}:
            found.append(one_shift)
        else:  # a common positive scale is divided out, but for eps
            found.append(not view.eps and one_shift and len(a) == 1 and a_out and state.positive)
    return found


def pool(effect: word.Pool, state: Affine, view: View) -> State | None:
    if state.a_axes & SPACE:
        return MIXED
    axes = state.b_axes
    if effect.kind == "max":
        return MIXED if axes & SPACE or not state.positive else state
    if effect.whole:
        axes &= ~SPACE
    elif effect.padded and view.edges:
        axes |= SPACE
    return affine(state.a, state.a_axes, state.positive, state.b, axes)


def resize(effect: word.Resize, state: Affine, view: View) -> State | None:
    if state.a_axes & SPACE and not effect.copies:
        return MIXED
    axes = state.b_axes | (SPACE if effect.padded and view.edges else 0)
    return affine(state.a, state.a_axes, state.positive, state.b, axes)


def mask(effect: word.Mask, state: Affine, channels: int, view: View) -> State | None:
    if state.b == NONE or not view.training:
        return state
    axes = BATCH if effect.per_channel else BATCH | SPACE
    return affine(state.a, state.a_axes, state.positive, fresh(channels), state.b_axes | axes)


def flattened(state: Affine, out: Shape) -> State | None:
    """Positions become channels: what varied over them is now a label of its own."""

    def labels(given: Labels, axes: int) -> Labels:
        return given if given == NONE or (given == ONE and not axes & SPACE) else fresh(out.channels)

    return affine(
        labels(state.a, state.a_axes), state.a_axes & ~SPACE, state.positive,
        labels(state.b, state.b_axes), state.b_axes & ~SPACE,
    )  # fmt: skip


def gathered(effect: word.Gathered, state: Affine, channels: int) -> State | None:
    """A signal that varies over positions is one of its own in each of the channels that its channel becomes."""

    def labels(given: Labels, axes: int) -> Labels:
        return canonical(
            tuple(
                label and ((label, channel, part) if axes & SPACE else label)
                for channel, label in enumerate(spread(given, channels))
                for part in range(effect.size)
            )
        )

    a, b = labels(state.a, state.a_axes), labels(state.b, state.b_axes)
    return affine(a, state.a_axes, state.positive, b, state.b_axes)


def scattered(effect: word.Scattered, state: Affine, channels: int) -> State | None:
    """Channels that become positions of one channel bring what differs between them there."""

    def labels(given: Labels, axes: int) -> tuple[Labels, int]:
        each = spread(given, channels)
        patches = [each[start : start + effect.size] for start in range(0, channels, effect.size)]
        alike = all(len(set(patch)) == 1 for patch in patches)
        return canonical(tuple(patch if any(patch) else 0 for patch in patches)), axes if alike else axes | SPACE

    (a, a_axes), (b, b_axes) = labels(state.a, state.a_axes), labels(state.b, state.b_axes)
    return affine(a, a_axes, state.positive, b, b_axes)


def cut(effect: word.Cut, state: Affine, channels: int) -> State | None:
    a, b = (canonical(spread(labels, channels)[effect.start : effect.stop]) for labels in (state.a, state.b))
    return affine(a, state.a_axes, state.positive, b, state.b_axes)


def padded(effect: word.Padded, state: Affine, channels: int) -> State | None:
    a, b = (canonical(spread(labels, channels) + (0,) * effect.channels) for labels in (state.a, state.b))
    return affine(a, state.a_axes, state.positive, b, state.b_axes)


def single(effect: Effect, state: State, shape: Shape, out: Shape, view: View) -> State | None:
    """The state behind an effect of one input, which this source does not enter."""
    if isinstance(effect, word.Constant):
        return None
    if isinstance(effect, word.Normalise):
        return normalise(effect, state, shape, view)
    if isinstance(effect, word.Simplex) and shape.channels == 1:
        return None  # all that can come out is one
    if not isinstance(state, Affine):
        return state
    found: State | None
    match effect:
        case word.Linear():
            found = linear(effect, state, out, view)
        case word.Offset():
            found = offset(effect, state, shape, view)
        case word.Modulate():
            found = modulate(effect, state, shape, view)
        case word.Channelwise():
            found = channelwise(state, out.channels)
        case word.Fixed():
            found = state if state.a == NONE else MIXED
        case word.Pointwise():
            found = state if effect.homogeneous and state.b == NONE and state.positive else MIXED
        case word.Pool():
            found = pool(effect, state, view)
        case word.Resize():
            found = resize(effect, state, view)
        case word.Mask():
            found = mask(effect, state, out.channels, view)
        case word.Flattened():
            found = flattened(state, out)
        case word.Gathered():
            found = gathered(effect, state, shape.channels)
        case word.Scattered():
            found = scattered(effect, state, shape.channels)
        case word.Simplex():
            found = None if state.a == NONE and state.b == ONE else MIXED
        case word.Cut():
            found = cut(effect, state, shape.channels)
        case word.Padded():
            found = padded(effect, state, shape.channels)
        case _:
            found = MIXED
    return on_map(found, out.positions)


def several(effect: Effect, states: tuple[State | None, ...], shapes: tuple[Shape, ...], out: Shape) -> State | None:
    """The state behind an effect of several inputs; at least one carries the source."""
    carrying = [state for state in states if state is not None]
    if MIXED in carrying:
        return MIXED
    known = [state for state in carrying if isinstance(state, Affine)]
    match effect:
        case word.Sum() if all(state.a == NONE for state in known):
            b: Labels = NONE
            axes = 0
            for state in known:
                b = pair(b, state.b, out.channels)
                axes |= state.b_axes
            return affine(NONE, 0, True, b, axes)
        case word.Product() if len(known) == 1:
            (state,) = known
            b = fresh(out.channels) if state.b != NONE else NONE
            axes = state.b_axes | BATCH | SPACE
            return on_map(affine(state.a, state.a_axes, state.positive, b, axes), out.positions)
        case word.Joined():
            return _joined(states, shapes)
        case _:
            return MIXED


def _joined(states: tuple[State | None, ...], shapes: tuple[Shape, ...]) -> State | None:
    a: list[object] = []
    b: list[object] = []
    a_axes = b_axes = 0
    positive = True
    for index, (state, shape) in enumerate(zip(states, shapes, strict=True)):
        if not isinstance(state, Affine):
            a += [None] * shape.channels
            b += [None] * shape.channels
            continue
        a += [(index, label) if label else None for label in spread(state.a, shape.channels)]
        b += [(index, label) if label else None for label in spread(state.b, shape.channels)]
        a_axes |= state.a_axes
        b_axes |= state.b_axes
        positive = positive and state.positive
    return affine(canonical(tuple(a)), a_axes, positive, canonical(tuple(b)), b_axes)
