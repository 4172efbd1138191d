"""The forward process: x_t = alpha(t) x_0 + sigma(t) noise, t from 0 (data) to 1 (noise).

Each kind of noise is two functions of t. Discrete time is a table of them at the steps n = 0 to N - 1, with t = n/N,
so that `1000*t` is DDPM's timestep.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import torch
from torch import Tensor

from tdspec.language.diffusion import CosineNoise, FlowNoise, Noise, VpNoise

LOW = 1e-3  # least t of continuous time: below, what is to be learned is lost in rounding (arXiv 2011.13456, C)
HIGH_COSINE = 0.999  # at t = 1 alpha is 0, and no noise tells x_0
LARGEST_BETA = 0.999  # of one step of a discrete cosine (arXiv 2102.09672, section 3.2)


class Level(NamedTuple):
    """How much of x_t is data and how much is noise: floating tensors of t's shape."""

    alpha: Tensor
    sigma: Tensor

    def like(self, x: Tensor) -> Level:
        """With as many axes as x, f32[B,...], so that it multiplies each sample by its own."""
        return Level(*(value.reshape(-1, *(1,) * (x.dim() - 1)) for value in self))

    @property
    def snr(self) -> Tensor:
        """The signal-to-noise ratio alpha^2 / sigma^2."""
        return (self.alpha / self.sigma).square()


@dataclass(frozen=True)
class Process:
    """A forward process.

    level  from t, of any shape, to alpha and sigma of the same shape and dtype
    low    least t that the network sees
    high   greatest t that it sees; samples start there
    steps  of discrete time; None if time is continuous
    """

    level: Callable[[Tensor], Level]
    low: float
    high: float
    steps: int | None = None

    def times(self, uniform: Tensor) -> Tensor:
        """Times of training from numbers that are uniform in [0, 1)."""
        if self.steps is not None:
            return (uniform * self.steps).floor().clamp(max=self.steps - 1) / self.steps
        return self.low + (self.high - self.low) * uniform

    def grid(self, count: int) -> Tensor:
        """The times at which a sampler calls the network, f64[count]: evenly from the greatest to the least.

        Discrete time is rounded to its steps, as with diffusers' `timestep_spacing="linspace"`. A sampler's last
        step leads from the least time to the data, t = 0 without noise.
        Raises `ValueError` for more than there are.
        """
        if self.steps is not None and count > self.steps:
            raise ValueError(f"discrete time has {self.steps} steps, {count} were asked for")
        times = torch.linspace(self.high, self.low, count, dtype=torch.float64)
        return times if self.steps is None else (times * self.steps).round() / self.steps

    def mix(self, x0: Tensor, noise: Tensor, t: Tensor) -> Tensor:
        """x_t for each sample: x0 and noise f32[B,...], t f32[B]."""
        level = self.level(t).like(x0)
        return level.alpha * x0 + level.sigma * noise


def make_process(section: Noise) -> Process:
    """The process that a spec's `task.noise` says."""
    match section:
        case VpNoise(steps=None):
            return vp(section.beta_min, section.beta_max)
        case VpNoise(steps=steps):
            return discrete(linear_betas(section.beta_min, section.beta_max, steps))
        case CosineNoise(steps=None):
            return cosine(section.offset)
        case CosineNoise(steps=steps):
            return discrete(cosine_betas(section.offset, steps))
        case FlowNoise():
            return flow()


def vp(beta_min: float, beta_max: float) -> Process:
    """Variance preserving in continuous time. Source: arXiv 2011.13456, equations 29 and 33.

    log alpha^2 = -t beta_min - t^2 (beta_max - beta_min)/2, and alpha^2 + sigma^2 = 1.
    """

    def level(t: Tensor) -> Level:
        return _preserving(-t * beta_min - t.square() * (beta_max - beta_min) / 2)

    return Process(level, LOW, 1.0)


def cosine(offset: float) -> Process:
    """alpha = cos((t + s)/(1 + s) pi/2) over its value at 0. Source: arXiv 2102.09672, equation 17."""

    def level(t: Tensor) -> Level:
        alpha = torch.cos((t + offset) / (1 + offset) * math.pi / 2) / math.cos(offset / (1 + offset) * math.pi / 2)
        return _preserving(2 * alpha.clamp(min=0).log())

    return Process(level, LOW, HIGH_COSINE)


def flow() -> Process:
    """A straight line: alpha = 1 - t, sigma = t. Source: arXiv 2209.03003, eq. 1; arXiv 2210.02747, section 4.1."""
    return Process(lambda t: Level(1 - t, t), LOW, 1.0)


def discrete(betas: Tensor) -> Process:
    """DDPM's chain: alpha^2 after step n is the product of 1 - beta. Source: arXiv 2006.11239, equation 4.

    betas  f64[N]
    """
    count = len(betas)
    log = torch.log1p(-betas.double()).cumsum(0)

    @cache
    def table(device: torch.device, dtype: torch.dtype) -> Level:
        return Level(*(value.to(dtype).to(device) for value in _preserving(log)))

    def level(t: Tensor) -> Level:
        step = (t * count).round().long().clamp(0, count - 1)
        alpha, sigma = table(t.device, t.dtype)
        return Level(alpha[step], sigma[step])

    return Process(level, 0.0, (count - 1) / count, count)


def linear_betas(beta_min: float, beta_max: float, steps: int) -> Tensor:
    """f64[steps], from beta_min/steps to beta_max/steps. Source: arXiv 2006.11239, section 4; 2011.13456, eq. 32."""
    return torch.linspace(beta_min / steps, beta_max / steps, steps, dtype=torch.float64)


def cosine_betas(offset: float, steps: int) -> Tensor:
    """f64[steps]: one minus the ratio of alpha^2 from step to step, at most 0.999. Source: arXiv 2102.09672, eq. 17."""
    t = torch.linspace(0, 1, steps + 1, dtype=torch.float64)
    squares = torch.cos((t + offset) / (1 + offset) * math.pi / 2).square()
    return (1 - squares[1:] / squares[:-1]).clamp(max=LARGEST_BETA)


def _preserving(log_square: Tensor) -> Level:
    """alpha and sigma of log alpha^2; sigma without the cancellation of 1 - alpha^2 where it is small."""
    return Level((log_square / 2).exp(), (-torch.expm1(log_square)).sqrt())
