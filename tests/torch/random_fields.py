"""Random fields of every op of the language, as specs: what the analysis is held against."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

Choose = Callable[[Sequence[Any]], Any]

ACTS = ("ReLU", "SiLU", "Tanh", "LeakyReLU", "Softplus")
PADS = ("zeros", "circular", "reflect", "replicate")


def divisors(count: int) -> list[int]:
    return [divisor for divisor in range(1, count + 1) if count % divisor == 0]


class FieldWriter:
    """Writes wired steps one by one, keeping the shape of each."""

    def __init__(self, choose: Choose, embedded: bool) -> None:
        self.choose = choose
        self.embedded = embedded
        self.channels = choose((1, 2, 4, 6))
        self.extent = choose((1, 3, 4, 4))
        self.shapes: dict[str, tuple[int, int]] = {"h": (self.channels, self.extent)}  # extent 0: a vector
        self.lines: list[str] = []

    def step(self) -> None:
        names = tuple(self.shapes)
        source = self.choose((*names[-2:], names[-1], names[-1]))
        text, shape, sources = self.write(source, *self.shapes[source])
        name = f"s{len(self.lines)}"
        reads = f"[{', '.join(sources)}]" if len(sources) > 1 else sources[0]
        self.lines.append(f"        {name}: {{from: {reads}, do: '[{text}]'}}")
        self.shapes[name] = shape

    def write(self, source: str, c: int, n: int) -> tuple[str, tuple[int, int], tuple[str, ...]]:
        choose = self.choose
        # Time early, then little that mixes it: what can be erased is what is interesting.
        kinds = ("time", "norm", "norm", "norm", "linear", "linear", "act", "merge", "map", "mask")
        kind = choose(kinds if self.lines else ("time", "time", "linear"))
        plain = (source,)
        if kind == "time":
            step = choose(
                (
                    "Emb",
                    "Emb",
                    "ConcatConv",
                    "ConcatConv",
                    "PosEmb",
                    "ScaleShift",
                    "Gate",
                    "Gate(squash=Sigmoid)",
                )
            )
            if step in ("ConcatConv", "PosEmb") and n == 0:
                step = "Emb"
            if step == "ConcatConv":
                step = self.conv("ConcatConv", choose((1, 2, 4)), n)
                out = int(step.split("(")[1].split(",")[0])
                return step, (out, n), plain
            return step, (c, n), plain
        if kind == "norm":
            group = f"GN({choose(divisors(c))}{choose(('', ', affine=false'))})"
            norms = [group, group, "BN", "BN", "LN", "ChannelLN", "RMSN", "ChannelLN(affine=false)"]
            norms += ["IN", "IN", "IN(affine=false)", f"GN({c})"] if n > 1 else []
            return choose(norms), (c, n), plain
        if kind == "linear":
            out = choose((1, 2, 4, 6))
            if n == 0:
                return f"FC({out}{choose(('', ', bias=false'))})", (out, 0), plain
            depth = choose((False, False, False, True))
            if depth:
                return self.conv("Conv", c, n, ", groups=C"), (c, n), plain
            return self.conv("Conv", out, n, choose(("", ", bias=false"))), (out, n), plain
        if kind == "act":
            return choose((*ACTS, "Softmax")), (c, n), plain
        if kind == "mask":
            return (
                choose(("Dropout(0.5)", "ChannelDropout(0.5)", "Scale(-2)", "Scale(0.5, learned=true)")),
                (c, n),
                plain,
            )
        if kind == "merge":
            return self.merge(source, c, n)
        if n == 0:
            return "Augment(2)", (c + 2, 0), plain
        steps: list[tuple[str, tuple[int, int]]] = [
            ("GAP", (c, 0)),
            ("Flatten", (c * n * n, 0)),
            ("Up", (c, 2 * n)),
            ("Augment(1)", (c + 1, n)),
        ]
        if n > 1:
            steps += [("Up(bilinear)", (c, 2 * n)), ("MaxPool2x2", (c, n // 2)), ("AvgPool2x2", (c, n // 2))]
            steps += [("AvgPool3x3(stride=1, padding=1)", (c, n)), ("SelfAttn", (c, n))]
        small = [step for step in steps if step[1][1] <= 8 and step[1][0] <= 100]
        return (*choose(small), plain)

    def conv(self, name: str, out: int, n: int, more: str = "") -> str:
        kernel = self.choose(("1x1", "3x3", "3x3"))
        mode = self.choose(PADS if n > 1 else ("zeros",))
        return f"{name}{kernel}({out}, pad_mode={mode}{more})"

    def merge(self, source: str, c: int, n: int) -> tuple[str, tuple[int, int], tuple[str, ...]]:
        alike = [name for name, shape in self.shapes.items() if shape == (c, n)]
        maps = [name for name, shape in self.shapes.items() if shape[1] == n and shape[0] + c <= 24]
        step = self.choose(("Add", "Add", "Mul", "Concat", "Split"))
        if step == "Split":
            return (
                (f"Split(2, take={self.choose((0, 1))})", (c // 2, n), (source,))
                if c % 2 == 0
                else ("Scale(2)", (c, n), (source,))
            )
        if step == "Concat" and maps:
            other = self.choose(maps)
            return step, (c + self.shapes[other][0], n), (source, other)
        return ("Add" if step == "Concat" else step), (c, n), (source, self.choose(alike))

    def spec(self) -> str:
        """A spec whose field ends in a projection back to the state, so that it is whole."""
        last = f"s{len(self.lines) - 1}"
        _, n = self.shapes[last]
        back = f"Conv1x1({self.channels})" if n else f"FC({self.channels})"
        size = f"[{self.channels}, {self.extent}, {self.extent}]"
        embed = "time: {embed: '[Sinusoid(8, period=10)–FC(6)–Tanh]'}" if self.embedded else ""
        steps = "\n".join(self.lines)
        return f"""tdspec: 1
{embed}
model:
  input: {size}
  ode:
    solver: {{method: rk4, steps: 2, gradient: direct}}
    field:
      steps:
{steps}
        end: {{from: {last}, do: '[{back}]'}}
      output: end
"""


def random_spec(choose: Choose) -> str:
    writer = FieldWriter(choose, embedded=choose((False, True)))
    for _ in range(choose((3, 5, 7, 9))):
        writer.step()
    return writer.spec()
