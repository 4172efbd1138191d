"""What a network may predict of x_t = alpha x_0 + sigma noise, and how each follows from the others.

noise     the noise that was added (arXiv 2006.11239, section 3.2)
x0        the data
v         alpha noise - sigma x_0, where alpha^2 + sigma^2 = 1 (arXiv 2202.00512, appendix D)
velocity  noise - x_0, the derivative of x_t where alpha = 1 - t, sigma = t (arXiv 2209.03003, equation 1)
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from tdspec.diffusion.process import Level
from tdspec.language.diffusion import MinSnr, Prediction, Weighting


class Parts(NamedTuple):
    """What x_t is made of: data and noise, each f32[B,...]."""

    x0: Tensor
    noise: Tensor


def target(predict: Prediction, parts: Parts, level: Level) -> Tensor:
    """What the network should give, f32[B,...]; the level is one that multiplies x (`Level.like`)."""
    match predict:
        case "noise":
            return parts.noise
        case "x0":
            return parts.x0
        case "v":
            return level.alpha * parts.noise - level.sigma * parts.x0
        case "velocity":
            return parts.noise - parts.x0


def parts(predict: Prediction, given: Tensor, x: Tensor, level: Level) -> Parts:
    """Data and noise of x_t = x, according to a network that gave `given`; all f32[B,...]."""
    alpha, sigma = level
    match predict:
        case "noise":
            return Parts((x - sigma * given) / alpha, given)
        case "x0":
            return Parts(given, (x - alpha * given) / sigma)
        case "v":
            return Parts(alpha * x - sigma * given, sigma * x + alpha * given)
        case "velocity":
            return Parts(x - sigma * given, x + alpha * given)


def clipped(found: Parts, x: Tensor, level: Level) -> Parts:
    """With x_0 in [-1, 1], where images lie, and the noise that then explains x. Source: hojonathanho/diffusion."""
    x0 = found.x0.clamp(-1, 1)
    return Parts(x0, (x - level.alpha * x0) / level.sigma)


def weights(section: Weighting, predict: Prediction, level: Level) -> Tensor:
    """The factor on the mean square error of the prediction at each t, f32[B]; the level's tensors are f32[B].

    min-snr weights the error of x_0 by min(SNR, gamma); an error of the prediction is a multiple of that of x_0.
    Source: arXiv 2303.09556, section 3.4.
    """
    if not isinstance(section, MinSnr):
        return torch.ones_like(level.alpha)
    snr = level.snr
    match predict:
        case "noise":
            of_x0 = 1 / snr
        case "x0":
            of_x0 = torch.ones_like(snr)
        case "v" | "velocity":
            of_x0 = level.sigma.square()
    return snr.clamp(max=section.gamma) * of_x0
