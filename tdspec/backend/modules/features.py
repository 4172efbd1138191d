"""Features of time: what an embedding starts from."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn


class Sinusoid(nn.Module):
    """Sines and cosines of t, a scalar or f32[B], at geometric frequencies 1 to 1/period: f32[B,dim].

    endpoint  whether the last frequency is exactly 1/period (DDPM), or one step short of it
    order     which half comes first, `sin_cos` or `cos_sin`
    scale     factor on t
    """

    frequencies: Tensor

    def __init__(
        self,
        dim: int,
        *,
        period: float = 10000,
        endpoint: bool = True,
        order: str = "sin_cos",
        scale: float = 1,
    ):
        super().__init__()
        half = dim // 2
        last = half - 1 if endpoint and half > 1 else half
        frequencies = scale * torch.exp(torch.arange(half, dtype=torch.float64) * (-math.log(period) / last))
        self.register_buffer("frequencies", frequencies.to(torch.get_default_dtype()), persistent=False)
        self.order = order

    def forward(self, t: Tensor) -> Tensor:
        angle = t.reshape(-1, 1).to(self.frequencies.dtype) * self.frequencies
        halves = (angle.sin(), angle.cos()) if self.order == "sin_cos" else (angle.cos(), angle.sin())
        return torch.cat(halves, dim=1)


class Fourier(nn.Module):
    """Sines and cosines of 2 pi w t at fixed random w ~ N(0, scale^2): f32[B,dim]."""

    frequencies: Tensor

    def __init__(self, dim: int, *, scale: float = 16):
        super().__init__()
        self.register_buffer("frequencies", torch.randn(dim // 2) * scale)

    def forward(self, t: Tensor) -> Tensor:
        angle = 2 * math.pi * t.reshape(-1, 1).to(self.frequencies.dtype) * self.frequencies
        return torch.cat((angle.sin(), angle.cos()), dim=1)
