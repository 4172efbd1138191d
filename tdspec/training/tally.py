"""Means over samples, batches and processes, without making the host wait for the device."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from tdspec.training.engine import Engine


class Tally:
    """Adds up the numbers that a task measures for each sample, in float64 where the device has it."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.dtype = torch.float32 if engine.device.type == "mps" else torch.float64
        self.sums: dict[str, Tensor] = {}
        self.samples = 0

    def add(self, measured: Mapping[str, Tensor]) -> None:
        """Take in one batch; each tensor is f32[B]."""
        for name, values in measured.items():
            self.sums[name] = self.sums.get(name, 0) + values.detach().sum(dtype=self.dtype)
        self.samples += len(next(iter(measured.values())))

    def total(self) -> dict[str, Any]:
        """Sums and samples over all processes, which call this together; JSON."""
        # A process that saw no sample has no names yet.
        names = sorted(set().union(*self.engine.all_objects(list(self.sums))))
        zero = torch.zeros((), dtype=self.dtype, device=self.engine.device)
        sums = {name: self.engine.sum(self.sums.get(name, zero)).item() for name in names}
        return {"sums": sums, "samples": sum(self.engine.all_objects(self.samples))}

    def means(self) -> tuple[dict[str, float], int]:
        """Means over all processes, and how many samples they are over."""
        total = self.total()
        return {name: value / max(1, total["samples"]) for name, value in total["sums"].items()}, total["samples"]

    def restore(self, total: Mapping[str, Any]) -> None:
        """Go on from a `total`, which the main process carries on for all."""
        if self.engine.main:
            for name, value in total["sums"].items():
                self.sums[name] = torch.tensor(value, dtype=self.dtype, device=self.engine.device)
            self.samples = total["samples"]
