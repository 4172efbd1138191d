"""ConcatConv: convolution of the input with t as one more channel."""

from __future__ import annotations

from math import prod

from tdspec.ops import convolution as conv
from tdspec.ops.effects import Constant, Effect, Offset
from tdspec.ops.op import Call, Lowered, Op, Param, Site, Weight
from tdspec.ops.padding import PADDING
from tdspec.ops.shape import Shape

PARAMS = (
    conv.OUT, conv.STRIDE, PADDING, conv.PAD_MODE, conv.BIAS, conv.INIT, conv.BIAS_INIT,
    Param("position", "choice", "first", "Where t stands among the channels.", choices=("first", "last")),
    Param("time_init", "init", None, "How t's slice of the weight starts; without it, by the spec's `init.time`."),
)  # fmt: skip


def infer(site: Site) -> Shape:
    conv.need_map(site, "ConcatConv")
    kernel = conv.kernel_of(site)
    return conv.window_shape(site, "ConcatConv", site["out"], kernel, (site["stride"],) * len(kernel))


def effects(site: Site) -> tuple[Effect, ...]:
    if conv.blind(site):
        return (Constant(),)
    linear = conv.linear(site, site["bias"])
    # Conv over [x; tJ] is conv over x plus t times the kernel's slice applied to ones: one
    # constant per channel, but for the border where zeros are padded (paper, equations 2 to 4).
    return (linear, Offset(per_channel=True, edge=linear.padding == "zeros", seen=linear.seen))


def lower(site: Site) -> Lowered:
    kernel = conv.kernel_of(site)
    more = conv.geometry(site)
    if not site["bias"]:
        more["bias"] = False
    if site["position"] != "first":
        more["position"] = site["position"]
    size = kernel[0] if len(set(kernel)) == 1 else kernel
    rank = len(kernel)
    return Lowered(
        Call(
            f"tdspec.backend.modules.concat_conv:ConcatConv{rank}d",
            (site.x.channels, site.y.channels, size),
            more,
        )
    )


def weights(site: Site) -> tuple[Weight, ...]:
    channels = site.x.channels
    first = site["position"] == "first"
    operand, time = ((1, channels + 1), (0, 1)) if first else ((0, channels), (channels, channels + 1))
    positions = prod(conv.kernel_of(site))
    fans = ((channels + 1) * positions, site["out"] * positions)
    weight, *bias = conv.weight_and_bias(site, fans)
    return (weight._replace(part=operand), weight._replace(role="time", part=time, by="time_init"), *bias)


CONCAT_CONV = Op(
    "ConcatConv",
    """Convolution of [x; tJ], the input with a constant channel t; also called Conv2dTime.

    Shape: f32[B,C,H,W] and t -> f32[B,out,H',W'].
    Time: equals `Conv–Emb` with t v_k, v_k the spatial sum of kernel k's slice for t; under
    zero padding the border sees a smaller kernel and so another constant.
    Source: arXiv 1806.07366, odenet_mnist example; arXiv 2405.14126, equations 2 to 4.""",
    PARAMS, effects, lower, infer, weights, takes="t", width="out", kernel=3,
)  # fmt: skip
