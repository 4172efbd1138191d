"""Sizes at initialisation: how large time's part is beside what it is added to, from the rules that weights start by.

Mean squares are carried through the graph, over the draw of the weights and the positions: a norm gives 1, a sum of
n products with weights of standard deviation s multiplies by n s^2, an activation is integrated over a normal
distribution. What is not known (the data before the first norm, attention) gives None, and so does all that follows.
"""

from __future__ import annotations

from collections.abc import Callable
from math import exp, pi, sqrt
from typing import NamedTuple

from tdspec.facts.scope import Scope
from tdspec.graph.graph import TIME, Graph, Node
from tdspec.ops.effects import (
    Channelwise,
    Cut,
    Effect,
    Fixed,
    Flattened,
    Gathered,
    Joined,
    Linear,
    Normalise,
    Offset,
    Pointwise,
    Scattered,
    Sum,
    Waves,
)
from tdspec.ops.init import RULES, needs_fans
from tdspec.ops.op import Role

Power = float | None


class Sizes(NamedTuple):
    """Standard deviations at a step that adds time: of what it adds at t of the largest size, and of the rest."""

    time: float
    operand: float

    @property
    def ratio(self) -> float:
        """Operand over time."""
        return self.operand / self.time if self.time > 0 else float("inf")


def sizes(scope: Scope) -> dict[str, Sizes]:
    """For every source that adds to a tensor of known size, by its dotted path."""
    found: dict[str, Sizes] = {}
    times = scope.ode.t if scope.ode is not None else (0.0, 1.0)
    _Pass(max(abs(t) for t in times), found).run(scope.graph, {}, "")
    return found


def normal_mean(function: Callable[[float], float], power: float) -> float:
    """The mean of function(z)^2 for z normal with mean 0 and mean square `power`."""
    std, steps, reach = sqrt(power), 400, 8.0
    width = 2 * reach / steps
    points = (-reach + (index + 0.5) * width for index in range(steps))
    return sum(function(std * x) ** 2 * exp(-x * x / 2) for x in points) * width / sqrt(2 * pi)


class _Pass:
    def __init__(self, t: float, found: dict[str, Sizes]) -> None:
        self.t = t
        self.found = found

    def run(self, graph: Graph, incoming: dict[str, Power], prefix: str) -> Power:
        """The mean square at the graph's first output, from those at its inputs."""
        power: dict[str, Power] = {}
        for node in graph:
            path = f"{prefix}{node.name}"
            given = [power[name] for name in node.inputs]
            if node.kind == "input":
                power[node.name] = self.t**2 if node.name == TIME else incoming.get(node.name)
            elif node.graph is not None:
                names = (entry.name for entry in node.graph.inputs)
                power[node.name] = self.run(node.graph, dict(zip(names, given, strict=True)), f"{path}.")
            else:
                power[node.name] = self.step(node, given, path)
        return power[next(iter(graph.outputs.values()))]

    def step(self, node: Node, given: list[Power], path: str) -> Power:
        if node.op is None or node.site is None or node.site.output is None:
            return None
        time = given.pop() if node.op.needs_time else None
        power = given[0]
        for effect in node.op.effects(node.site):
            if isinstance(effect, Offset):
                power = self.offset(effect, node, power, time, path)
            else:
                power = after(effect, node, power, given)
        return power

    def offset(self, effect: Offset, node: Node, power: Power, time: Power, path: str) -> Power:
        if time is None:
            return None
        source = normal_mean(effect.act, time) if effect.act is not None else time
        terms = node.site.embedding or 1 if node.site is not None else 1
        added = source * terms * sum(effect.seen) * variance(node, "time") + variance(node, "time", bias=True)
        if power is None:
            return None
        self.found[path] = Sizes(sqrt(added), sqrt(power))
        return power + added


def after(effect: Effect, node: Node, power: Power, given: list[Power]) -> Power:
    """The mean square behind an effect other than a source's."""
    match effect:
        case Normalise():
            return 1.0
        case Sum() | Joined():
            known = [item for item in given if item is not None]
            share = len(known) if isinstance(effect, Joined) else 1
            return sum(known) / share if len(known) == len(given) else None
        case Waves():
            return 0.5  # the squares of a sine and its cosine add up to 1
    if power is None:
        return None
    match effect:
        case Linear():
            role: Role = next((weight.role for weight, _ in node.starts if not weight.bias), "operand")
            part = power * effect.terms * sum(effect.seen) / len(effect.seen) * variance(node, role)
            return part + (variance(node, role, bias=True) if effect.bias else 0)
        case Pointwise():
            return normal_mean(effect.function, power)
        case Channelwise():
            return power * effect.factor**2
        case Flattened() | Cut() | Gathered() | Scattered():
            return power
        case Fixed():
            return power + effect.power
    return None


def variance(node: Node, role: Role, *, bias: bool = False) -> float:
    """The mean square with which a weight of the node starts, or its bias."""
    for weight, rule in node.starts:
        if weight.role == role and weight.bias == bias and weight.fans is not None:
            fan_in, fan_out = weight.fans
            if weight.part is not None and needs_fans(rule):  # a rule is drawn for the slice alone
                whole = max(other.part[1] for other, _ in node.starts if other.part is not None)
                fan_in = fan_in // whole * (weight.part[1] - weight.part[0])
            return RULES[rule.kind].rms(rule.arguments, fan_in, fan_out) ** 2
    return 0.0
