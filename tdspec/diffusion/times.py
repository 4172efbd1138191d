"""The times of a batch: which t the network is trained at.

Each choice is the quantile function of a distribution of t, so that numbers drawn independently, numbers spread
evenly, and the fixed numbers of evaluation all go through the same line.
"""

from __future__ import annotations

import torch
from torch import Tensor

from tdspec.diffusion.process import Process, exact
from tdspec.language.diffusion import ImportanceTimes, LognormalTimes, Times


def drawn(section: Times, count: int, device: torch.device) -> Tensor:
    """Numbers in [0, 1) for the times of a batch, f32[count], from torch's global random state."""
    uniform = torch.rand(count, device=device)
    if not section.stratified:
        return uniform
    return (torch.arange(count, device=device) + uniform[0]) / count  # arXiv 2107.00630, appendix I.1


def times(section: Times, process: Process, uniform: Tensor) -> Tensor:
    """The times that numbers in [0, 1) stand for, of their shape."""
    match section:
        case LognormalTimes():
            # The ends of the normal distribution lie outside of what the process has; `at` keeps within.
            return process.at(section.mean + section.std * torch.special.ndtri(exact(uniform))).to(uniform)
        case ImportanceTimes():
            low, high = process.ratios()
            return process.at(low + (high - low) * exact(uniform)).to(uniform)
        case _:
            return process.times(uniform)


def density(section: Times, process: Process, t: Tensor) -> Tensor:
    """What the loss is divided by, f32[B]: where drawing is only to lower the variance, how often t is drawn.

    Of `importance`, in which log SNR is uniform, over that of times that are themselves uniform.
    """
    if not isinstance(section, ImportanceTimes):
        return torch.ones_like(t)
    low, high = process.ratios()
    return process.rate(t) / 2 * (process.high - process.low) / (high - low)
