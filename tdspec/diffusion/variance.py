"""Learned variances of the reverse steps, of discrete time. Source: arXiv 2102.09672, section 3.1.

A step back from t to s, the step before it, adds noise whose variance lies between that of the posterior, which is
least, and beta, which is greatest. The network says where, on the scale of logarithms.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from tdspec.diffusion.process import Level, Process

LEVELS = 255.0  # of a pixel, between -1 and 1


def extremes(now: Level, then: Level) -> tuple[Tensor, Tensor]:
    """log of the least and of the greatest variance of a step between two levels; `then` has noise in it."""
    greatest = 1 - (now.alpha / then.alpha).square()
    return ((then.sigma / now.sigma).square() * greatest).log(), greatest.log()


def log_variance(share: Tensor, now: Level, then: Level) -> Tensor:
    """log of the added variance, f32[B,...].

    share  0 for the least, 1 for the greatest; beyond, extrapolated
    """
    least, greatest = extremes(now, then)
    return least + share * (greatest - least)


def bound(process: Process, t: Tensor, x0: Tensor, found: Tensor, share: Tensor) -> Tensor:
    """The term of the variational bound at t, in bits for each number of an image, f32[B].

    t      f32[B], a multiple of 1/steps
    x0     the data, f32[B,...]
    found  what the network says it is; its gradient does not count, the bound is there to learn the variance
    share  as in `log_variance`

    The divergence of the step from the posterior, and for t = 0, which ends in the data, the likelihood of an image of
    256 levels. Source: arXiv 2006.11239, equations 5, 7 and 13.
    """
    assert process.steps is not None
    error = x0 - found.detach()
    start = process.level(torch.zeros_like(t)).like(x0)
    # The step to the data has a least variance of 0; published code takes that of the step before it.
    late = t.clamp(min=1 / process.steps)
    now, then = process.level(late).like(x0), process.level(late - 1 / process.steps).like(x0)
    least, greatest = extremes(now, then)
    first = (t * process.steps).round().reshape(now.alpha.shape) == 0
    learned = least + share * (greatest.where(~first, 2 * start.sigma.log()) - least)
    # The means of posterior and step differ by this much of the error.
    pull = then.alpha * greatest.exp() / now.sigma.square()
    divergence = (learned - least + (least - learned).exp() - 1 + (pull * error).square() / learned.exp()) / 2
    nats = torch.where(first, -_log_likelihood(x0, error, learned), divergence)
    return nats.flatten(1).mean(1) / math.log(2)


def _log_likelihood(x0: Tensor, error: Tensor, log_of_variance: Tensor) -> Tensor:
    """log of the probability that a normal distribution gives a pixel's level; the outermost have all that is beyond.

    error  of the distribution's mean, x_0 less it
    """
    scale = (-log_of_variance / 2).exp()
    below = torch.special.ndtr((error - 1 / LEVELS) * scale).where(x0 > -1 + 1 / LEVELS, 0.0)
    above = torch.special.ndtr((error + 1 / LEVELS) * scale).where(x0 < 1 - 1 / LEVELS, 1.0)
    return (above - below).clamp(min=1e-12).log()
