"""Steps with several inputs, and those that cut, scale or extend the channels."""

from __future__ import annotations

from itertools import pairwise

from tdspec.ops.activation import ACTIVATION_NAMES, ACTIVATIONS
from tdspec.ops.effects import Channelwise, Constant, Cut, Effect, Joined, Padded, Product, Sum
from tdspec.ops.op import REQUIRED, Call, Lowered, Op, Param, Rule, Site, Weight
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


def _cut(site: Site) -> tuple[int, int]:
    width = site.x.channels // site["parts"]
    return site["take"] * width, (site["take"] + 1) * width


def split_infer(site: Site) -> Shape:
    parts = site["parts"]
    if site.x.channels % parts:
        raise ShapeError("TD202", f"{parts} parts do not divide {site.x.channels} channels", argument="parts")
    if site["take"] >= parts:
        raise ShapeError("TD202", f"part {site['take']} of {parts} does not exist; parts count from 0", argument="take")
    return Shape(site.x.channels // parts, site.x.spatial)


def split_effects(site: Site) -> tuple[Effect, ...]:
    return (Cut(*_cut(site)),)


def split_lower(site: Site) -> Lowered:
    start, stop = _cut(site)
    return Lowered(function=Call("torch:narrow", (1, start, stop - start)))


SPLIT = Op(
    "Split",
    """One of several equal parts of the channels.

    Shape: f32[B,C,...] -> f32[B,C/parts,...].
    Time: the channels taken keep what they carry.
    Source: torch.chunk.""",
    (
        Param("parts", "count", 2, "Number of parts; must divide the channels.", minimum=1),
        Param("take", "count", 0, "Which part, counted from 0.", minimum=0),
    ),
    split_effects, split_lower, split_infer,
)  # fmt: skip


def scale_effects(site: Site) -> tuple[Effect, ...]:
    squash = site["squash"]
    factor = site["by"] if squash == "none" else ACTIVATIONS[squash].function(site["by"])
    return (Constant(),) if factor == 0 and not site["learned"] else (Channelwise(factor),)


def scale_lower(site: Site) -> Lowered:
    if not site["learned"] and site["squash"] == "none":
        return Lowered(function=Call("operator:mul", (site["by"],)))
    more: dict[str, object] = {} if site["learned"] else {"learned": False}
    if site["squash"] != "none":
        more["squash"] = Call(f"torch.nn:{site['squash']}")
    return Lowered(Call("tdspec.backend.modules.scale:Scale", (site["by"],), more))


def scale_weights(site: Site) -> tuple[Weight, ...]:
    if not site["learned"]:
        return ()
    return (Weight("factor", "operand", start=Rule("constant", (float(site["by"]),)), by=""),)


SCALE = Op(
    "Scale",
    """Multiplication by one number, fixed or learned, behind a squashing function if wanted.

    Shape: unchanged. `Scale(-3, learned=true, squash=Sigmoid)` is HBNODE's damping.
    Time: passes.
    Source: arXiv 2110.04840, section 3 (learned damping).""",
    (
        Param("by", "number", REQUIRED, "The factor, or where a learned one starts (before `squash`)."),
        Param("learned", "flag", False, "Whether the factor is learned."),
        Param("squash", "choice", "none", "Function applied to the factor.", choices=("none", *ACTIVATION_NAMES)),
    ),
    scale_effects, scale_lower, weights=scale_weights,
)  # fmt: skip


def shift_effects(site: Site) -> tuple[Effect, ...]:
    return (Channelwise(),)


def shift_lower(site: Site) -> Lowered:
    by = site["by"]
    return Lowered(function=Call("operator:add", (by,)) if by >= 0 else Call("operator:sub", (-by,)))


SHIFT = Op(
    "Shift",
    """A number is added.

    Shape: unchanged. `Scale(2)–Shift(-1)` brings [0, 1] to [-1, 1].
    Time: passes.
    Source: torch.add.""",
    (Param("by", "number", REQUIRED, "The number."),),
    shift_effects, shift_lower,
)  # fmt: skip


def augment_infer(site: Site) -> Shape:
    return Shape(site.x.channels + site["channels"], site.x.spatial)


def augment_effects(site: Site) -> tuple[Effect, ...]:
    return (Padded(site["channels"]),)


def augment_lower(site: Site) -> Lowered:
    pad = (0, 0) * len(site.x.spatial) + (0, site["channels"])
    return Lowered(function=Call("torch.nn.functional:pad", (pad,)))


AUGMENT = Op(
    "Augment",
    """Appends channels of zeros, as augmented neural ODEs do to their state.

    Shape: f32[B,C,...] -> f32[B,C+channels,...].
    Time: the new channels carry none.
    Source: arXiv 1904.01681, section 4.""",
    (Param("channels", "count", REQUIRED, "Number of channels to append.", minimum=1),),
    augment_effects, augment_lower, augment_infer,
)  # fmt: skip

MERGES = (ADD, MUL, CONCAT, SPLIT, SCALE, SHIFT, AUGMENT)
