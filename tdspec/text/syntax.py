"""The syntax tree of the pipeline notation: `[GN(C/4) – Act – Conv3x3(64, bias=false)*2]`.

Frozen, torch-free, and with a span on every part. `notation.py` reads and prints it,
`expression.py` evaluates its expressions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Union

if TYPE_CHECKING:
    from tdspec.text.source import Span


@dataclass(frozen=True, slots=True)
class Number:
    """`4`, `0.1`, `1e-3`; an int where it is written without point and exponent."""

    value: int | float
    span: Span


@dataclass(frozen=True, slots=True)
class Name:
    """`C`, `in`, `out`, a block's parameter, or a word such as `nearest`, `true`, `zeros`."""

    id: str
    span: Span


@dataclass(frozen=True, slots=True)
class Negate:
    """`-x`."""

    operand: Expression
    span: Span


@dataclass(frozen=True, slots=True)
class Binary:
    """`left operator right` with one of `+ - * /`; `/` floors between integers."""

    operator: str
    left: Expression
    right: Expression
    span: Span


@dataclass(frozen=True, slots=True)
class Invoke:
    """`min(C/4, 32)`, `normal(0.02)`: a function of arithmetic or an initialisation rule."""

    function: str
    arguments: tuple[Expression, ...]
    span: Span


Expression = Union[Number, Name, Negate, Binary, Invoke]


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a step: positional where `name` is None."""

    name: str | None
    value: Expression
    span: Span


@dataclass(frozen=True, slots=True)
class Step:
    """One step: an op or a block, its kernel suffix, arguments and repeat.

    name       `Conv` of `Conv3x3(64)*2`
    kernel     `(3, 3)`, or None where no suffix is given
    arguments  in the order written, positional ones first
    repeat     2; 1 where none is given
    """

    name: str
    kernel: tuple[int, ...] | None
    arguments: tuple[Argument, ...]
    repeat: int
    span: Span
    name_span: Span


@dataclass(frozen=True, slots=True)
class Pipeline:
    """An ordered list of steps; an empty one is the identity."""

    steps: tuple[Step, ...]
    span: Span
