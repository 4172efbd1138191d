"""Fixed positions of a map's tokens."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class Positions(nn.Module):
    """x + sines and cosines of the column, then of the row, of each position; x f32[B,C,H,W], C a multiple of 4."""

    positions: Tensor

    def __init__(self, channels: int, extents: Sequence[int], *, period: float = 10000):
        super().__init__()
        quarter = channels // 4
        frequencies = period ** (-torch.arange(quarter, dtype=torch.float64) / quarter)
        height, width = extents
        waves = []
        for place in (torch.arange(width).expand(height, width), torch.arange(height)[:, None].expand(height, width)):
            angle = frequencies[:, None, None] * place
            waves += [angle.sin(), angle.cos()]
        self.register_buffer("positions", torch.cat(waves).float(), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.positions
