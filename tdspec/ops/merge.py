"""Add, Mul and Concat: steps with several inputs."""

from __future__ import annotations

from itertools import pairwise

from tdspec.ops.effects import Effect, Joined, Product, Sum
from tdspec.ops.op import Call, Lowered, Op, Site
from tdspec.ops.shape import Shape, ShapeError


def alike(site: Site) -> Shape:
    for before, after in pairwise(site.inputs):
        if before != after:
            raise ShapeError("TD202", f"inputs of one step differ in shape: {before} and {after}")
    return site.x


def add_effects(site: Site) -> tuple[Effect, ...]:
    return (Sum(),)


def add_lower(site: Site) -> Lowered:
    return Lowered(function=Call("operator:add"))


ADD = Op(
    "Add",
    """Sum of its inputs.

    Shape: all alike.
    Time: a route that one input has lost may live on in another.
    Source: residual connections, arXiv 1512.03385.""",
    (), add_effects, add_lower, alike, inputs=(2, None),
)  # fmt: skip


def mul_effects(site: Site) -> tuple[Effect, ...]:
    return (Product(),)


def mul_lower(site: Site) -> Lowered:
    return Lowered(function=Call("operator:mul"))


MUL = Op(
    "Mul",
    """Product of its inputs, element by element.

    Shape: all alike.
    Time: a factor free of t spreads an offset over its own axes.
    Source: torch.mul.""",
    (), mul_effects, mul_lower, alike, inputs=(2, None),
)  # fmt: skip


def concat_infer(site: Site) -> Shape:
    for shape in site.inputs[1:]:
        if shape.spatial != site.x.spatial:
            raise ShapeError("TD203", f"channels of different maps cannot be joined: {site.x} and {shape}")
    return Shape(sum(shape.channels for shape in site.inputs), site.x.spatial)


def concat_effects(site: Site) -> tuple[Effect, ...]:
    return (Joined(),)


def concat_lower(site: Site) -> Lowered:
    return Lowered(function=Call("torch:cat", (), {"dim": 1}))


CONCAT = Op(
    "Concat",
    """Channels of all inputs, one after the other.

    Shape: f32[B,C1,...], f32[B,C2,...] -> f32[B,C1+C2,...].
    Time: channels keep what they carry; a norm over both kinds sees the difference.
    Source: torch.cat.""",
    (), concat_effects, concat_lower, concat_infer, inputs=(2, None),
)  # fmt: skip


MERGES = (ADD, MUL, CONCAT)
