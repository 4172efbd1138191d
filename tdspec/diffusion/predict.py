"""What a network may predict of x_t = alpha x_0 + sigma noise, and how data and noise follow from it.

Every prediction is a mixture a x_0 + b noise; with x_t that makes two equations for the two.

noise     the noise that was added (arXiv 2006.11239, section 3.2)
x0        the data
v         alpha noise - sigma x_0 (arXiv 2202.00512, appendix D)
velocity  noise - x_0, the derivative of x_t where alpha = 1 - t, sigma = t (arXiv 2209.03003, equation 1)
score     sigma times the score of the density of x_t, which is -noise: what published networks give before they
          divide by sigma (arXiv 2011.13456, appendix C)
edm       the mixture with a standard deviation of 1 that is left when x_0 is told from x_t as well as a straight line
          can (arXiv 2206.00364, equations 7 and 8)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from tdspec.diffusion.process import DATA_STD, Level, Process
from tdspec.language.diffusion import EdmWeighting, Likelihood, MinSnr, Prediction, Weighting


class Parts(NamedTuple):
    """What x_t is made of: data and noise, each f32[B,...].

    share  of a network that learns variances: where the log variance of a step lies, see `variance.py`
    """

    x0: Tensor
    noise: Tensor
    share: Tensor | None = None


Denoise = Callable[[Tensor, float], Parts]
"""What samplers know of a network: from x_t, f32[B,...], and t, one for all, to the data and the noise in it."""


class Mixture(NamedTuple):
    """The factors of data and noise in a prediction, of the level's shape."""

    data: Tensor
    noise: Tensor


def mixture(predict: Prediction, level: Level) -> Mixture:
    """The factors at a level."""
    alpha, sigma = level
    one, none = torch.ones_like(alpha), torch.zeros_like(alpha)
    match predict:
        case "noise":
            return Mixture(none, one)
        case "x0":
            return Mixture(one, none)
        case "v":
            return Mixture(-sigma, alpha)
        case "velocity":
            return Mixture(-one, one)
        case "score":
            return Mixture(none, -one)
        case "edm":
            length = (sigma.square() + DATA_STD**2).sqrt()
            return Mixture(sigma / (DATA_STD * length), -DATA_STD / length)


def determinant(mixed: Mixture, level: Level) -> Tensor:
    """Of the two equations for x_t and the prediction."""
    return level.alpha * mixed.noise - level.sigma * mixed.data


def target(predict: Prediction, parts: Parts, level: Level) -> Tensor:
    """What the network should give, f32[B,...]; the level is one that multiplies x (`Level.like`)."""
    mixed = mixture(predict, level)
    return mixed.data * parts.x0 + mixed.noise * parts.noise


def parts(predict: Prediction, given: Tensor, x: Tensor, level: Level) -> Parts:
    """Data and noise of x_t = x, according to a network that gave `given`; all f32[B,...]."""
    mixed = mixture(predict, level)
    whole = determinant(mixed, level)
    return Parts(
        (mixed.noise * x - level.sigma * given) / whole,
        (level.alpha * given - mixed.data * x) / whole,
    )


def clipped(found: Parts, x: Tensor, level: Level) -> Parts:
    """With x_0 in [-1, 1], where images lie, and the noise that then explains x. Source: hojonathanho/diffusion."""
    x0 = found.x0.clamp(-1, 1)
    return Parts(x0, (x - level.alpha * x0) / level.sigma, found.share)


def weights(section: Weighting, predict: Prediction, process: Process, t: Tensor) -> Tensor:
    """The factor on the mean square error of the prediction at each t, f32[B].

    Weightings are said of errors of x_0, and an error of the prediction is a multiple of that: min(SNR, gamma) for
    `min-snr`, SNR + 1/0.5^2 for `edm`, and for `likelihood` SNR times the rate at which log SNR falls, which is that
    rate for errors of the noise.
    """
    level = process.level(t)
    match section:
        case MinSnr():
            of_x0 = level.snr.clamp(max=section.gamma)
        case EdmWeighting():
            of_x0 = level.snr + 1 / DATA_STD**2
        case Likelihood():
            of_x0 = level.snr * process.rate(t)
        case _:
            return torch.ones_like(t)
    return of_x0 * (level.sigma / determinant(mixture(predict, level), level)).square()
