"""Split and Augment: fewer channels, or more."""

from __future__ import annotations

from tdspec.ops.effects import Cut, Effect, Padded
from tdspec.ops.op import REQUIRED, Call, Lowered, Op, Param, Site
from tdspec.ops.shape import Shape, ShapeError


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
