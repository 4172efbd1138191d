"""Scale and Shift: one number for all elements."""

from __future__ import annotations

from tdspec.ops.activation import ACTIVATION_NAMES, ACTIVATIONS
from tdspec.ops.effects import Channelwise, Constant, Effect, Fixed
from tdspec.ops.op import REQUIRED, Call, Lowered, Op, Param, Rule, Site, Weight


def scale_effects(site: Site) -> tuple[Effect, ...]:
    squash = site["squash"]
    factor = site["by"] if squash == "none" else ACTIVATIONS[squash].function(site["by"])
    return (Constant(),) if factor == 0 and not site["learned"] else (Channelwise(factor),)


def scale_lower(site: Site) -> Lowered:
    if not site["learned"] and site["squash"] == "none":
        return Lowered(function=Call("operator:mul", (site["by"],)))
    more: dict[str, object] = {} if site["learned"] else {"learned": False}
    if site["squash"] != "none":
        more["squash"] = Call(f"torch.nn:{site['squash']}")
    return Lowered(Call("tdspec.backend.modules.scale:Scale", (site["by"],), more))


def scale_weights(site: Site) -> tuple[Weight, ...]:
    if not site["learned"]:
        return ()
    return (Weight("factor", "operand", start=Rule("constant", (float(site["by"]),)), by=""),)


SCALE = Op(
    "Scale",
    """Multiplication by one number, fixed or learned, behind a squashing function if wanted.

    Shape: unchanged. `Scale(-3, learned=true, squash=Sigmoid)` is HBNODE's damping.
    Time: passes.
    Source: arXiv 2110.04840, section 3 (learned damping).""",
    (
        Param("by", "number", REQUIRED, "The factor, or where a learned one starts (before `squash`)."),
        Param("learned", "flag", False, "Whether the factor is learned."),
        Param("squash", "choice", "none", "Function applied to the factor.", choices=("none", *ACTIVATION_NAMES)),
    ),
    scale_effects, scale_lower, weights=scale_weights,
)  # fmt: skip


def shift_effects(site: Site) -> tuple[Effect, ...]:
    return (Fixed(site["by"] ** 2),)


def shift_lower(site: Site) -> Lowered:
    by = site["by"]
    return Lowered(function=Call("operator:add", (by,)) if by >= 0 else Call("operator:sub", (-by,)))


SHIFT = Op(
    "Shift",
    """A number is added.

    Shape: unchanged. `Scale(2)–Shift(-1)` brings [0, 1] to [-1, 1].
    Time: passes.
    Source: torch.add.""",
    (Param("by", "number", REQUIRED, "The number."),),
    shift_effects, shift_lower,
)  # fmt: skip
