"""Up, Down and Blur: change the map's size, or its sharpness, without learned weights.

The kind `fir` is a low-pass filter with the taps 1, 3, 3, 1 along both axes; source: arXiv 1912.04958 (StyleGAN2).
"""

from __future__ import annotations

from tdspec.ops.convolution import need_map
from tdspec.ops.effects import Effect, Pool, Resize
from tdspec.ops.op import Call, Lowered, Op, Param, Site
from tdspec.ops.shape import Shape, ShapeError

UP_KIND = Param(
    "kind", "choice", "nearest", "Interpolation; `fir` is a low-pass filter.", choices=("nearest", "bilinear", "fir")
)
DOWN_KIND = Param(
    "kind", "choice", "mean", "What is kept of each window; `fir` is a low-pass filter.", choices=("mean", "max", "fir")
)
FACTOR = Param("factor", "count", 2, "Factor between the map's sizes.", minimum=2)


def need_two_axes(site: Site, what: str, argument: str | None = None) -> None:
    if len(site.x.spatial) != 2:
        raise ShapeError("TD203", f"{what} needs two spatial axes", argument=argument)


def need_factor_two(site: Site) -> None:
    if site["factor"] != 2:
        message = f"a low-pass filter resamples by a factor of 2, not {site['factor']}"
        raise ShapeError("TD203", message, argument="factor", help="leave `factor` out, or repeat the step")


def up_infer(site: Site) -> Shape:
    need_map(site, "Up")
    if site["kind"] == "bilinear":
        need_two_axes(site, "bilinear interpolation", "kind")
    if site["kind"] == "fir":
        need_two_axes(site, "a low-pass filter", "kind")
        need_factor_two(site)
    return Shape(site.x.channels, tuple(extent * site["factor"] for extent in site.x.spatial))


def up_effects(site: Site) -> tuple[Effect, ...]:
    return (Resize(copies=site["kind"] == "nearest", padded=site["kind"] == "fir"),)


def up_lower(site: Site) -> Lowered:
    if site["kind"] == "fir":
        return Lowered(Call("tdspec.backend.modules.low_pass:LowPassUp"))
    more = {"scale_factor": site["factor"]}
    return Lowered(Call("torch.nn:Upsample", (), more if site["kind"] == "nearest" else {**more, "mode": "bilinear"}))


UP = Op(
    "Up",
    """Larger map by copying or interpolating positions.

    Shape: f32[B,C,H,W] -> f32[B,C,2H,2W].
    Time: passes; zeros around the map, with `fir`, make the border differ.
    Source: torch.nn.Upsample; fir: arXiv 1912.04958, upsample_2d of score_sde.""",
    (UP_KIND, FACTOR), up_effects, up_lower, up_infer,
)  # fmt: skip


def down_infer(site: Site) -> Shape:
    need_map(site, "Down")
    if site["kind"] == "fir":
        need_two_axes(site, "a low-pass filter", "kind")
        need_factor_two(site)
    factor = site["factor"]
    if any(extent % factor for extent in site.x.spatial):
        raise ShapeError(
            "TD203",
            f"a {'x'.join(map(str, site.x.spatial))} map does not divide by {factor}",
            argument="factor",
        )
    return Shape(site.x.channels, tuple(extent // factor for extent in site.x.spatial))


def down_effects(site: Site) -> tuple[Effect, ...]:
    # Of two positions on an axis the filter takes both alike, so that one that is left is their mean.
    return (
        Pool(
            "max" if site["kind"] == "max" else "mean",
            whole=site.y.positions == 1,
            padded=site["kind"] == "fir",
            even=site["kind"] == "mean",
        ),
    )


def down_lower(site: Site) -> Lowered:
    if site["kind"] == "fir":
        return Lowered(Call("tdspec.backend.modules.low_pass:LowPass", (), {"stride": 2}))
    module = "AvgPool" if site["kind"] == "mean" else "MaxPool"
    return Lowered(Call(f"torch.nn:{module}{len(site.x.spatial)}d", (site["factor"],)))


DOWN = Op(
    "Down",
    """Smaller map by the mean or the maximum of windows that do not overlap, or by a low-pass filter over 4x4.

    Shape: f32[B,C,H,W] -> f32[B,C,H/2,W/2].
    Time: passes; zeros around the map, with `fir`, make the border differ.
    Source: torch.nn.AvgPool2d, torch.nn.MaxPool2d; fir: arXiv 1912.04958, downsample_2d of score_sde.""",
    (DOWN_KIND, FACTOR), down_effects, down_lower, down_infer,
)  # fmt: skip


def blur_infer(site: Site) -> Shape:
    need_map(site, "Blur")
    need_two_axes(site, "a low-pass filter")
    spatial = tuple(extent + 2 * site["padding"] - 3 for extent in site.x.spatial)
    if min(spatial) < 1:
        message = f"a filter over 4x4 does not fit on a {'x'.join(map(str, site.x.spatial))} map"
        raise ShapeError("TD203", message, argument="padding", help="use more padding, or fewer levels before it")
    return Shape(site.x.channels, spatial)


def blur_effects(site: Site) -> tuple[Effect, ...]:
    return (Pool("mean", padded=site["padding"] > 0),)


def blur_lower(site: Site) -> Lowered:
    return Lowered(Call("tdspec.backend.modules.low_pass:LowPass", (), {"padding": site["padding"]}))


BLUR = Op(
    "Blur",
    """Low-pass filter over 4x4 positions, in front of a convolution that leaves positions out.

    Shape: f32[B,C,H,W] -> f32[B,C,H+1,W+1]; behind it, `Conv(stride=2, padding=0)` gives H/2 positions.
    Time: passes; zeros around the map make the border differ.
    Source: arXiv 1912.04958; conv_downsample_2d of score_sde.""",
    (Param("padding", "count", 2, "Zeros on every side of the map.", minimum=0),),
    blur_effects, blur_lower, blur_infer,
)  # fmt: skip

RESAMPLINGS = (UP, DOWN, BLUR)
