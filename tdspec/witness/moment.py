"""What is at a place at one time, and the time share of that and another time."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from tdspec.witness.share import Share


class Moment(NamedTuple):
    """What is at a place at one time, f[B,...]: values, E[z^2], variance over the samples."""

    value: Tensor
    power: float
    spread: float

    @classmethod
    def of(cls, value: Tensor, batch: int) -> Moment:
        """A tensor without the batch, as those of time alone may be, has no spread.

        A map whose first extent is not the batch has it somewhere: doubled, with frames, or among the channels.
        """
        kept = value.clone() if value.is_floating_point() else value.double()
        spread = 0.0
        if kept.dim() > 2 or (kept.dim() > 1 and kept.shape[0] == batch):
            spread = mean_square(kept - (kept.mean(0) if kept.shape[0] > 1 else kept.mean()))
        return cls(kept, mean_square(kept), spread)

    def share(self, other: Tensor) -> Share:
        """The time share of two times: of the mean over both the spread over samples is taken from the first."""
        over_time = mean_square(other - self.value) / 4
        if over_time == 0:
            return Share(0.0, 0.0, self.power)
        return Share(over_time / (over_time + self.spread), over_time / max(self.power, over_time), self.power)


def mean_square(z: Tensor) -> float:
    """E[z^2]; a scalar product is many times faster than a reduction over the first axis."""
    flat = z.reshape(-1)
    return torch.dot(flat, flat).item() / max(len(flat), 1)


def per_channel(change: Tensor, swapped: bool) -> bool:
    """Whether a change f[B,C,...] is one number for each channel, and not the same in all channels.

    swapped  two samples have exchanged their times, so that one's change is minus the other's
    """
    size = change.square().mean()
    change = change.flatten(2) if change.dim() > 2 else change[..., None]
    means = change.mean(2)
    if change.shape[2] > 1:
        rest = change - means[..., None]
    elif len(change) == 2 or not swapped:
        rest = change[0] + change[1] if swapped else change - change[:1]
    else:
        return False
    return bool(size > 0 and rest.square().mean() < 1e-6 * size and means.var(1, unbiased=False).mean() > 1e-6 * size)
