"""The time share of many tensors at once, as their values come in: two times, or many without keeping them all."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from tdspec.witness.share import Share


class Moments:
    """Mean and squared deviation of z over the times seen, by Welford's method; its error is that of two passes."""

    def __init__(self) -> None:
        self.count = 0
        self.mean = torch.zeros(())
        self.squares = torch.zeros(())

    def add(self, z: Tensor) -> None:
        """One time's values, f[B,...]."""
        z = z.float() if not z.is_floating_point() else z
        self.count += 1
        if self.count == 1:
            self.mean, self.squares = z.clone(), torch.zeros_like(z)
            return
        delta = z - self.mean
        self.mean += delta / self.count
        self.squares += delta * (z - self.mean)

    def share(self) -> Share:
        """The time share of what has been added; a tensor without samples moves or does not."""
        over_time = (self.squares / self.count).mean().item()
        mean = self.mean if self.mean.dim() > 1 else self.mean.reshape(1, -1)
        total = over_time + (mean - mean.mean(0)).square().mean().item()
        power = over_time + mean.square().mean().item()
        return Share(over_time / total if total > 0 else 0.0, over_time / power if power > 0 else 0.0, power)


class Moment(NamedTuple):
    """What is at a place at one time, f[B,...]: values, E[z^2], variance over the samples."""

    value: Tensor
    power: float
    spread: float

    @classmethod
    def of(cls, value: Tensor, batch: int) -> Moment:
        """A tensor without the batch, as those of time alone may be, has no spread."""
        kept = value.clone() if value.is_floating_point() else value.double()
        samples = kept.dim() > 1 and kept.shape[0] == batch
        return cls(kept, mean_square(kept), mean_square(kept - kept.mean(0)) if samples else 0.0)

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
