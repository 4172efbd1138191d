"""ConcatConv: convolution of [x; tJ] without building [x; tJ]."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class TimeChannel(nn.modules.conv._ConvNd):
    """Convolution of the input with t as one more, constant channel; mixed into a convolution.

    The weight is that of the concatenating form, t's slice first or last, so checkpoints of
    torchdiffeq's example load. But conv([x; tJ]) = conv(x) + t conv(J): the second term is one
    small map for the whole batch, and the first saves copying x (arXiv 2405.14126, equation 4).
    Zero padding is met exactly: conv(J) is smaller at the border.

    pad  where the sides differ, positions before and behind each axis, the last axis first
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        *,
        position: str = "first",
        pad: Sequence[int] = (),
        padding_mode: str = "zeros",
        **options: Any,
    ):
        options["padding_mode"] = "zeros" if pad else padding_mode
        super().__init__(in_channels + 1, out_channels, kernel_size, **options)  # type: ignore[arg-type]
        self.position = position
        self.pad = tuple(pad)
        self.pad_mode = "constant" if padding_mode == "zeros" else padding_mode

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        """x: f32[B,C,...]; t: a scalar, or f32[B] with one time for each sample."""
        if self.position == "first":
            time, operand = self.weight[:, :1], self.weight[:, 1:]
        else:
            operand, time = self.weight[:, :-1], self.weight[:, -1:]
        ones = torch.ones((1, 1, *x.shape[2:]), dtype=x.dtype, device=x.device)
        offset = self.convolve(ones, time, None)
        if t.dim():
            t = t.reshape(-1, *[1] * (x.dim() - 1))
        return self.convolve(x, operand, self.bias) + t.to(x.dtype) * offset

    def convolve(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        if self.pad:
            x = F.pad(x, self.pad, mode=self.pad_mode)
        return self._conv_forward(x, weight, bias)


class ConcatConv1d(TimeChannel, nn.Conv1d):  # type: ignore[misc]
    pass


class ConcatConv2d(TimeChannel, nn.Conv2d):  # type: ignore[misc]
    pass


class ConcatConv3d(TimeChannel, nn.Conv3d):  # type: ignore[misc]
    pass
