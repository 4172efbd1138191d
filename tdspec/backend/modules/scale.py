"""Multiplication by one number."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Scale(nn.Module):
    """x squash(factor), with one factor for the whole tensor, learned or fixed."""

    def __init__(self, by: float, *, learned: bool = True, squash: nn.Module | None = None):
        super().__init__()
        factor = torch.tensor(float(by))
        if learned:
            self.factor = nn.Parameter(factor)
        else:
            self.register_buffer("factor", factor, persistent=False)
        self.squash = squash

    def forward(self, x: Tensor) -> Tensor:
        return x * (self.factor if self.squash is None else self.squash(self.factor))
