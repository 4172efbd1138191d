"""Positions, PixelShuffle and PixelUnshuffle: what a transformer on patches needs beside attention.

Tokens are the positions of a map, so that `ChannelLN`, `SelfAttn` and `Conv1x1` serve them, and a convolution whose
stride is its kernel cuts patches.
"""

from __future__ import annotations

from tdspec.ops.convolution import need_map
from tdspec.ops.effects import Effect, Fixed, Gathered, Scattered
from tdspec.ops.op import Call, Lowered, Op, Param, Site
from tdspec.ops.shape import Shape, ShapeError


def positions_infer(site: Site) -> Shape:
    if len(site.x.spatial) != 2 or site.x.channels % 4:
        raise ShapeError(
            "TD202",
            f"positions are told by sines and cosines along two axes, for which {site.x} has no four equal parts",
            help="use it on maps with a multiple of 4 channels",
        )
    return site.x


def positions_effects(site: Site) -> tuple[Effect, ...]:
    return (Fixed(power=0.5),)  # the squares of a sine and its cosine add up to 1


def positions_lower(site: Site) -> Lowered:
    more = {"period": site["period"]} if site["period"] != 10000 else {}
    return Lowered(Call("tdspec.backend.modules.positions:Positions", (site.x.channels, site.x.spatial), more))


POSITIONS = Op(
    "Positions",
    """Sines and cosines of each position's place are added: half of the channels tell the column, half the row.

    Shape: f32[B,C,H,W], unchanged; C a multiple of 4. Nothing is learned.
    Time: passes.
    Source: arXiv 2111.06377's code; in diffusion arXiv 2212.09748, section 3.2.""",
    (Param("period", "number", 10000, "Ratio of the slowest wave's period to the fastest's.", minimum=1),),
    positions_effects, positions_lower, positions_infer,
)  # fmt: skip

FACTOR = Param("factor", "count", 2, "How many positions of each axis go into one.", minimum=1)


def shuffle_infer(site: Site) -> Shape:
    need_map(site, "PixelShuffle")
    each = site["factor"] ** 2
    if len(site.x.spatial) != 2 or site.x.channels % each:
        raise ShapeError(
            "TD202", f"{site.x} does not hold {each} values for each channel and position that leave", argument="factor"
        )
    return Shape(site.x.channels // each, tuple(extent * site["factor"] for extent in site.x.spatial))


def unshuffle_infer(site: Site) -> Shape:
    need_map(site, "PixelUnshuffle")
    factor = site["factor"]
    if len(site.x.spatial) != 2 or any(extent % factor for extent in site.x.spatial):
        raise ShapeError("TD203", f"the map {site.x} has no patches of {factor}x{factor}", argument="factor")
    return Shape(site.x.channels * factor**2, tuple(extent // factor for extent in site.x.spatial))


def shuffle_effects(site: Site) -> tuple[Effect, ...]:
    return (Scattered(site["factor"] ** 2),) if site["factor"] > 1 else ()


def unshuffle_effects(site: Site) -> tuple[Effect, ...]:
    return (Gathered(site["factor"] ** 2),) if site["factor"] > 1 else ()


def shuffle_lower(site: Site) -> Lowered:
    return Lowered(Call("torch.nn:PixelShuffle", (site["factor"],)))


def unshuffle_lower(site: Site) -> Lowered:
    return Lowered(Call("torch.nn:PixelUnshuffle", (site["factor"],)))


PIXEL_SHUFFLE = Op(
    "PixelShuffle",
    """Channels become positions: each position a patch.

    Shape: f32[B,C r^2,H,W] -> f32[B,C,r H,r W].
    Time: passes; what differed between channels differs between positions then.
    Source: torch.nn.PixelShuffle; arXiv 1609.05158.""",
    (FACTOR,), shuffle_effects, shuffle_lower, shuffle_infer,
)  # fmt: skip

PIXEL_UNSHUFFLE = Op(
    "PixelUnshuffle",
    """Positions become channels: each patch a position.

    Shape: f32[B,C,r H,r W] -> f32[B,C r^2,H,W].
    Time: passes; what differed between positions differs between channels then.
    Source: torch.nn.PixelUnshuffle.""",
    (FACTOR,), unshuffle_effects, unshuffle_lower, unshuffle_infer,
)  # fmt: skip
