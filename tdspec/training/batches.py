"""The order in which training images are seen, and each process's share of a batch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor


class Batch(NamedTuple):
    """One optimizer step's images for this process, in the parts they are computed in.

    parts  int64 row numbers, one tensor for each part of an accumulated batch; may differ in length
    size   images in the whole batch, over all processes and parts
    """

    parts: tuple[Tensor, ...]
    size: int


class Order:
    """Each epoch's order depends on the seed and the epoch alone, so that a run can go on anywhere."""

    def __init__(
        self, count: int, batch_size: int, seed: int, *, rank: int = 0, world: int = 1, accumulate: int = 1
    ) -> None:
        self.count = count
        self.batch_size = min(batch_size, count)
        self.seed = seed
        self.rank, self.world, self.accumulate = rank, world, accumulate
        # A last batch with fewer images than processes and parts would leave some without work.
        rest = count % self.batch_size
        self.batches = count // self.batch_size + (rest >= world * accumulate)

    def epoch(self, epoch: int, start: int = 0) -> Iterator[Batch]:
        """The batches of an epoch, from its `start`-th on."""
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + epoch)
        order = torch.randperm(self.count, generator=generator)
        for k in range(start, self.batches):
            rows = order[k * self.batch_size : (k + 1) * self.batch_size]
            mine = rows[self.rank :: self.world]
            yield Batch(mine.tensor_split(self.accumulate), len(rows))
