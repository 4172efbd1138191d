"""What an op is: parameters, shape, effect on time, weights and lowering, all as data.

An op is one constant of type `Op` in a torch-free file of this folder and one line in the
table of `tdspec.ops`. Its functions take a `Site`: the op as used in one place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from tdspec.ops.effects import Effect
from tdspec.ops.shape import Shape

Kind = Literal["count", "number", "flag", "choice", "init", "padding"]
Role = Literal["operand", "time", "norm", "head"]

REQUIRED: Any = ...


class Param(NamedTuple):
    """One parameter of an op.

    kind     `count`: a whole number or an expression of C; `number`; `flag`: true or false;
             `choice`: one of `choices`; `init`: an initialisation rule; `padding`: a count or
             one of `choices`
    default  None where the op works it out, `REQUIRED` where the user must say
    """

    name: str
    kind: Kind
    default: Any
    doc: str
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()


class Rule(NamedTuple):
    """How a weight starts: `zeros`, `normal(0.02)`, ...; see `tdspec.ops.init`."""

    kind: str
    arguments: tuple[float, ...] = ()


class Weight(NamedTuple):
    """One learned tensor of an op, or a slice of its input channels, and its part in the paper's argument.

    name   attribute path in the lowered module, `weight`, `projection.bias`
    part   which input channels of the tensor: None for all, else `(start, stop)`
    role   `operand` (W~ * x), `time` (the embedding), `norm`; `head` replaces `operand` in a head
    bias   whether it is an additive constant
    start  the rule that PyTorch's module, or the op itself, starts it with
    by     the op's argument that sets its rule; empty for none
    fans   fan-in and fan-out of the tensor, of its weight for a bias; None where no rule asks for them
    """

    name: str
    role: Role
    bias: bool = False
    part: tuple[int, int] | None = None
    start: Rule = Rule("default")
    by: str = "init"
    fans: tuple[int, int] | None = None


class Call(NamedTuple):
    """A module to construct or a function to call, as data: `Call("torch.nn:GroupNorm", (32, 256))`."""

    target: str
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = {}


class Lowered(NamedTuple):
    """One node of the compiled graph.

    module     the module to construct, or None for a plain function
    function   the function to call where there is no module
    """

    module: Call | None = None
    function: Call | None = None


@dataclass(frozen=True, slots=True)
class Site:
    """An op as used in one place; `site["out"]` is an argument.

    arguments  every parameter's value: written, from `defaults`, or the op's own default
    inputs     shapes that come in (without those of t or its embedding)
    embedding  width of the time embedding, or None where t itself is used
    output     the shape that goes out; None while it is being inferred
    per_sample whether every sample has a t of its own
    """

    arguments: Mapping[str, Any]
    inputs: tuple[Shape, ...]
    embedding: int | None = None
    output: Shape | None = None
    per_sample: bool = False

    @property
    def x(self) -> Shape:
        """The first input's shape."""
        return self.inputs[0]

    @property
    def y(self) -> Shape:
        """The output's shape."""
        assert self.output is not None
        return self.output

    def __getitem__(self, name: str) -> Any:
        return self.arguments[name]


def same(site: Site) -> Shape:
    """The output has the input's shape."""
    return site.x


def no_weights(site: Site) -> tuple[Weight, ...]:
    return ()


class Op(NamedTuple):
    """One op of the language.

    doc      what it is, its shapes, what it does to time, its source: shown in the docs and editors
    infer    the output's shape; raises `ShapeError`
    effects  what it does to time, in order of application
    lower    the module or function it becomes
    weights  its learned tensors by role
    inputs   least and greatest number of inputs (None: no bound)
    takes    what it reads of time: nothing, `t`, or `embedding` (t where the spec has no `time.embed`)
    width    name of the parameter that sets the number of output channels, if any
    kernel   default kernel extent where a suffix `3x3` is allowed, else None
    frequencies  of an op that makes waves of t: the angular frequency of each
    aliases  other names for it
    left_to_loss  as a model's last step it is understood and left out
    """

    name: str
    doc: str
    params: tuple[Param, ...]
    effects: Callable[[Site], tuple[Effect, ...]]
    lower: Callable[[Site], Lowered]
    infer: Callable[[Site], Shape] = same
    weights: Callable[[Site], tuple[Weight, ...]] = no_weights
    inputs: tuple[int, int | None] = (1, 1)
    takes: Literal["", "t", "embedding"] = ""
    width: str | None = None
    kernel: int | None = None
    frequencies: Callable[[Site], tuple[float, ...]] | None = None
    aliases: tuple[str, ...] = ()
    left_to_loss: bool = False

    @property
    def needs_time(self) -> bool:
        return self.takes != ""

    def param(self, name: str) -> Param | None:
        for param in self.params:
            if param.name == name:
                return param
        return None
