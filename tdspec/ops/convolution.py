"""Conv: convolution over the positions.

Geometry that ConcatConv and the poolings share is here too.
"""

from __future__ import annotations

from itertools import product
from math import prod
from typing import Any

from tdspec.ops.effects import Constant, Effect, Linear
from tdspec.ops.op import Call, Lowered, Op, Param, Site, Weight
from tdspec.ops.padding import PADDING, padding_of
from tdspec.ops.shape import Shape, ShapeError

PAD_MODES = ("zeros", "circular", "reflect", "replicate")

OUT = Param(
    "out",
    "count",
    None,
    "Output channels. A block's first convolution goes to the block's `out`, a later one keeps.",
    minimum=1,
    maximum=1 << 20,
)
STRIDE = Param("stride", "count", 1, "Step between output positions.", minimum=1)
PAD_MODE = Param(
    "pad_mode",
    "choice",
    "zeros",
    "What is padded with. Zeros break a constant at the border, the others do not.",
    choices=PAD_MODES,
)
BIAS = Param("bias", "flag", True, "Whether a bias is added.")
INIT = Param("init", "init", None, "How the weight starts; without it, the spec's `init` for its role, else PyTorch's.")
BIAS_INIT = Param(
    "bias_init",
    "init",
    None,
    "How the bias starts; without it, the spec's `init` for its role, else PyTorch's.",
)
PARAMS = (
    OUT, STRIDE, PADDING, PAD_MODE, BIAS, INIT, BIAS_INIT,
    Param("groups", "count", 1, "Channel groups that do not see each other; `C` is depthwise.", minimum=1),
    Param("dilation", "count", 1, "Distance between the positions a kernel sees.", minimum=1),
)  # fmt: skip


def kernel_of(site: Site) -> tuple[int, ...]:
    """The kernel's extent on each spatial axis, from the suffix (`Conv3x3`) or the default."""
    kernel: tuple[int, ...] = site["kernel"]
    rank = len(site.x.spatial)
    if len(set(kernel)) == 1:
        return kernel[:1] * rank
    if len(kernel) != rank:
        raise ShapeError("TD203", f"a {'x'.join(map(str, kernel))} kernel on {rank} spatial axes")
    return kernel


def need_map(site: Site, name: str) -> None:
    """Refuse a vector where a map is needed."""
    if not site.x.spatial:
        raise ShapeError(
            "TD203",
            f"`{name}` needs a map with positions, but gets the vector {site.x}",
            help="put it before `GAP` or `Flatten`, or use `FC`",
        )


def window_shape(
    site: Site, name: str, channels: int, kernel: tuple[int, ...], strides: tuple[int, ...], dilation: int = 1
) -> Shape:
    """The shape that a window sliding over the map leaves."""
    padding = padding_of(site, kernel, dilation)
    spatial = tuple(
        (extent + sum(pad) - dilation * (window - 1) - 1) // stride + 1
        for extent, pad, window, stride in zip(site.x.spatial, padding, kernel, strides, strict=True)
    )
    most = max(map(max, padding))
    if min(spatial) < 1:
        raise ShapeError(
            "TD203",
            f"`{name}` has a {'x'.join(map(str, kernel))} kernel, but the map is "
            f"{'x'.join(map(str, site.x.spatial))} with padding {most}",
            help="use a smaller kernel, more padding, or fewer strides before it",
        )
    mode = site.arguments.get("pad_mode", "zeros")
    room = {"reflect": -1, "circular": 0}.get(mode)  # what is mirrored or wrapped must be on the map
    if room is not None and any(max(pad) > extent + room for pad, extent in zip(padding, site.x.spatial, strict=True)):
        raise ShapeError(
            "TD203",
            f"`{name}` cannot pad a {'x'.join(map(str, site.x.spatial))} map by {most} with pad_mode={mode}",
            argument="pad_mode",
            help="use pad_mode=zeros or replicate, or a smaller kernel",
            shape=Shape(channels, spatial),
        )
    return Shape(channels, spatial)


def infer(site: Site) -> Shape:
    need_map(site, "Conv")
    groups, out = site["groups"], site["out"]
    for what, count in (("input", site.x.channels), ("output", out)):
        if count % groups:
            raise ShapeError(
                "TD202",
                f"{groups} convolution groups do not divide {count} {what} channels",
                argument="groups",
            )
    kernel = kernel_of(site)
    return window_shape(site, "Conv", out, kernel, (site["stride"],) * len(kernel), site["dilation"])


def _seen(site: Site) -> list[list[float]]:
    """On every axis, for each position of the kernel the fraction of output positions at which it lies on the map."""
    kernel = kernel_of(site)
    dilation = site.arguments.get("dilation", 1)
    return [
        [_hits(extent, out, site["stride"], tap * dilation - before) / out for tap in range(window)]
        for extent, out, (before, _), window in zip(
            site.x.spatial, site.y.spatial, padding_of(site, kernel, dilation), kernel, strict=True
        )
    ]


def _hits(extent: int, out: int, stride: int, start: int) -> int:
    """How many of start, start + stride, ..., `out` of them, lie in 0 to extent - 1."""
    first = max(0, -(start // stride))
    last = min(out - 1, (extent - 1 - start) // stride)
    return max(0, last - first + 1)


def blind(site: Site) -> bool:
    """Whether all that the kernel ever sees is the zeros around the map: a 1x1 kernel with padding and stride."""
    return site["pad_mode"] == "zeros" and any(not any(axis) for axis in _seen(site))


def linear(site: Site, bias: bool) -> Linear:
    """What a convolution of this geometry does to time."""
    kernel = kernel_of(site)
    padded = any(map(any, padding_of(site, kernel, site.arguments.get("dilation", 1))))
    zeros = padded and site["pad_mode"] == "zeros"
    terms = site.x.channels // int(site.arguments.get("groups", 1)) * prod(kernel)
    seen = tuple(map(prod, product(*_seen(site)))) if zeros else (1.0,) * prod(kernel)
    around = site["pad_mode"] == "circular" and site.x.spatial == site.y.spatial
    even = site["stride"] == 1 and ((max(kernel) == 1 and not padded) or around)
    return Linear(max(kernel) > 1, "zeros" if zeros else "keeping", bias, terms, seen, even)


def effects(site: Site) -> tuple[Effect, ...]:
    return (Constant(),) if blind(site) else (linear(site, site["bias"]),)


def geometry(site: Site) -> dict[str, Any]:
    """Keyword arguments of a convolution's module that differ from its defaults.

    `pad` is there where the two sides differ, which torch's own modules do not know: in the order
    of `torch.nn.functional.pad`, the last axis first.
    """
    kernel = kernel_of(site)
    padding = padding_of(site, kernel, site.arguments.get("dilation", 1))
    found: dict[str, Any] = {}
    if site["stride"] != 1:
        found["stride"] = site["stride"]
    if not any(map(any, padding)):
        return found
    if any(before != behind for before, behind in padding):
        found["pad"] = tuple(side for pad in reversed(padding) for side in pad)
    else:
        found["padding"] = padding[0][0] if len(set(padding)) == 1 else tuple(before for before, _ in padding)
    if site["pad_mode"] != "zeros":
        found["padding_mode"] = site["pad_mode"]
    return found


def lower(site: Site) -> Lowered:
    kernel = kernel_of(site)
    more = geometry(site)
    for name, plain in (("dilation", 1), ("groups", 1), ("bias", True)):
        if site[name] != plain:
            more[name] = site[name]
    size = kernel[0] if len(set(kernel)) == 1 else kernel
    target = "tdspec.backend.modules.convolution:PaddedConv" if "pad" in more else "torch.nn:Conv"
    return Lowered(Call(f"{target}{len(kernel)}d", (site.x.channels, site.y.channels, size), more))


def weights(site: Site) -> tuple[Weight, ...]:
    positions = prod(kernel_of(site))
    fans = (site.x.channels // site["groups"] * positions, site["out"] * positions)
    return weight_and_bias(site, fans)


def weight_and_bias(site: Site, fans: tuple[int, int]) -> tuple[Weight, ...]:
    found = [Weight("weight", "operand", fans=fans)]
    if site["bias"]:
        found.append(Weight("bias", "operand", bias=True, by="bias_init", fans=fans))
    return tuple(found)


CONV = Op(
    "Conv",
    """Convolution with zero padding that keeps the map's size unless told otherwise.

    Shape: f32[B,C,H,W] -> f32[B,out,H',W']. The kernel is a suffix, `Conv1x1`; without one, 3x3.
    Time: linear over channels; zero padding makes a constant differ at the border.
    Source: torch.nn.Conv2d (Conv1d and Conv3d on maps of one and three axes).""",
    PARAMS, effects, lower, infer, weights, width="out", kernel=3,
)  # fmt: skip
