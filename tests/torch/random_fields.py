"""Random fields of every op of the language, as specs: what the analysis is held against.

Ops come from the table and their arguments from what they declare, so that a new op, or a new argument, is drawn
from the day it exists. Whether a step fits where it stands is asked of the op itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tdspec.ops import TABLE
from tdspec.ops.effects import Linear, Normalise, Pointwise, Simplex
from tdspec.ops.op import Op, Param, Site
from tdspec.ops.shape import Shape, ShapeError

Choose = Callable[[Sequence[Any]], Any]

KERNELS = ((1,), (1,), (2,), (3,), (3,), (3,), (4,), (1, 3))
LARGEST = 120  # channels, and positions on a side: the witness keeps every tensor
# What an argument may be beside its default, by name; else by kind.
VALUES: dict[str, tuple[Any, ...]] = {
    "out": (1, 2, 4, 6),
    "pad_mode": ("zeros", "circular", "reflect", "replicate"),
    "stride": (1, 1, 2),
    "dilation": (1, 1, 2),
    "p": (0, 0.5),
    "by": (-2, 0.5, 0),
    "eps": (1e-5, 1e-3),
    "momentum": (0.1, 0.5),
    "channels": (1, 2),
    "factor": (2,),
}
SMALL_COUNTS = (1, 2, 3, 4, 6)


def drawn(param: Param, choose: Choose, channels: int) -> Any:
    """A value of a parameter."""
    if param.name in VALUES:
        return choose(VALUES[param.name])
    match param.kind:
        case "flag":
            return choose((True, False))
        case "choice":
            return choose(param.choices)
        case "padding":
            return choose((*param.choices, *param.choices, 0, 1, 2))
        case "count":
            least = int(param.minimum or 0)
            return choose([count for count in (*SMALL_COUNTS, channels) if count >= least] or [least])
    return None


def written(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else f"{value:g}" if isinstance(value, float) else str(value)


class FieldWriter:
    """Writes wired steps one by one, keeping the shape of each."""

    def __init__(self, choose: Choose, embedded: bool) -> None:
        self.choose = choose
        self.embedding = 6 if embedded else None
        self.state = Shape(choose((1, 2, 4, 6)), choose(((1, 1), (3, 3), (4, 4), (4, 4), (3, 5), (6,))))
        self.shapes: dict[str, Shape] = {"h": self.state}
        self.lines: list[str] = []
        # What the theory turns on, time, what spreads it, a norm, and beside it anything.
        self.start = choose((("time", "linear", "norm"), ("time", "linear", "norm"), ("time",), ("linear", "time"), ()))
        self.blocks: list[str] = []
        self.fits: Shape | None = None  # where the last block can stand
        self.kinds = self._kinds()

    @staticmethod
    def _kinds() -> dict[str, list[Op]]:
        """The ops by what they do, for the odds of drawing them."""
        site = Site({"kind": "ReLU"}, (Shape(2, (4, 4)),), output=Shape(2, (4, 4)))
        kinds: dict[str, list[Op]] = {"time": [], "norm": [], "linear": [], "act": [], "merge": [], "other": []}
        for op in TABLE:
            try:
                values = {param.name: param.default for param in op.params} | {"kernel": (3,), "out": 2, "groups": 1}
                values = {name: 1 if value is ... else value for name, value in values.items()}
                (effect,) = op.effects(Site(values, site.inputs, output=site.y))[:1] or (None,)
            except ShapeError:
                effect = None
            kind = (
                "time" if op.needs_time
                else "merge" if op.inputs[0] > 1
                else "norm" if isinstance(effect, Normalise)
                else "linear" if isinstance(effect, Linear)
                else "act" if isinstance(effect, (Pointwise, Simplex))
                else "other"
            )  # fmt: skip
            kinds[kind].append(op)
        return kinds

    def step(self) -> None:
        names = tuple(self.shapes)
        source = self.choose((*names[-2:], names[-1], names[-1]))
        # Time early, then little that mixes it: what can be erased is what is interesting.
        odds = ("time", "norm", "norm", "norm", "linear", "linear", "act", "merge", "other", "other", "block")
        kind = self.start[len(self.lines)] if len(self.lines) < len(self.start) else self.choose(odds)
        for _ in range(4):
            found = (
                self.block(self.shapes[source]) if kind == "block" else self.op(self.choose(self.kinds[kind]), source)
            )
            if found is not None:
                break
        if found is None:
            return
        text, shape, sources = (*found, (source,))[:3]
        name = f"s{len(self.lines)}"
        reads = f"[{', '.join(sources)}]" if len(sources) > 1 else sources[0]
        self.lines.append(f"        {name}: {{from: {reads}, do: '[{text}]'}}")
        self.shapes[name] = shape

    def op(self, op: Op, source: str) -> tuple[str, Shape, tuple[str, ...]] | None:
        """A use of an op that fits, its output's shape and what it reads; None if none was found."""
        sources = (source,)
        if op.inputs[0] > 1:
            alike = [name for name, shape in self.shapes.items() if shape.spatial == self.shapes[source].spatial]
            sources = (source, self.choose(alike))
        for _ in range(3):
            found = self.fitting(op, tuple(self.shapes[name] for name in sources))
            if found is not None:
                return (*found, sources)
        return None

    def fitting(self, op: Op, shapes: tuple[Shape, ...]) -> tuple[str, Shape] | None:
        given: dict[str, Any] = {}
        values: dict[str, Any] = {}
        for param in op.params:
            values[param.name] = param.default
            if param.kind == "init":
                continue
            if param.default is ... or param.name in ("out", "groups") or self.choose((False, False, True)):
                value = drawn(param, self.choose, shapes[0].channels)
                if value is not None:
                    given[param.name] = values[param.name] = value
        suffix = ""
        if op.kernel is not None:
            values["kernel"] = kernel = self.choose(KERNELS)
            suffix = "x".join(map(str, kernel * 2 if len(kernel) == 1 else kernel))
        embedding = self.embedding if op.takes == "embedding" else None
        try:
            shape = op.infer(Site(values, shapes, embedding))
        except ShapeError:
            return None
        if shape.channels > LARGEST or max(shape.spatial, default=0) > 8:
            return None
        arguments = ", ".join(f"{name}={written(value)}" for name, value in given.items())
        return f"{op.name}{suffix}{f'({arguments})' if arguments else ''}", shape

    def block(self, shape: Shape) -> tuple[str, Shape] | None:
        """A block that keeps the shape: new, or one that is there, used once or twice in a row."""
        if not self.blocks or self.choose((True, False)):
            steps = []
            for _ in range(self.choose((1, 2, 3))):
                kind = self.choose(("time", "norm", "norm", "linear", "act"))
                found = self.fitting(self.choose(self.kinds[kind]), (shape,))
                if found is not None and found[1] == shape:
                    steps.append(found[0])
            if self.blocks and self.fits == shape and self.choose((True, False)):
                steps.append(f"B{len(self.blocks) - 1}")
            if not steps:
                return None
            more = self.choose(("", ", residual: true", ", residual: true, scale: 0.7071", ", share: true"))
            self.blocks.append(f"  B{len(self.blocks)}: {{pipeline: '[{'–'.join(steps)}]'{more}}}")
            self.fits = shape
        elif self.fits != shape:
            return None
        return f"B{len(self.blocks) - 1}{self.choose(('', '', '*2'))}", shape

    def spec(self) -> str:
        """A spec whose field ends in a projection back to the state, so that it is whole."""
        last = f"s{len(self.lines) - 1}" if self.lines else "h"
        back = "Conv1x1" if self.shapes[last].spatial else "FC"
        embed = "time: {embed: '[Sinusoid(8, period=10)–FC(6)–Tanh]'}" if self.embedding else ""
        steps = "\n".join(self.lines)
        blocks = "\n".join(("blocks:", *self.blocks)) if self.blocks else ""
        return f"""tdspec: 1
{embed}
{blocks}
model:
  input: {[self.state.channels, *self.state.spatial]}
  ode:
    solver: {{method: rk4, steps: 2, gradient: direct}}
    field:
      steps:
{steps}
        end: {{from: {last}, do: '[{back}({self.state.channels})]'}}
      output: end
"""


def random_spec(choose: Choose) -> str:
    writer = FieldWriter(choose, embedded=choose((False, True)))
    for _ in range(choose((3, 5, 7, 9))):
        writer.step()
    return writer.spec()
