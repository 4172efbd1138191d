"""The times at which a sampler calls the network: evenly spaced in t, in log SNR or as Karras et al. have it."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from tdspec.diffusion.process import Level, Process
from tdspec.language.sampler import Spacing

LEAST_LOG_ALPHA = -5.1
"""Where steps follow sigma/alpha they start at this alpha: at 0 the ratio is infinite, and near it steps are spent
where x says nothing of the data. So does LuChengTHU/dpm-solver for cosine noise."""

RHO = 7  # of arXiv 2206.00364, equation 5


def grid(process: Process, count: int, spacing: Spacing = "time", finite: bool = False) -> Tensor:
    """f64[count], from noise to data; discrete time is rounded to its steps, no two alike.

    spacing  `time`: evenly in t; `logsnr`: in log alpha/sigma (arXiv 2206.00927);
             `karras`: in (sigma/alpha)^(1/7) (arXiv 2206.00364, equation 5)
    finite   start where sigma/alpha is finite, as all but `time` do anyway

    Raises `ValueError` for more times than there are.
    """
    if process.steps is not None and count > process.steps:
        raise ValueError(f"discrete time has {process.steps} steps, {count} were asked for")
    low, high = process.ratios()
    high = min(high, math.log(process.prior) - LEAST_LOG_ALPHA)
    if spacing == "time":
        first = _at(process, torch.tensor([high], dtype=torch.float64)).item() if finite else process.high
        times = torch.linspace(first, process.low, count, dtype=torch.float64)
    elif spacing == "logsnr":
        times = _at(process, torch.linspace(high, low, count, dtype=torch.float64))
    else:
        roots = torch.linspace(math.exp(high / RHO), math.exp(low / RHO), count, dtype=torch.float64)
        times = _at(process, RHO * roots.log())
    return times if process.steps is None else _distinct(times * process.steps) / process.steps


def log_ratio(level: Level) -> Tensor:
    """log sigma/alpha, minus half of log SNR."""
    return level.sigma.log() - level.alpha.log()


def _at(process: Process, logs: Tensor) -> Tensor:
    """The times, f64[N], at which log sigma/alpha is as given, f64[N]; of discrete time, the nearest."""
    if process.steps is None:
        return process.at(logs)
    times = torch.arange(process.steps, dtype=torch.float64) / process.steps
    return times[(log_ratio(process.level(times)) - logs[:, None]).abs().argmin(1)]


def _distinct(steps: Tensor) -> Tensor:
    """Whole numbers near those given, f64[count], that fall to 0 or above without a repetition."""
    numbers = [round(step) for step in steps.tolist()]
    for k in range(1, len(numbers)):
        numbers[k] = min(numbers[k], numbers[k - 1] - 1)
    return torch.tensor([max(number, len(numbers) - 1 - k) for k, number in enumerate(numbers)], dtype=torch.float64)
