"""Activations: fixed functions of each element."""

from __future__ import annotations

from collections.abc import Callable
from math import erf, exp, expm1, log1p, sqrt, tanh
from typing import NamedTuple

from tdspec.ops.effects import Effect, Pointwise
from tdspec.ops.op import Call, Lowered, Op, Param, Site


class Activation(NamedTuple):
    """Facts of one activation.

    formula      what it is
    function     the same in Python
    homogeneous  whether f(a x) = a f(x) for a > 0
    """

    formula: str
    function: Callable[[float], float]
    homogeneous: bool = False


# By name, which is that of the module in torch.nn.
ACTIVATIONS = {
    "ReLU": Activation("max(x, 0)", lambda x: max(x, 0.0), homogeneous=True),
    "LeakyReLU": Activation("x for x > 0, else 0.01 x", lambda x: x if x > 0 else 0.01 * x, homogeneous=True),
    "SiLU": Activation("x sigmoid(x), also called Swish", lambda x: x / (1 + exp(-x))),
    "ELU": Activation("x for x > 0, else exp(x) - 1", lambda x: x if x > 0 else expm1(x)),
    "Softplus": Activation("log(1 + exp(x))", lambda x: max(x, 0.0) + log1p(exp(-abs(x)))),
    "Sigmoid": Activation("1 / (1 + exp(-x))", lambda x: 1 / (1 + exp(-x))),
    "Tanh": Activation("tanh(x)", tanh),
    "GELU": Activation("x times the normal distribution function of x", lambda x: x * (1 + erf(x / sqrt(2))) / 2),
}
ACTIVATION_NAMES = tuple(ACTIVATIONS)


def _activation(name: str, facts: Activation) -> Op:
    def effects(site: Site) -> tuple[Effect, ...]:
        return (Pointwise(facts.function, facts.homogeneous),)

    def lower(site: Site) -> Lowered:
        return Lowered(Call(f"torch.nn:{name}"))

    return Op(
        name,
        f"""Activation: {facts.formula}.

    Shape: unchanged.
    Time: mixes t into the tensor; what a norm could take out before, it cannot any more.
    Source: torch.nn.{name}.""",
        (), effects, lower, aliases=("Swish",) if name == "SiLU" else (),
    )  # fmt: skip


def act_effects(site: Site) -> tuple[Effect, ...]:
    facts = ACTIVATIONS[site["kind"]]
    return (Pointwise(facts.function, facts.homogeneous),)


def act_lower(site: Site) -> Lowered:
    return Lowered(Call(f"torch.nn:{site['kind']}"))


ACT = Op(
    "Act",
    """The spec's activation, chosen by `defaults: {Act: SiLU}`; ReLU unless it says.

    Shape: unchanged.
    Time: mixes t into the tensor.
    Source: the papers' own word in their pipelines.""",
    (Param("kind", "choice", "ReLU", "Which activation.", choices=ACTIVATION_NAMES),),
    act_effects, act_lower,
)  # fmt: skip


def gelu_lower(site: Site) -> Lowered:
    return Lowered(Call("torch.nn:GELU", (), {"approximate": "tanh"} if site["approximate"] == "tanh" else {}))


APPROXIMATE = Param("approximate", "choice", "none", "`tanh` is the published approximation.", choices=("none", "tanh"))
GELU = _activation("GELU", ACTIVATIONS["GELU"])._replace(params=(APPROXIMATE,), lower=gelu_lower)

ACTIVATION_OPS = (ACT, *(_activation(name, facts) for name, facts in ACTIVATIONS.items() if name != "GELU"), GELU)
