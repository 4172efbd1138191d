"""Emb and PosEmb: an embedding of t added to the tensor."""

from __future__ import annotations

from collections.abc import Callable

from tdspec.ops.activation import ACTIVATION_NAMES, ACTIVATIONS
from tdspec.ops.convolution import BIAS_INIT, INIT
from tdspec.ops.effects import Effect, Offset
from tdspec.ops.op import Call, Lowered, Op, Param, Site, Weight

ACT = Param(
    "act",
    "choice",
    "Act",
    "Activation before the projection; only where the spec has `time.embed`.",
    choices=("Act", "none", *ACTIVATION_NAMES),
)
BIAS = Param(
    "bias",
    "flag",
    None,
    "Whether the projection has a bias; by default only where the spec has `time.embed`.",
)
PARAMS = (ACT, BIAS, INIT, BIAS_INIT)


def has_bias(site: Site) -> bool:
    return bool(site["bias"]) if site["bias"] is not None else site.embedding is not None


def projection_weights(site: Site, outputs: int) -> tuple[Weight, ...]:
    fans = (site.embedding or 1, outputs)
    found = [Weight("projection.weight", "time", fans=fans)]
    if has_bias(site):
        found.append(Weight("projection.bias", "time", bias=True, by="bias_init", fans=fans))
    return tuple(found)


def activation(site: Site) -> Callable[[float], float] | None:
    """What is applied to the embedding before it is projected."""
    if site.embedding is None or site["act"] == "none":
        return None
    return ACTIVATIONS[site["act"]].function


def projection(site: Site, target: str, *outputs: object) -> Lowered:
    """A module that projects the embedding, or t where there is none, and applies it to x."""
    more: dict[str, object] = {}
    if site.embedding is not None and site["act"] != "none":
        more["act"] = Call(f"torch.nn:{site['act']}")
    if not has_bias(site):
        more["bias"] = False
    return Lowered(Call(f"tdspec.backend.modules.embedding:{target}", (site.embedding or 1, *outputs), more))


def lower(site: Site) -> Lowered:
    return projection(site, "Emb", site.x.channels)


def effects(site: Site) -> tuple[Effect, ...]:
    return (Offset(per_channel=True, act=activation(site)),)


def weights(site: Site) -> tuple[Weight, ...]:
    return projection_weights(site, site.x.channels)


EMB = Op(
    "Emb",
    """Additive timestep embedding: one offset for each channel.

    Shape: f32[B,C,...] and the embedding f32[B,E] -> f32[B,C,...]: x + Linear(Act(e)).
    Where the spec has no `time.embed`, x + t v with one learned v per channel.
    Time: an offset per channel, which a norm with one channel per unit takes out.
    Source: arXiv 2006.11239, appendix B; arXiv 2405.14126, section 2.2.""",
    PARAMS, effects, lower, weights=weights, takes="embedding",
)  # fmt: skip


def position_effects(site: Site) -> tuple[Effect, ...]:
    return (Offset(per_channel=False, positional=True, act=activation(site)),)


def position_weights(site: Site) -> tuple[Weight, ...]:
    return projection_weights(site, site.x.positions)


def position_lower(site: Site) -> Lowered:
    return projection(site, "PosEmb", site.x.spatial)


POS_EMB = Op(
    "PosEmb",
    """Positional timestep embedding: one offset for each position, shared by all channels.

    Shape: f32[B,C,H,W] and the embedding f32[B,E] -> f32[B,C,H,W]: x + reshape(Linear(Act(e)), H, W).
    Where the spec has no `time.embed`, x + t p with a learned map p.
    Time: varies inside every unit that spans positions, so BN, IN and GN keep it; a norm over
    the channels at each position takes it out.
    Source: arXiv 2405.14126, section 3.1, equation 6 and figure 5.""",
    PARAMS, position_effects, position_lower, weights=position_weights, takes="embedding",
)  # fmt: skip
