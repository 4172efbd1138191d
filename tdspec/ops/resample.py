"""Up and Down: change the map's size by a factor of two without learned weights."""

from __future__ import annotations

from tdspec.ops.convolution import need_map
from tdspec.ops.effects import Effect, Pool, Resize
from tdspec.ops.op import Call, Lowered, Op, Param, Site
from tdspec.ops.shape import Shape, ShapeError

UP_KIND = Param("kind", "choice", "nearest", "Interpolation.", choices=("nearest", "bilinear"))
DOWN_KIND = Param("kind", "choice", "mean", "What is kept of each window.", choices=("mean", "max"))
FACTOR = Param("factor", "count", 2, "Factor between the map's sizes.", minimum=2)


def up_infer(site: Site) -> Shape:
    need_map(site, "Up")
    if site["kind"] == "bilinear" and len(site.x.spatial) != 2:
        raise ShapeError("TD203", "bilinear interpolation needs two spatial axes", argument="kind")
    return Shape(site.x.channels, tuple(extent * site["factor"] for extent in site.x.spatial))


def up_effects(site: Site) -> tuple[Effect, ...]:
    return (Resize(copies=site["kind"] == "nearest"),)


def up_lower(site: Site) -> Lowered:
    more = {"scale_factor": site["factor"]}
    return Lowered(Call("torch.nn:Upsample", (), more if site["kind"] == "nearest" else {**more, "mode": "bilinear"}))


UP = Op(
    "Up",
    """Larger map by copying or interpolating positions.

    Shape: f32[B,C,H,W] -> f32[B,C,2H,2W].
    Time: passes.
    Source: torch.nn.Upsample.""",
    (UP_KIND, FACTOR), up_effects, up_lower, up_infer,
)  # fmt: skip


def down_infer(site: Site) -> Shape:
    need_map(site, "Down")
    factor = site["factor"]
    if any(extent % factor for extent in site.x.spatial):
        raise ShapeError(
            "TD203",
            f"a {'x'.join(map(str, site.x.spatial))} map does not divide by {factor}",
            argument="factor",
        )
    return Shape(site.x.channels, tuple(extent // factor for extent in site.x.spatial))


def down_effects(site: Site) -> tuple[Effect, ...]:
    return (Pool("mean" if site["kind"] == "mean" else "max", whole=site.y.positions == 1),)


def down_lower(site: Site) -> Lowered:
    module = "AvgPool" if site["kind"] == "mean" else "MaxPool"
    return Lowered(Call(f"torch.nn:{module}{len(site.x.spatial)}d", (site["factor"],)))


DOWN = Op(
    "Down",
    """Smaller map by the mean or the maximum of windows that do not overlap.

    Shape: f32[B,C,H,W] -> f32[B,C,H/2,W/2].
    Time: passes.
    Source: torch.nn.AvgPool2d, torch.nn.MaxPool2d.""",
    (DOWN_KIND, FACTOR), down_effects, down_lower, down_infer,
)  # fmt: skip
