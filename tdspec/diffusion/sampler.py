"""From noise to images: the reverse of any process, in steps from one level of noise to the next.

A step knows alpha and sigma of both its ends and nothing else of the process, so that one sampler serves discrete
and continuous time, variance preserving noise and straight flows, and any choice of times.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from tdspec.diffusion.predict import Parts
from tdspec.diffusion.process import Level, Process

Denoise = Callable[[Tensor, float], Parts]
"""From x_t, f32[B,...], and t, one for all, to the data and the noise in it."""

SAMPLERS = {
    "ddpm": "ancestral sampling, with the posterior's variance at each step (arXiv 2006.11239, algorithm 2)",
    "ddim": "no noise is added but for --eta; Euler's method for the flow from noise to data (arXiv 2010.02502)",
    "heun": "the same flow at second order, with two evaluations to a step (arXiv 2206.00364, algorithm 1)",
}


@dataclass(frozen=True)
class Sampler:
    """How samples are drawn.

    name   one of `SAMPLERS`
    steps  from noise to data; the network is called once in each, with `heun` twice but for the last
    eta    of `ddim`: 0 adds no noise, 1 as much as `ddpm`
    """

    name: str = "ddpm"
    steps: int = 50
    eta: float = 0.0

    @property
    def evaluations(self) -> int:
        """How often the network is called for each sample."""
        return 2 * self.steps - 1 if self.name == "heun" else self.steps

    def run(self, denoise: Denoise, process: Process, x: Tensor, generator: torch.Generator) -> Iterator[Tensor]:
        """Each step's x, f32[B,...], from standard normal x on; the last is the sample.

        generator  on the CPU, for the noise that is added, so that it is the same on every device
        """
        times = process.grid(self.steps)
        levels = [Level(alpha, sigma) for alpha, sigma in zip(*process.level(times), strict=True)]
        levels.append(Level(torch.ones_like(times[0]), torch.zeros_like(times[0])))
        for k, t in enumerate(times.tolist()):
            now, then = (Level(*(value.to(x.dtype) for value in level)) for level in levels[k : k + 2])
            found = denoise(x, t)
            if self.name == "heun":
                x = _heun(x, found, now, then, None if k + 1 == len(times) else _bound(denoise, times[k + 1].item()))
            else:
                x = ancestral(x, found, now, then, 1.0 if self.name == "ddpm" else self.eta, generator)
            yield x


def ancestral(x: Tensor, found: Parts, now: Level, then: Level, eta: float, generator: torch.Generator) -> Tensor:
    """One step from the level `now` to the level `then`. Source: arXiv 2010.02502, equations 12 and 16.

    The variance of DDPM's posterior, for any two levels (arXiv 2107.00630, equation 26):
    sigma_s^2/sigma_t^2 (sigma_t^2 - alpha_t^2/alpha_s^2 sigma_s^2). With eta = 1 the mean is that posterior's too.
    """
    left = (now.sigma.square() - (now.alpha / then.alpha * then.sigma).square()).clamp(min=0)
    added = eta * then.sigma / now.sigma * left.sqrt()
    x = then.alpha * found.x0 + (then.sigma.square() - added.square()).clamp(min=0).sqrt() * found.noise
    if eta > 0 and float(then.sigma) > 0:
        drawn = torch.randn(x.shape, generator=generator, dtype=x.dtype).to(x.device)
        x = x + added.to(x.device) * drawn
    return x


def _heun(x: Tensor, found: Parts, now: Level, then: Level, again: Callable[[Tensor], Parts] | None) -> Tensor:
    """Heun's method for dx = x_0 dalpha + noise dsigma, the flow along which samples of every level lie.

    Written in alpha and sigma it needs no derivative of either, and is finite where alpha is 0.
    again  what the network says at the level `then`; None where that is the data
    """
    dalpha, dsigma = then.alpha - now.alpha, then.sigma - now.sigma
    there = x + dalpha * found.x0 + dsigma * found.noise
    if again is None:
        return there
    second = again(there)
    return x + dalpha * (found.x0 + second.x0) / 2 + dsigma * (found.noise + second.noise) / 2


def _bound(denoise: Denoise, t: float) -> Callable[[Tensor], Parts]:
    return lambda x: denoise(x, t)
