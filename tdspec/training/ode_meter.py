"""What the ODEs of a network cost, and how much of their fields' output is due to t."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, fx, nn

from tdspec.backend.ode import ODE
from tdspec.graph.graph import EMBEDDING, TIME
from tdspec.witness.share import time_shares

TimeShare = Callable[[nn.Module, Tensor], Mapping[str, float]]

FIELD = ".field."  # between the name of an ODE and that of a node in its field
TIMES = 9  # points of t at which a field is looked at
DEAD = 1e-8  # of the variance: below, what is left of t is rounding in single precision


class OdeMeter:
    """Adds up the evaluations and steps of every ODE of a model."""

    def __init__(self, model: nn.Module) -> None:
        self.odes = {name: module for name, module in model.named_modules() if isinstance(module, ODE)}

    def reset(self) -> None:
        for ode in self.odes.values():
            ode.reset_counts()

    def means(self) -> dict[str, float]:
        """Evaluations and steps per batch, of all ODEs together; empty for a network without one."""
        totals: dict[str, float] = {}
        for ode in self.odes.values():
            counts = ode.counts
            solves = max(1, counts["forward_solves"])
            for name, key in (
                ("nfe_forward", "forward_evaluations"), ("nfe_backward", "backward_evaluations"),
                ("accepted_steps", "forward_accepted"), ("rejected_steps", "forward_rejected"),
                ("accepted_steps_backward", "backward_accepted"), ("rejected_steps_backward", "backward_rejected"),
            ):  # fmt: skip
                totals[name] = totals.get(name, 0.0) + counts[key] / solves
        return totals

    def state(self) -> dict[str, Any]:
        return {name: dict(ode.counts) for name, ode in self.odes.items()}

    def restore(self, state: Mapping[str, Mapping[str, int]]) -> None:
        for name, counts in state.items():
            self.odes[name].counts.update(counts)


@torch.no_grad()
def node_time_shares(model: nn.Module, x: Tensor) -> dict[str, float]:
    """The share of each node's variance that is due to t, 0 to 1, by dotted path, `ode.field.gn_1`.

    Measured inside the fields of all ODEs, at the states that enter them for the images x, over a
    grid of t; see `tdspec.witness.share`. A field that was not compiled from a spec has no nodes.
    """
    entered: dict[str, tuple[Tensor, ...]] = {}
    hooks = []
    meter = OdeMeter(model)
    for name, ode in meter.odes.items():

        def keep(field: nn.Module, inputs: Any, name: str = name) -> None:
            entered.setdefault(name, tuple(inputs[1:]))

        hooks.append(ode.field.register_forward_pre_hook(keep))
    training, counts = model.training, meter.state()
    try:
        model.eval()(x)
    finally:
        model.train(training)
        meter.restore(counts)
        for hook in hooks:
            hook.remove()
    shares: dict[str, float] = {}
    for name, state in entered.items():
        ode = meter.odes[name]
        if isinstance(ode.field, fx.GraphModule):
            times = torch.linspace(ode.t[0], ode.t[1], TIMES, device=x.device)
            found = time_shares(ode.field.eval(), *state, times=times)
            ode.field.train(training)
            shares |= {f"{name}{FIELD}{path}": share.share for path, share in found.items()}
    return shares


def field_time_shares(model: nn.Module, x: Tensor) -> dict[str, float]:
    """For each ODE by name the time share of what its field returns, and that behind every step that takes t."""
    shares: dict[str, float] = {}
    found = node_time_shares(model, x)
    for path, share in found.items():
        shares[path.partition(FIELD)[0]] = share  # the last node is the output
    for name in list(shares):
        field = model.get_submodule(name).field
        assert isinstance(field, fx.GraphModule)
        for path in timed_steps(field):
            shares[f"{name}{FIELD}{path}"] = found[f"{name}{FIELD}{path}"]
    return shares


def deaths(before: Mapping[str, float], now: Mapping[str, float]) -> Iterator[str]:
    """What to say of ODEs whose field has stopped to depend on t since the last epoch, or never did."""
    for name, share in now.items():
        if share < DEAD <= before.get(name, 1.0):
            lost = "its field does not depend on t; `tdspec probe` shows where it is lost"
            yield f"time share of {name} is {share:.0e}: {lost}"


def timed_steps(field: fx.GraphModule, prefix: str = "") -> Iterator[str]:
    """Dotted paths of the modules that read t or its embedding, those of nested blocks too."""
    for node in field.graph.nodes:
        if node.op != "call_module":
            continue
        part = field.get_submodule(str(node.target))
        timed = any(source.name in (TIME, EMBEDDING, "embed") for source in node.all_input_nodes)
        if isinstance(part, fx.GraphModule):
            yield from timed_steps(part, f"{prefix}{node.target}.") if node.name != "embed" else ()
        elif timed:
            yield f"{prefix}{node.target}"
