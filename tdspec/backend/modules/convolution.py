"""Convolutions whose padding differs from side to side, as TensorFlow's at a stride of 2."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn


class PadEachSide(nn.modules.conv._ConvNd):
    """Padding of its own for each side of each axis; mixed into a convolution, whose weights it keeps.

    pad  positions before and behind each axis, the last axis first, as `torch.nn.functional.pad` takes them
    """

    def __init__(self, *sizes: Any, pad: Sequence[int], padding_mode: str = "zeros", **options: Any):
        super().__init__(*sizes, **options)
        self.pad = tuple(pad)
        self.pad_mode = "constant" if padding_mode == "zeros" else padding_mode

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(F.pad(x, self.pad, mode=self.pad_mode))

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}, pad={self.pad}, pad_mode={self.pad_mode}"


class PaddedConv1d(PadEachSide, nn.Conv1d):
    pass


class PaddedConv2d(PadEachSide, nn.Conv2d):
    pass


class PaddedConv3d(PadEachSide, nn.Conv3d):
    pass
