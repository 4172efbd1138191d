"""Initialisation rules by name: how many numbers they take, and the root mean square they give."""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt
from typing import NamedTuple

from tdspec.ops.op import Call, Rule


class RuleFacts(NamedTuple):
    """Facts of one rule.

    least, most  how many numbers it takes
    rms          root mean square from its numbers, fan-in and fan-out; where the mean is 0, the standard deviation
    doc          what it draws
    minimum      least value of a number; none is above LARGEST in magnitude
    """

    least: int
    most: int
    rms: Callable[[tuple[float, ...], int, int], float]
    doc: str
    minimum: float = 0.0


LARGEST = 1e30  # beyond, float32 overflows where torch draws


def _scale(arguments: tuple[float, ...]) -> float:
    return arguments[0] if arguments else 1.0


RULES: dict[str, RuleFacts] = {
    "default": RuleFacts(0, 0, lambda a, i, o: 1 / sqrt(3 * i), "As PyTorch does: uniform within 1/sqrt(fan_in)."),
    "zeros": RuleFacts(0, 0, lambda a, i, o: 0.0, "All zero."),
    "ones": RuleFacts(0, 0, lambda a, i, o: 1.0, "All one."),
    "constant": RuleFacts(1, 1, lambda a, i, o: abs(a[0]), "All the given number.", -LARGEST),
    "normal": RuleFacts(1, 1, lambda a, i, o: a[0], "Normal with the given standard deviation."),
    "uniform": RuleFacts(1, 1, lambda a, i, o: a[0] / sqrt(3), "Uniform within plus and minus the given bound."),
    "xavier_uniform": RuleFacts(0, 1, lambda a, i, o: _scale(a) * sqrt(2 / (i + o)), "Glorot's; an optional gain."),
    "xavier_normal": RuleFacts(0, 1, lambda a, i, o: _scale(a) * sqrt(2 / (i + o)), "Glorot's; an optional gain."),
    "kaiming_uniform": RuleFacts(0, 0, lambda a, i, o: sqrt(2 / i), "He's for ReLU, by fan-in."),
    "kaiming_normal": RuleFacts(0, 0, lambda a, i, o: sqrt(2 / i), "He's for ReLU, by fan-in."),
    "lecun_normal": RuleFacts(0, 0, lambda a, i, o: sqrt(1 / i), "Normal with variance 1/fan_in."),
    "fan_avg_uniform": RuleFacts(
        0, 1, lambda a, i, o: sqrt(_scale(a) * 2 / (i + o)),
        "Uniform with variance scale/((fan_in + fan_out)/2), scale 1 unless given; DDPM's.",
    ),
}  # fmt: skip


def is_zero(rule: Rule) -> bool:
    """Whether the rule starts with zeros, so that nothing passes at the start."""
    return rule.kind == "zeros" or rule.arguments[:1] == (0,)


def starter(rule: Rule) -> Call | None:
    """The function of torch.nn.init that draws the rule; None for what the module does by itself."""
    given = rule.arguments
    match rule.kind:
        case "zeros" | "ones":
            return Call(f"torch.nn.init:{rule.kind}_")
        case "constant":
            return Call("torch.nn.init:constant_", (), {"val": given[0]})
        case "normal":
            return Call("torch.nn.init:normal_", (), {"std": given[0]})
        case "uniform":
            return Call("torch.nn.init:uniform_", (), {"a": -given[0], "b": given[0]})
        case "xavier_uniform" | "xavier_normal":
            return Call(f"torch.nn.init:{rule.kind}_", (), {"gain": given[0]} if given else {})
        case "kaiming_uniform" | "kaiming_normal":
            return Call(f"torch.nn.init:{rule.kind}_", (), {"nonlinearity": "relu"})
        case "lecun_normal":
            return Call("torch.nn.init:kaiming_normal_", (), {"nonlinearity": "linear"})
        case "fan_avg_uniform":
            # Glorot's uniform with gain g has variance g^2 / ((fan_in + fan_out) / 2).
            return Call("torch.nn.init:xavier_uniform_", (), {"gain": sqrt(_scale(given))})
        case _:
            return None


def needs_fans(rule: Rule) -> bool:
    """Whether the rule looks at fan-in or fan-out, which a bias does not have."""
    return rule.kind not in ("default", "zeros", "ones", "constant", "normal", "uniform")
