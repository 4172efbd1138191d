"""Normalisation layers. What matters for time is the unit over which the mean is taken out."""

from __future__ import annotations

from collections.abc import Collection
from math import gcd, isqrt

from tdspec.ops.effects import Effect, Normalise
from tdspec.ops.op import Call, Lowered, Op, Param, Rule, Site, Weight
from tdspec.ops.shape import Shape, ShapeError

# Without eps a unit of equal values, such as a channel that a ReLU has emptied, would give 0/0.
EPS = Param("eps", "number", 1e-5, "Added to the variance.", minimum=1e-12)
AFFINE = Param("affine", "flag", True, "Whether a learned weight and bias per channel follow.")


WEIGHT = Weight("weight", "norm", start=Rule("ones"), by="")
BIAS = Weight("bias", "norm", bias=True, start=Rule("zeros"), by="")


def weights(site: Site) -> tuple[Weight, ...]:
    return (WEIGHT, BIAS) if site["affine"] else ()


def options(site: Site) -> dict[str, object]:
    """Keyword arguments of a torch norm that differ from its defaults."""
    found: dict[str, object] = {}
    if site["eps"] != 1e-5:
        found["eps"] = site["eps"]
    if not site["affine"]:
        found["affine"] = False
    return found


def divisors(number: int) -> list[int]:
    small = [count for count in range(1, isqrt(number) + 1) if number % count == 0]
    return sorted({*small, *(number // count for count in small)})


def nearest_divisors(groups: int, channels: int) -> tuple[int, ...]:
    """The divisors of `channels` next below and above `groups`."""
    found = divisors(channels)
    below = max(count for count in found if count <= max(groups, 1))
    above = [count for count in found if count > groups]
    return (below, above[0]) if above else (below,)


def groups_for(channels: Collection[int], most: int, width: int = 1) -> int:
    """The greatest number of groups, up to `most`, that divides each of several numbers of channels.

    width  least number of channels in a group, as long as one group does not hold fewer
    """
    found = divisors(gcd(*channels))
    return max((count for count in found if count <= most and min(channels) // count >= width), default=1)


def group_infer(site: Site) -> Shape:
    groups, channels = site["groups"], site.x.channels
    if groups < 1 or channels % groups:
        choices = " or ".join(map(str, nearest_divisors(groups, channels)))
        raise ShapeError(
            "TD201",
            f"{groups} groups do not divide {channels} channels",
            argument="groups",
            help=f"use {choices} groups, or a rule such as `GN(min(C/4, 32))`",
            shape=site.x,
        )
    return site.x


def group_effects(site: Site) -> tuple[Effect, ...]:
    return (Normalise(site["groups"], batch=False, space=True, affine=site["affine"]),)


def group_lower(site: Site) -> Lowered:
    return Lowered(Call("torch.nn:GroupNorm", (site["groups"], site.x.channels), options(site)))


GN = Op(
    "GN",
    """Group normalisation: mean and variance over the positions and C/G channels of a sample.

    Shape: unchanged. `groups` may be an expression of C: `GN(C/4)`, `GN(min(C/4, 32))`.
    Time: of independent offsets per channel it keeps 1 - G/C of the energy; nothing at G = C.
    Source: arXiv 1803.08494; arXiv 2405.14126, section 3.3.""",
    (Param("groups", "count", 32, "Number of groups G; must divide the channels.", minimum=1), EPS, AFFINE),
    group_effects, group_lower, group_infer, weights,
)  # fmt: skip


def batch_effects(site: Site) -> tuple[Effect, ...]:
    return (Normalise(site.x.channels, batch=True, space=True, affine=site["affine"]),)


def batch_lower(site: Site) -> Lowered:
    more = options(site)
    if site["momentum"] != 0.1:
        more["momentum"] = site["momentum"]
    rank = max(len(site.x.spatial), 1)
    return Lowered(Call(f"torch.nn:BatchNorm{rank}d", (site.x.channels,), more))


BN = Op(
    "BN",
    """Batch normalisation: each channel's mean and variance over samples and positions.

    Shape: unchanged.
    Time: in training it takes out an offset per channel that all samples share (a neural ODE's
    t); in evaluation it is a fixed affine map and takes out nothing.
    Source: arXiv 1502.03167; arXiv 2405.14126, section 2.2, equation 5.""",
    (EPS, AFFINE, Param("momentum", "number", 0.1, "Weight of the newest batch.", minimum=0, maximum=1)),
    batch_effects, batch_lower, weights=weights,
)  # fmt: skip


def instance_effects(site: Site) -> tuple[Effect, ...]:
    return (Normalise(site.x.channels, batch=False, space=True, affine=site["affine"]),)


def instance_infer(site: Site) -> Shape:
    if not site.x.spatial:
        raise ShapeError(
            "TD203",
            f"`IN` needs a map with positions, but gets the vector {site.x}",
            help="use `LN` on vectors",
        )
    if site.x.positions == 1:
        raise ShapeError(
            "TD203",
            f"`IN` on the map {site.x} has a single value in each unit, of which nothing would be left",
            help="use `LN`, whose unit holds all channels, or normalise where the map is larger",
        )
    return site.x


def instance_lower(site: Site) -> Lowered:
    more: dict[str, object] = {} if site["eps"] == 1e-5 else {"eps": site["eps"]}
    if site["affine"]:  # torch's default is without
        more["affine"] = True
    return Lowered(Call(f"torch.nn:InstanceNorm{len(site.x.spatial)}d", (site.x.channels,), more))


IN = Op(
    "IN",
    """Instance normalisation: each channel's mean and variance over the positions of a sample.

    Shape: unchanged.
    Time: takes out every offset per channel, shared or per sample.
    Source: arXiv 1607.08022; arXiv 2405.14126, section 2.2.""",
    (EPS, AFFINE), instance_effects, instance_lower, instance_infer, weights,
)  # fmt: skip


def layer_effects(site: Site) -> tuple[Effect, ...]:
    return (Normalise(1, batch=False, space=True, affine=site["affine"]),)


def layer_lower(site: Site) -> Lowered:
    return Lowered(Call("torch.nn:GroupNorm", (1, site.x.channels), options(site)))


LN = Op(
    "LN",
    """Layer normalisation over the whole sample, as the paper has it: {C, S} in one unit.

    Shape: unchanged. Equals GN with one group; weight and bias per channel.
    Time: keeps all but the common mean of offsets per channel.
    Source: arXiv 1607.06450; arXiv 2405.14126, section 2.2.""",
    (EPS, AFFINE), layer_effects, layer_lower, weights=weights,
)  # fmt: skip


def channel_effects(site: Site) -> tuple[Effect, ...]:
    return (Normalise(1, batch=False, space=False, affine=site["affine"]),)


def channel_lower(site: Site) -> Lowered:
    more = options(site)
    if site.x.spatial:
        return Lowered(Call("tdspec.backend.modules.channel_norm:ChannelLayerNorm", (site.x.channels,), more))
    if "affine" in more:
        more["elementwise_affine"] = more.pop("affine")
    return Lowered(Call("torch.nn:LayerNorm", (site.x.channels,), more))


CHANNEL_LN = Op(
    "ChannelLN",
    """Layer normalisation over the channels at each position, as in ConvNeXt and transformers.

    Shape: unchanged.
    Time: takes out exactly what all channels share, a positional embedding among it.
    Source: arXiv 1607.06450 as used in arXiv 2201.03545.""",
    (EPS, AFFINE), channel_effects, channel_lower, weights=weights,
)  # fmt: skip


def rms_effects(site: Site) -> tuple[Effect, ...]:
    return (Normalise(1, batch=False, space=False, centre=False, affine=site["affine"]),)


def rms_weights(site: Site) -> tuple[Weight, ...]:
    return (WEIGHT,) if site["affine"] else ()


def rms_lower(site: Site) -> Lowered:
    return Lowered(Call("tdspec.backend.modules.channel_norm:ChannelRMSNorm", (site.x.channels,), options(site)))


RMSN = Op(
    "RMSN",
    """Root-mean-square normalisation over the channels at each position; no mean is removed.

    Shape: unchanged.
    Time: takes out a common scale only; offsets pass.
    Source: arXiv 1910.07467.""",
    (EPS, AFFINE), rms_effects, rms_lower, weights=rms_weights,
)  # fmt: skip

NORMS = (GN, BN, IN, LN, CHANNEL_LN, RMSN)
