"""How an embedding of time meets a tensor: added, per channel or per position, or multiplied."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn


class Projection(nn.Module):
    """Linear(act(e)) of an embedding e: f32[B,E] or f32[1,E]; of t itself where there is none.

    t is a scalar for the whole batch, or f32[B].
    """

    def __init__(self, features: int, outputs: int, *, act: nn.Module | None = None, bias: bool = True):
        super().__init__()
        self.act = act
        self.projection = nn.Linear(features, outputs, bias=bias)

    def project(self, e: Tensor) -> Tensor:
        e = e if e.dim() == 2 else e.reshape(-1, 1).to(self.projection.weight.dtype)
        return self.projection(e if self.act is None else self.act(e))


class Emb(Projection):
    """x + Linear(act(e)), one offset per channel."""

    def forward(self, x: Tensor, e: Tensor) -> Tensor:
        offset = self.project(e)
        return x + offset.reshape(*offset.shape, *[1] * (x.dim() - 2))


class PosEmb(Projection):
    """x + Linear(act(e)), one offset per position, the same for all channels."""

    def __init__(self, features: int, positions: Sequence[int], *, act: nn.Module | None = None, bias: bool = True):
        elements = 1
        for extent in positions:
            elements *= extent
        super().__init__(features, elements, act=act, bias=bias)
        self.positions = tuple(positions)

    def forward(self, x: Tensor, e: Tensor) -> Tensor:
        return x + self.project(e).reshape(-1, 1, *self.positions)


class ScaleShift(Projection):
    """x (1 + scale) + shift, both Linear(act(e)), one of each per channel."""

    def __init__(self, features: int, channels: int, *, act: nn.Module | None = None, bias: bool = True):
        super().__init__(features, 2 * channels, act=act, bias=bias)

    def forward(self, x: Tensor, e: Tensor) -> Tensor:
        both = self.project(e)
        scale, shift = both.reshape(*both.shape, *[1] * (x.dim() - 2)).chunk(2, dim=1)
        return x * (1 + scale) + shift


class Gate(Projection):
    """x squash(Linear(act(e))), one factor per channel."""

    def __init__(
        self,
        features: int,
        channels: int,
        *,
        act: nn.Module | None = None,
        bias: bool = True,
        squash: nn.Module | None = None,
    ):
        super().__init__(features, channels, act=act, bias=bias)
        self.squash = squash

    def forward(self, x: Tensor, e: Tensor) -> Tensor:
        gate = self.project(e)
        gate = gate if self.squash is None else self.squash(gate)
        return x * gate.reshape(*gate.shape, *[1] * (x.dim() - 2))
