"""How much of what leaves a network's scopes of time is due to t, measured while it is trained.

A scope is an ODE's field, known by the ODE's name, or the whole of a network that takes t, `model`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor, fx, nn

from tdspec.backend.network import Network
from tdspec.graph.graph import EMBEDDING, TIME
from tdspec.training.ode_meter import OdeMeter
from tdspec.witness.share import time_shares

MODEL = "model"  # the scope that is the network itself
TIMES = 9  # points of t at which a scope is looked at
DEAD = 1e-8  # of the variance: below, what is left of t is rounding in single precision


class Shares(NamedTuple):
    """Time shares, 0 to 1.

    outputs  of what leaves each scope, by the scope's name
    entries  behind every step that takes t, by dotted path, `ode.field.emb_1`
    """

    outputs: dict[str, float]
    entries: dict[str, float]


TimeShare = Callable[..., Shares]  # of a network and what it is called with


def node_time_shares(model: nn.Module, *given: Tensor) -> dict[str, float]:
    """The share of each node's variance that is due to t, 0 to 1, by dotted path, `ode.field.gn_1`.

    given  what the network is called with: x, and t where it takes it

    Measured in the fields of all ODEs, at the states that enter them, and in the whole of a network that takes
    t, over a grid of t that all samples share; see `tdspec.witness.share`. What was not compiled from a spec
    has no nodes.
    """
    shares: dict[str, float] = {}
    for scope in _scopes(model, *given):
        shares |= {f"{scope.prefix}{path}": share for path, share in scope.measure().items()}
    return shares


def scope_time_shares(model: nn.Module, *given: Tensor) -> Shares:
    """The shares of what leaves each scope, and of what leaves every step in it that takes t."""
    found = Shares({}, {})
    for scope in _scopes(model, *given):
        shares = scope.measure()
        found.outputs[scope.name] = shares[next(reversed(shares))]  # the last node is the output
        found.entries.update({f"{scope.prefix}{path}": shares[path] for path in timed_steps(scope.module)})
    return found


class _Scope(NamedTuple):
    """A scope of time: its name, what stands in front of its nodes' paths, its module, and what it is measured at."""

    name: str
    prefix: str
    module: fx.GraphModule | Network
    state: tuple[Tensor, ...]
    span: tuple[float, float]

    def measure(self) -> dict[str, float]:
        training = self.module.training
        times = torch.linspace(*self.span, TIMES, device=self.state[0].device)
        found = time_shares(self.module.eval(), *self.state, times=times)
        self.module.train(training)
        return {path: share.share for path, share in found.items()}


def _scopes(model: nn.Module, *given: Tensor) -> Iterator[_Scope]:
    if isinstance(model, Network) and TIME in model.inputs:
        yield _Scope(MODEL, "", model, given[:1], (0.0, 1.0))
    meter = OdeMeter(model)
    for name, state in _entered(model, meter, given).items():
        ode = meter.odes[name]
        if isinstance(ode.field, fx.GraphModule):
            yield _Scope(name, f"{name}.field.", ode.field, state, (ode.t[0], ode.t[-1]))


@torch.no_grad()
def _entered(model: nn.Module, meter: OdeMeter, given: tuple[Tensor, ...]) -> dict[str, tuple[Tensor, ...]]:
    """The state that every ODE starts from; nothing is counted."""
    entered: dict[str, tuple[Tensor, ...]] = {}
    hooks = []
    for name, ode in meter.odes.items():

        def keep(field: nn.Module, inputs: Any, name: str = name) -> None:
            entered.setdefault(name, tuple(inputs[1:]))

        hooks.append(ode.field.register_forward_pre_hook(keep))
    training, counts = model.training, meter.state()
    try:
        if hooks:
            model.eval()(*given)
    finally:
        model.train(training)
        meter.restore(counts)
        for hook in hooks:
            hook.remove()
    return entered


def deaths(before: Mapping[str, float], now: Mapping[str, float]) -> Iterator[str]:
    """What to say of scopes whose output has stopped to depend on t since the last record, or never did."""
    for name, share in now.items():
        if share < DEAD <= before.get(name, 1.0):
            what = "its output" if name == MODEL else "its field"
            lost = f"{what} does not depend on t; `tdspec probe` shows where it is lost"
            yield f"time share of {name} is {share:.0e}: {lost}"


def timed_steps(module: fx.GraphModule | Network, prefix: str = "") -> Iterator[str]:
    """Dotted paths of the modules that read t or its embedding, those of nested blocks too."""
    if isinstance(module, Network):
        for name, part in module.named_children():
            if isinstance(part, fx.GraphModule) and name != "embed":
                yield from timed_steps(part, f"{name}.")
        return
    for node in module.graph.nodes:
        if node.op != "call_module":
            continue
        part = module.get_submodule(str(node.target))
        timed = any(source.name in (TIME, EMBEDDING, "embed") for source in node.all_input_nodes)
        if isinstance(part, fx.GraphModule):
            yield from timed_steps(part, f"{prefix}{node.target}.") if node.name != "embed" else ()
        elif timed:
            yield f"{prefix}{node.target}"
