"""ScaleShift and Gate: time multiplies the tensor."""

from __future__ import annotations

from tdspec.ops.activation import ACTIVATION_NAMES
from tdspec.ops.effects import Effect, Modulate
from tdspec.ops.embedding import PARAMS, projection, projection_weights, weights
from tdspec.ops.op import Call, Lowered, Op, Param, Site, Weight


def scale_shift_effects(site: Site) -> tuple[Effect, ...]:
    return (Modulate(shift=True),)


def scale_shift_lower(site: Site) -> Lowered:
    return projection(site, "ScaleShift", site.x.channels)


def scale_shift_weights(site: Site) -> tuple[Weight, ...]:
    return projection_weights(site, 2 * site.x.channels)


SCALE_SHIFT = Op(
    "ScaleShift",
    """Feature-wise modulation by time: x (1 + scale) + shift, one of each per channel.

    Shape: f32[B,C,...] and the embedding f32[B,E] -> f32[B,C,...].
    Time: behind a norm nothing can take it out; right before a norm with one channel per unit
    only the sign of the scale is left.
    Source: FiLM, arXiv 1709.07871; in diffusion, arXiv 2102.09672, section 2.""",
    PARAMS, scale_shift_effects, scale_shift_lower, weights=scale_shift_weights,
    takes="embedding", aliases=("FiLM",),
)  # fmt: skip

SQUASH = Param(
    "squash",
    "choice",
    "none",
    "Function that bounds the factor; `Sigmoid` and `Softplus` keep it positive.",
    choices=("none", *ACTIVATION_NAMES),
)


def gate_effects(site: Site) -> tuple[Effect, ...]:
    return (Modulate(shift=False, positive=site["squash"] in ("Sigmoid", "Softplus")),)


def gate_lower(site: Site) -> Lowered:
    lowered = projection(site, "Gate", site.x.channels)
    if site["squash"] == "none" or lowered.module is None:
        return lowered
    call = lowered.module
    return Lowered(Call(call.target, call.args, {**call.kwargs, "squash": Call(f"torch.nn:{site['squash']}")}))


GATE = Op(
    "Gate",
    """Multiplication of each channel by a factor made from time.

    Shape: f32[B,C,...] and the embedding f32[B,E] -> f32[B,C,...]: x squash(Linear(Act(e))).
    Time: a scale; right before a norm with one channel per unit only its sign is left.
    Source: adaLN-Zero's gate, arXiv 2212.09748, section 3.2.""",
    (*PARAMS, SQUASH), gate_effects, gate_lower, weights=weights, takes="embedding",
)  # fmt: skip
