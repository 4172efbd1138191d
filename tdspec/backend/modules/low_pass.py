"""Resampling behind a low-pass filter: the taps 1, 3, 3, 1 along both axes, zeros around the map.

Source: arXiv 1912.04958 (StyleGAN2), as arXiv 2011.13456 uses it.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class LowPass(nn.Module):
    """The filter on every channel, f32[B,C,H,W]; with stride 2 and one zero around the map it halves the map.

    stride   step between output positions
    padding  zeros on every side; H + 2 padding - 3 positions are left before the stride
    """

    kernel: Tensor

    def __init__(self, *, stride: int = 1, padding: int = 1):
        super().__init__()
        taps = torch.tensor([1.0, 3.0, 3.0, 1.0]) / 8
        self.register_buffer("kernel", taps[:, None] * taps, persistent=False)
        self.stride, self.padding = stride, padding

    def forward(self, x: Tensor) -> Tensor:
        channels = x.shape[1]
        kernel = self.kernel.expand(channels, 1, 4, 4)
        return F.conv2d(x, kernel, stride=self.stride, padding=self.padding, groups=channels)


class LowPassUp(nn.Module):
    """Twice the positions, f32[B,C,H,W] -> f32[B,C,2H,2W]: the filter, with gain 4, on a map with zeros between.

    Only two taps on each axis ever meet the map: 1 and 3 at even positions of the output, 3 and 1 at odd ones.
    """

    kernels: Tensor

    def __init__(self) -> None:
        super().__init__()
        taps = torch.tensor([[1.0, 3.0, 0.0], [0.0, 3.0, 1.0]]) / 4
        self.register_buffer("kernels", taps[:, None, :, None] * taps[:, None], persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        channels = x.shape[1]
        kernels = self.kernels.reshape(4, 1, 3, 3).repeat(channels, 1, 1, 1)
        return F.pixel_shuffle(F.conv2d(x, kernels, padding=1, groups=channels), 2)
