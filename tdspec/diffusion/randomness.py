"""The noise that samplers draw: each image has a generator of its own, so that it does not depend on the others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

Source = torch.Generator | Sequence[torch.Generator]
"""One generator for a whole batch, or one for each sample; on the CPU, for the same noise on every device."""

STRIDE = 1_000_003  # between seeds: runs of fewer images share no generator


def generators(seed: int, images: Iterable[int]) -> list[torch.Generator]:
    """A generator for each image, which follows from the seed and the image's number."""
    return [torch.Generator().manual_seed((seed * STRIDE + image) % 2**63) for image in images]


def normal(x: Tensor, source: Source) -> Tensor:
    """Standard normal noise of x's shape, dtype and device."""
    if isinstance(source, torch.Generator):
        return torch.randn(x.shape, generator=source, dtype=x.dtype).to(x.device)
    return torch.stack([torch.randn(x.shape[1:], generator=one, dtype=x.dtype) for one in source]).to(x.device)
