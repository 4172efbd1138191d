"""What the embedding is fed with, `time.argument`, affine in t: `1000*t`, `1 - t`, `log(sigma/2)`, `log(sigma)/4`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from tdspec.language.diffusion import Diffuse, log_sigma
from tdspec.text.expression import ExpressionError, evaluate
from tdspec.text.syntax import Binary, Expression, Invoke, Name, Negate, Number

if TYPE_CHECKING:
    from tdspec.language.spec import Spec

TIME, SIGMA = "t", "sigma"
SHOULD = "should be affine in t, such as `1000*t` or `1 - t`"


class Affine(NamedTuple):
    """slope t + start, without a unit."""

    slope: float
    start: float

    def at(self, t: float) -> float:
        return self.slope * t + self.start

    def times(self, factor: float) -> Affine:
        return Affine(factor * self.slope, factor * self.start)


VARIABLE = Affine(1.0, 0.0)  # as a function of itself


def time_argument(spec: Spec) -> Affine:
    """What a spec's embedding is fed with, t itself where nothing is written; raises `ExpressionError`."""
    time = spec.time
    if time is None or time.argument is None:
        return VARIABLE
    found = _affine(time.argument, {TIME: VARIABLE}, spec)
    if found.slope == 0:
        help_ = "without t all times are one; `/` floors between whole numbers: write `t/4`, or `0.25*t`"
        raise ExpressionError(time.argument.span, SHOULD, help_)
    if not all(map(math.isfinite, found)):
        raise ExpressionError(time.argument.span, "grows beyond all bounds")
    return found


def _affine(written: Expression, known: Mapping[str, Affine], spec: Spec) -> Affine:
    """An expression as a function of the variable that `known` has; raises `ExpressionError`."""
    names = set(_names(written))
    if not names & {TIME, SIGMA}:
        return Affine(0.0, float(evaluate(written, {TIME: 1.0, SIGMA: 1.0})))
    match written:
        case Name(id=name) if name in known:
            return known[name]
        case Negate(operand=operand):
            return _affine(operand, known, spec).times(-1)
        case Binary(operator="+" | "-" as sign, left=left, right=right):
            one, other = _affine(left, known, spec), _affine(right, known, spec).times(1 if sign == "+" else -1)
            return Affine(one.slope + other.slope, one.start + other.start)
        case Binary(operator="*", left=left, right=right):
            one, other = _affine(left, known, spec), _affine(right, known, spec)
            if one.slope == 0 or other.slope == 0:
                return one.times(other.start) if other.slope == 0 else other.times(one.start)
        case Binary(operator="/", left=left, right=right) if not set(_names(right)) & {TIME, SIGMA}:
            part = evaluate(Binary("/", Number(1.0, left.span), right, written.span), {})
            return _affine(left, known, spec).times(float(part))
        case Invoke(function="log", arguments=(inside,)) if TIME in known and TIME not in names:
            return _log(_affine(inside, {SIGMA: VARIABLE}, spec), written, spec)
    raise ExpressionError(written.span, SHOULD, "sigma stands in a logarithm: `log(sigma)`" if SIGMA in names else "")


def _log(inside: Affine, written: Invoke, spec: Spec) -> Affine:
    """The logarithm of a multiple of sigma, affine in t where sigma grows geometrically."""
    if inside.start != 0 or inside.slope <= 0:
        message = "should take the logarithm of a positive multiple of sigma, such as `log(sigma/2)`"
        raise ExpressionError(written.span, message)
    found = log_sigma(spec.task.noise) if isinstance(spec.task, Diffuse) else None
    if found is None:
        message = "names `sigma`, whose logarithm is affine in t for noise of the kinds `ve` and `edm` alone"
        help_ = "write `task: {kind: diffuse, noise: {kind: ve}}`, or a multiple of t, such as `1000*t`"
        raise ExpressionError(written.span, message, help_)
    start, growth = found
    return Affine(growth, start + math.log(inside.slope))


def _names(written: Expression) -> list[str]:
    """The names that an expression uses."""
    match written:
        case Name(id=name):
            return [name]
        case Negate(operand=operand):
            return _names(operand)
        case Binary(left=left, right=right):
            return _names(left) + _names(right)
        case Invoke(arguments=arguments):
            return [name for argument in arguments for name in _names(argument)]
    return []
