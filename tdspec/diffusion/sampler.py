"""From noise to images: the reverse of any process, in steps from one level of noise to the next.

A step knows alpha and sigma of both its ends and nothing else of the process, so that one sampler serves discrete
and continuous time, noise of any kind, and any choice of times.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from tdspec.diffusion.grid import grid
from tdspec.diffusion.ode import needs_continuous, probability_flow
from tdspec.diffusion.predict import Denoise, Parts
from tdspec.diffusion.process import Level, Process
from tdspec.diffusion.randomness import Source, normal
from tdspec.diffusion.schedulers import FROM_DIFFUSERS, scheduled, scheduler_of
from tdspec.diffusion.variance import log_variance
from tdspec.language.sampler import Sampler, Variance


def check(sampler: Sampler, process: Process) -> None:
    """Raises what `draw` would raise, before there is a network."""
    if sampler.name == "ode":
        needs_continuous(process)
    elif sampler.steps is not None and sampler.spacing is not None:
        grid(process, sampler.steps, sampler.spacing)
    if sampler.name in FROM_DIFFUSERS:
        scheduler_of(sampler)


def draw(sampler: Sampler, denoise: Denoise, process: Process, x: Tensor, source: Source) -> Iterator[Tensor]:
    """Each step's x, f32[B,...], from standard normal x on; the last is the sample.

    source  of the noise that is added

    Raises `ValueError` for more steps than discrete time has, and for `ode` in discrete time; `ImportError` where
    diffusers is needed and missing.
    """
    if sampler.tolerance is not None:
        yield probability_flow(denoise, process, x, sampler.tolerance)
        return
    assert sampler.steps is not None and sampler.spacing is not None  # of all but the solver
    times = grid(process, sampler.steps, sampler.spacing, finite=sampler.name in FROM_DIFFUSERS)
    levels = [Level(*(value.to(x.dtype) for value in level)) for level in zip(*process.level(times), strict=True)]
    levels.append(Level(torch.ones_like(levels[0].alpha), torch.zeros_like(levels[0].sigma)))
    x = levels[0].sigma * x
    if sampler.name in FROM_DIFFUSERS:
        yield from scheduled(sampler, denoise, times.tolist(), levels, x, source)
        return
    eta = 1.0 if sampler.name in ("ddpm", "pc") else sampler.eta or 0.0
    corrections, snr = sampler.corrections or 0, sampler.snr or 0.0
    for k, t in enumerate(times.tolist()):
        now, then = levels[k : k + 2]
        for _ in range(corrections):
            x = langevin(x, denoise(x, t), now, then, snr, source)
        found = denoise(x, t)
        if sampler.name == "heun":
            x = _heun(x, found, now, then, _bound(denoise, times[k + 1].item()) if then.sigma > 0 else None)
        else:
            x = ancestral(x, found, now, then, eta, source, sampler.variance)
        yield x


def ancestral(
    x: Tensor,
    found: Parts,
    now: Level,
    then: Level,
    eta: float,
    source: Source,
    variance: Variance | None = None,
) -> Tensor:
    """One step from the level `now` to the level `then`. Source: arXiv 2010.02502, equations 12 and 16.

    The variance of DDPM's posterior, for any two levels (arXiv 2107.00630, equation 26):
    sigma_s^2/sigma_t^2 (sigma_t^2 - alpha_t^2/alpha_s^2 sigma_s^2). With eta = 1 the mean is that posterior's too. Then
    the variance may be larger, without the factor in front, which for neighbours in discrete time is beta (arXiv
    2006.11239, section 3.2); and a network that learns variances says it, unless `variance` does.
    """
    left = (now.sigma.square() - (now.alpha / then.alpha * then.sigma).square()).clamp(min=0)
    added = eta * then.sigma / now.sigma * left.sqrt()
    x = then.alpha * found.x0 + (then.sigma.square() - added.square()).clamp(min=0).sqrt() * found.noise
    if eta == 0 or float(then.sigma) == 0:
        return x
    if eta == 1 and variance == "large":
        added = left.sqrt()
    elif eta == 1 and variance is None and found.share is not None:
        added = (log_variance(found.share, now, then) / 2).exp()
    return x + added.to(x.device) * normal(x, source)


def langevin(x: Tensor, found: Parts, now: Level, then: Level, snr: float, source: Source) -> Tensor:
    """One step of Langevin dynamics at the level `now`, along the score -noise/sigma.

    Its length 2 a (snr |z|/|score|)^2 is that of arXiv 2011.13456, algorithms 4 and 5, with the norms' means over
    the batch, as in the code of its authors; a = (alpha_t/alpha_s)^2, 1 - beta there, 1 where alpha is constant.
    """
    score, drawn = -found.noise / now.sigma, normal(x, source)
    ratio = drawn.flatten(1).norm(dim=1).mean() / score.flatten(1).norm(dim=1).mean()
    length = 2 * (now.alpha / then.alpha).square() * (snr * ratio).square()
    return x + length * score + (2 * length).sqrt() * drawn


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
