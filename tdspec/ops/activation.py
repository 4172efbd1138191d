"""Activations: fixed functions of each element."""

from __future__ import annotations

from tdspec.ops.effects import Effect, Pointwise
from tdspec.ops.op import Call, Lowered, Op, Param, Site

# name -> (module of torch.nn, whether f(a x) = a f(x) for a > 0, what it is)
ACTIVATIONS = {
    "ReLU": ("ReLU", True, "max(x, 0)"),
    "LeakyReLU": ("LeakyReLU", True, "x for x > 0, else 0.01 x"),
    "SiLU": ("SiLU", False, "x sigmoid(x), also called Swish"),
    "ELU": ("ELU", False, "x for x > 0, else exp(x) - 1"),
    "Softplus": ("Softplus", False, "log(1 + exp(x))"),
    "Sigmoid": ("Sigmoid", False, "1 / (1 + exp(-x))"),
    "Tanh": ("Tanh", False, "tanh(x)"),
    "GELU": ("GELU", False, "x times the normal distribution function of x"),
}
ACTIVATION_NAMES = tuple(ACTIVATIONS)


def _activation(name: str, module: str, homogeneous: bool, formula: str) -> Op:
    def effects(site: Site) -> tuple[Effect, ...]:
        return (Pointwise(homogeneous),)

    def lower(site: Site) -> Lowered:
        return Lowered(Call(f"torch.nn:{module}"))

    return Op(
        name,
        f"""Activation: {formula}.

    Shape: unchanged.
    Time: mixes t into the tensor; what a norm could take out before, it cannot any more.
    Source: torch.nn.{module}.""",
        (), effects, lower, aliases=("Swish",) if name == "SiLU" else (),
    )  # fmt: skip


def act_effects(site: Site) -> tuple[Effect, ...]:
    return (Pointwise(ACTIVATIONS[site["kind"]][1]),)


def act_lower(site: Site) -> Lowered:
    return Lowered(Call(f"torch.nn:{ACTIVATIONS[site['kind']][0]}"))


ACT = Op(
    "Act",
    """The spec's activation, chosen by `defaults: {Act: SiLU}`; ReLU unless it says.

    Shape: unchanged.
    Time: mixes t into the tensor.
    Source: the papers' own word in their pipelines.""",
    (Param("kind", "choice", "ReLU", "Which activation.", choices=ACTIVATION_NAMES),),
    act_effects, act_lower,
)  # fmt: skip

ACTIVATION_OPS = (ACT, *(_activation(name, *facts) for name, facts in ACTIVATIONS.items()))
