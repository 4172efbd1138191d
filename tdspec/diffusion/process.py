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

from tdspec.language.diffusion import (
    CosineNoise,
    EdmNoise,
    FlowNoise,
    Noise,
    SigmoidNoise,
    SubVpNoise,
    VeNoise,
    VpNoise,
    log_sigma,
)  # fmt: skip

LOW = 1e-3  # least t of continuous time: below, what is to be learned is lost in rounding (arXiv 2011.13456, C)
HIGH = 0.999  # where alpha is 0 at t = 1: there x_t says nothing of x_0
LARGEST_BETA = 0.999  # of one step where alpha falls to 0 (arXiv 2102.09672, section 3.2)
DATA_STD = 0.5  # about that of images in [-1, 1]; sigma_data of arXiv 2206.00364, table 1
HALVINGS = 60  # of the interval in which a time is sought: float64 has 53 bits


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
    unit   whether the network is shown x_t with a standard deviation of 1
    """

    level: Callable[[Tensor], Level]
    low: float
    high: float
    steps: int | None = None
    unit: bool = False

    @property
    def prior(self) -> float:
        """Standard deviation of the noise that samples start from."""
        return float(self.level(torch.tensor(self.high, dtype=torch.float64)).sigma)

    def times(self, uniform: Tensor) -> Tensor:
        """Times of training from numbers that are uniform in [0, 1)."""
        if self.steps is not None:
            return (uniform * self.steps).floor().clamp(max=self.steps - 1) / self.steps
        return self.low + (self.high - self.low) * uniform

    def rate(self, t: Tensor) -> Tensor:
        """How fast log SNR falls, -d log SNR/dt, of t's shape. Of continuous time."""
        with torch.enable_grad():
            at = exact(t.detach()).requires_grad_()
            (slope,) = torch.autograd.grad(-self.level(at).snr.log().sum(), at)
        return slope.to(t)

    def ratios(self) -> tuple[float, float]:
        """The least and the greatest log(sigma/alpha) that the network sees; where the last is infinite, one before."""
        ends = torch.tensor([self.low, self.high, HIGH], dtype=torch.float64)
        alpha, sigma = self.level(ends)
        low, high, before = (sigma / alpha).log().tolist()
        return low, high if math.isfinite(high) else before

    def at(self, log_ratio: Tensor) -> Tensor:
        """The times at which log(sigma/alpha) is as given, by bisection; of the tensor's shape, within [low, high]."""
        wanted = exact(log_ratio)
        low, high = torch.full_like(wanted, self.low), torch.full_like(wanted, self.high)
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            alpha, sigma = self.level(middle)
            below = sigma.log() - alpha.log() < wanted
            low, high = torch.where(below, middle, low), torch.where(below, high, middle)
        return high.to(log_ratio)

    def shown(self, x: Tensor, level: Level) -> Tensor:
        """What the network gets for x_t = x, f32[B,...]. Source: arXiv 2206.00364, table 1, c_in."""
        if not self.unit:
            return x
        return x / (level.alpha.square() * DATA_STD**2 + level.sigma.square()).sqrt()

    def mix(self, x0: Tensor, noise: Tensor, t: Tensor) -> Tensor:
        """x_t for each sample: x0 and noise f32[B,...], t f32[B]."""
        level = self.level(t).like(x0)
        return level.alpha * x0 + level.sigma * noise


def exact(x: Tensor) -> Tensor:
    """In float64; on the CPU, where the device has no such numbers."""
    return (x.cpu() if x.device.type == "mps" else x).double()


def make_process(section: Noise) -> Process:
    """The process that a spec's `task.noise` says."""
    match section:
        case VpNoise():
            ends = section.beta_min, section.beta_max
            return vp(*ends) if section.steps is None else discrete(linear_betas(*ends, section.steps))
        case SubVpNoise():
            return sub_vp(section.beta_min, section.beta_max)
        case CosineNoise():
            process = cosine(section.offset)
            return process if section.steps is None else discrete(betas_of(process, section.steps))
        case SigmoidNoise():
            process = sigmoid(section.start / section.temperature, section.end / section.temperature)
            return process if section.steps is None else discrete(betas_of(process, section.steps))
        case VeNoise() | EdmNoise():
            line = log_sigma(section)
            assert line is not None
            return exploding(*line, unit=isinstance(section, EdmNoise))
        case FlowNoise():
            return flow()


def vp(beta_min: float, beta_max: float) -> Process:
    """Variance preserving in continuous time. Source: arXiv 2011.13456, equations 29 and 33.

    log alpha^2 = -t beta_min - t^2 (beta_max - beta_min)/2, and alpha^2 + sigma^2 = 1.
    """

    def level(t: Tensor) -> Level:
        return _preserving(-t * beta_min - t.square() * (beta_max - beta_min) / 2)

    return Process(level, LOW, 1.0)


def sub_vp(beta_min: float, beta_max: float) -> Process:
    """alpha as of `vp`, and sigma = 1 - alpha^2. Source: arXiv 2011.13456, equation 29."""
    preserving = vp(beta_min, beta_max)

    def level(t: Tensor) -> Level:
        alpha, sigma = preserving.level(t)
        return Level(alpha, sigma.square())

    return Process(level, LOW, 1.0)


def exploding(start: float, slope: float, *, unit: bool = False) -> Process:
    """alpha = 1 and log(sigma) = start + slope t. Source: arXiv 2011.13456, equation 30."""
    return Process(lambda t: Level(torch.ones_like(t), (start + slope * t).exp()), 0.0, 1.0, unit=unit)


def sigmoid(start: float, end: float) -> Process:
    """alpha^2 along the logistic function from `start` to `end`, brought to 1 and 0. Source: arXiv 2301.10972, alg. 1.

    Both squares are differences of their own, so that neither is lost in 1 minus the other.
    """
    first, last = (1 / (1 + math.exp(-place)) for place in (start, end))

    def level(t: Tensor) -> Level:
        place = torch.sigmoid(start + t * (end - start))
        return Level(*(part.clamp(min=0).div(last - first).sqrt() for part in (last - place, place - first)))

    return Process(level, LOW, HIGH)


def cosine(offset: float) -> Process:
    """alpha = cos((t + s)/(1 + s) pi/2) over its value at 0. Source: arXiv 2102.09672, equation 17."""

    def level(t: Tensor) -> Level:
        alpha = torch.cos((t + offset) / (1 + offset) * math.pi / 2) / math.cos(offset / (1 + offset) * math.pi / 2)
        return _preserving(2 * alpha.clamp(min=0).log())

    return Process(level, LOW, HIGH)


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


def betas_of(process: Process, steps: int) -> Tensor:
    """f64[steps]: one minus the ratio of alpha^2 from step to step, at most 0.999. Source: arXiv 2102.09672, eq. 17.

    process  of continuous time, where alpha^2 falls from 1 to 0
    """
    squares = process.level(torch.linspace(0, 1, steps + 1, dtype=torch.float64)).alpha.square()
    return (1 - squares[1:] / squares[:-1]).clamp(max=LARGEST_BETA)


def _preserving(log_square: Tensor) -> Level:
    """alpha and sigma of log alpha^2; sigma without the cancellation of 1 - alpha^2 where it is small."""
    return Level((log_square / 2).exp(), (-torch.expm1(log_square)).sqrt())
