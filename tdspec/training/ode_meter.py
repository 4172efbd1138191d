"""What the ODEs of a network cost: evaluations and steps, counted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import nn

from tdspec.backend.ode import ODE


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
