"""Poolings and Flatten: positions are summed up, or become channels."""

from __future__ import annotations

from tdspec.ops.convolution import kernel_of, need_map, window_shape
from tdspec.ops.effects import Effect, Flattened, Pool
from tdspec.ops.op import Call, Lowered, Op, Param, Site
from tdspec.ops.padding import PADDING, padding_of
from tdspec.ops.shape import Shape, ShapeError

STRIDE = Param("stride", "count", None, "Step between windows; by default the window's extent.", minimum=1)
PAD = PADDING._replace(default=0, doc="Positions added on every side; `same` is half the window.", choices=("same",))


def gap_infer(site: Site) -> Shape:
    need_map(site, "GAP")
    return Shape(site.x.channels)


def gap_effects(site: Site) -> tuple[Effect, ...]:
    return (Pool("mean", whole=True, even=True),)


def gap_lower(site: Site) -> Lowered:
    axes = tuple(range(2, 2 + len(site.x.spatial)))
    return Lowered(function=Call("torch:mean", (), {"dim": axes}))


GAP = Op(
    "GAP",
    """Global average pooling: the mean over all positions.

    Shape: f32[B,C,H,W] -> f32[B,C].
    Time: offsets pass. Right behind IN the mean is a constant, and the input is gone with it.
    Source: arXiv 1312.4400.""",
    (), gap_effects, gap_lower, gap_infer,
)  # fmt: skip


def _pool(name: str, kind: str, module: str, time: str) -> Op:
    def strides_of(site: Site) -> tuple[int, ...]:
        kernel = kernel_of(site)
        return (site["stride"],) * len(kernel) if site["stride"] else kernel

    def sides(site: Site) -> tuple[int, ...]:
        """Positions added on each of the two sides of an axis."""
        return tuple(before for before, _ in padding_of(site, kernel_of(site)))

    def infer(site: Site) -> Shape:
        need_map(site, name)
        kernel = kernel_of(site)
        for pad, extent in zip(sides(site), kernel, strict=True):
            if 2 * pad > extent:
                message = f"`{name}` pads by {pad}, more than half of its window of {extent}"
                raise ShapeError("TD203", message, argument="padding", help=f"pad by at most {extent // 2}")
        if len(kernel) == 3 and any(window > extent for window, extent in zip(kernel, site.x.spatial, strict=True)):
            message = f"the window {'x'.join(map(str, kernel))} is larger than the map of {site.x}"
            raise ShapeError("TD203", message, help="torch asks that of three axes, padding or not")
        return window_shape(site, name, site.x.channels, kernel, strides_of(site))

    def effects(site: Site) -> tuple[Effect, ...]:
        kernel, padding = kernel_of(site), sides(site)
        padded = max(padding) > 0
        whole = all(
            pad >= (out - 1) * stride and window >= extent + pad
            for extent, out, pad, window, stride in zip(
                site.x.spatial, site.y.spatial, padding, kernel, strides_of(site), strict=True
            )
        )
        if kind == "max":
            return (Pool("max", whole=whole),)
        tiles = (
            strides_of(site) == kernel
            and not padded
            and not any(extent % window for extent, window in zip(site.x.spatial, kernel, strict=True))
        )
        return (Pool("mean", whole=whole, padded=padded, even=tiles),)

    def lower(site: Site) -> Lowered:
        kernel, padding = kernel_of(site), sides(site)
        more: dict[str, object] = {"padding": padding} if max(padding) else {}
        if strides_of(site) != kernel:
            more["stride"] = site["stride"]
        return Lowered(Call(f"torch.nn:{module}{len(kernel)}d", (kernel,), more))

    return Op(
        name,
        f"""{"Average" if kind == "mean" else "Maximum"} over windows; `{name}2x2` halves a map.

    Shape: f32[B,C,H,W] -> f32[B,C,H',W'].
    Time: {time}
    Source: torch.nn.{module}2d.""",
        (STRIDE, PAD), effects, lower, infer, kernel=2,
    )  # fmt: skip


AVG_POOL = _pool("AvgPool", "mean", "AvgPool", "offsets pass; padding is counted in the mean, so the border differs.")
MAX_POOL = _pool("MaxPool", "max", "MaxPool", "an offset that is the same at all positions passes.")


def flatten_infer(site: Site) -> Shape:
    return Shape(site.x.elements)


def flatten_effects(site: Site) -> tuple[Effect, ...]:
    return (Flattened(),)


def flatten_lower(site: Site) -> Lowered:
    return Lowered(function=Call("torch:flatten", (), {"start_dim": 1}))


FLATTEN = Op(
    "Flatten",
    """All positions of all channels as one vector, channel by channel.

    Shape: f32[B,C,H,W] -> f32[B,C*H*W].
    Time: nothing is lost; a position becomes a channel.
    Source: torch.flatten.""",
    (), flatten_effects, flatten_lower, flatten_infer,
)  # fmt: skip

POOLINGS = (GAP, AVG_POOL, MAX_POOL, FLATTEN)
