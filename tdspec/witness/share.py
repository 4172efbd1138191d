"""The witness: how much of a tensor's variance is due to t, measured.

For z(x, t), inputs x_i and times t_j, the time share is the variance over j (mean over i and elements)
over the variance over i and j together. In float64, with the mean kept apart (Welford), so that 1e-25 is a number.
Where all samples share one t, all get t_j in step j. Where each has its own, sample i gets
t[(i + j) mod J], so that the batch's set of times stays the same from step to step.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, fx, nn

from tdspec.backend.network import Network
from tdspec.graph.graph import LABELS, TIME

ERASED_SHARE = 1e-20  # below this share the signal is gone
ERASED_ROUNDING = 1e-24  # below this part of E[z^2] the variance over t is a constant's rounding
ZERO = 1e-24  # below this E[z^2] the tensor is zero but for rounding
# A norm amplifies what is nearly constant by up to 1/sqrt(eps), its rounding too. What is erased is erased
# for every eps, so a proof takes one at which rounding stays rounding.
PROOF_EPS = 0.1


@dataclass(frozen=True)
class Share:
    """What was measured at one node.

    share     variance due to t over the whole variance, 0 to 1
    rounding  variance over t over E[z^2]
    power     E[z^2]
    """

    share: float
    rounding: float
    power: float

    @property
    def erased(self) -> bool:
        return self.share < ERASED_SHARE or self.rounding < ERASED_ROUNDING or self.power < ZERO


class Recorder(fx.Interpreter):
    """Runs a graph module and keeps what leaves every node, those of nested blocks too, by dotted path."""

    def __init__(self, module: fx.GraphModule, kept: dict[str, Tensor], prefix: str = "") -> None:
        super().__init__(module)
        self.kept = kept
        self.prefix = prefix

    def run_node(self, n: fx.Node) -> Any:
        found = super().run_node(n)
        if n.op.startswith("call_") and isinstance(found, Tensor):
            name = n.target if n.op == "call_module" else n.name
            self.kept[f"{self.prefix}{name}"] = found
        return found

    def call_module(self, target: Any, args: Any, kwargs: Any) -> Any:
        module = self.fetch_attr(target)
        if isinstance(module, fx.GraphModule):
            return Recorder(module, self.kept, f"{self.prefix}{target}.").run(*args)
        return super().call_module(target, args, kwargs)


@contextmanager
def _measuring(module: nn.Module) -> Iterator[nn.Module]:
    """A copy in float64 whose state the measurement may move, under a random state of its own."""
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        yield copy.deepcopy(module).double()


def run_recorded(module: nn.Module, inputs: Mapping[str, Tensor | None], kept: dict[str, Tensor]) -> None:
    """Run a compiled graph, or a whole network, and keep what leaves every node.

    inputs  tensors by the names of the module's inputs
    """
    if isinstance(module, fx.GraphModule):
        Recorder(module, kept).run(*(inputs[name] for name in inputs_of(module)))
        return
    assert isinstance(module, Network)
    values: dict[str, Any] = dict(inputs)
    for name, sources in module.plan:
        part = module.get_submodule(name)
        recorded = Recorder(part, kept, f"{name}.").run if isinstance(part, fx.GraphModule) else part
        values[name] = kept[name] = recorded(*(values[source] for source in sources))


def inputs_of(module: nn.Module) -> tuple[str, ...]:
    """Names of the inputs of a compiled graph or a network."""
    if isinstance(module, Network):
        return module.inputs
    assert isinstance(module, fx.GraphModule)
    return tuple(node.name for node in module.graph.find_nodes(op="placeholder"))


def time_shares(
    module: nn.Module, *state: Tensor, times: Tensor, per_sample: bool = False, seed: int = 0
) -> dict[str, Share]:
    """The time share at every node of a field or of a network that takes t, by dotted path.

    module  a compiled graph, or a network, with an input called `t`
    state   tensors f32[B,...] that enter
    times   f32[J], the grid of t
    seed    of the random masks, which are the same in every step
    """
    found: dict[str, Moments] = {}
    with _measuring(module) as measured:
        inputs = tuple(part.double() for part in state)
        batch = inputs[0].shape[0]
        names = inputs_of(measured)
        for j in range(len(times)):
            _seed(seed)
            kept: dict[str, Tensor] = {}
            t = times.double()[(torch.arange(batch) + j) % len(times)] if per_sample else times[j].double()
            if isinstance(measured, Network):
                t = t.expand(batch)
            parts = iter(inputs)
            given = {name: t if name == TIME else next(parts) for name in names if name != LABELS}
            run_recorded(measured, dict.fromkeys(names) | given, kept)
            for path, value in kept.items():
                found.setdefault(path, Moments()).add(value)
    return {path: moments.share() for path, moments in found.items()}


class Moments:
    """Mean and variance over time of every element, one step at a time (Welford), so that no step need be kept."""

    def __init__(self) -> None:
        self.count = 0

    def add(self, z: Tensor) -> None:
        """The next step: z, f64[B,...]."""
        if self.count == 0:
            self.mean, self.squares = torch.zeros_like(z), torch.zeros_like(z)
        self.count += 1
        before = z - self.mean
        self.mean = self.mean + before / self.count
        self.squares = self.squares + before * (z - self.mean)

    def share(self) -> Share:
        if self.mean.dim() == 2 and self.mean.shape[0] == 1:  # an embedding: one vector for the whole batch
            return Share(1.0, 1.0, 1.0)
        over_time = (self.squares / self.count).mean().item()
        total = over_time + (self.mean - self.mean.mean(dim=0)).square().mean().item()
        power = over_time + self.mean.square().mean().item()
        return Share(over_time / total if total > 0 else 0.0, over_time / power if power > 0 else 0.0, power)


def _seed(seed: int) -> None:
    """`torch.manual_seed`, which formats a stack trace wherever CUDA has not started, without that."""
    torch.default_generator.manual_seed(seed)
    if torch.cuda.is_available():
        torch.cuda.manual_seed_all(seed)


def redraw(module: nn.Module, seed: int, std: float = 0.5, eps: float | None = PROOF_EPS) -> None:
    """Draw every parameter and running statistic at random: zero starts otherwise read as erased.

    std  of biases and of norms' weights; other weights have twice that over the square root of their fan-in
    eps  of all norms; None leaves them as they are
    """
    generator = torch.Generator().manual_seed(seed)

    def draw(like: Tensor) -> Tensor:
        return torch.randn(like.shape, generator=generator, dtype=like.dtype)

    for part in module.modules():
        if eps is not None and isinstance(getattr(part, "eps", None), float):
            part.eps = eps  # type: ignore[assignment]
    with torch.no_grad():
        for parameter in module.parameters():
            fan = max(parameter[0].numel() if parameter.dim() > 1 else 1, 1)
            parameter.copy_(draw(parameter) * (2 * std / fan**0.5 if parameter.dim() > 1 else std))
        for name, buffer in module.named_buffers():
            if name.endswith("running_mean"):
                buffer.copy_(draw(buffer) * std)
            elif name.endswith("running_var"):
                buffer.copy_(draw(buffer).square() + 0.5)
