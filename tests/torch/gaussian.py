"""Data whose every noisy distribution is known: a Gaussian in the plane."""

from __future__ import annotations

import torch
from torch import Tensor

from tdspec.diffusion.predict import Parts, parts, target
from tdspec.diffusion.process import make_process
from tdspec.language.diffusion import Noise

MEAN = torch.tensor([0.5, -0.3], dtype=torch.float64)
COVARIANCE = torch.tensor([[0.30, 0.12], [0.12, 0.10]], dtype=torch.float64)
ONE = torch.eye(2, dtype=torch.float64)


def root(matrix: Tensor) -> Tensor:
    values, vectors = torch.linalg.eigh(matrix)
    return vectors @ values.sqrt().diag() @ vectors.T


class Gaussian:
    """A network that knows: E[x_0 | x_t], given by way of a prediction. Counts its calls."""

    def __init__(self, noise: Noise, mean: Tensor = MEAN, covariance: Tensor = COVARIANCE) -> None:
        self.word, self.process = noise.fits[0], make_process(noise)
        self.mean, self.covariance = mean, covariance
        self.calls = 0

    def __call__(self, x: Tensor, t: float) -> Parts:
        self.calls += 1
        level = self.process.level(torch.tensor([t], dtype=torch.float64)).like(x)
        alpha, sigma = level.alpha.item(), level.sigma.item()
        gain = alpha * self.covariance @ torch.linalg.inv(self.noisy(t)[1])
        x0 = self.mean + (x - alpha * self.mean) @ gain.T
        found = Parts(x0, (x - alpha * x0) / sigma)
        return parts(self.word, target(self.word, found, level), x, level)

    def noisy(self, t: float) -> tuple[Tensor, Tensor]:
        """Mean and covariance of x_t."""
        alpha, sigma = self.process.level(torch.tensor(t, dtype=torch.float64))
        return alpha * self.mean, alpha**2 * self.covariance + sigma**2 * ONE

    def flowed(self, start: Tensor, first: float) -> Tensor:
        """Where the flow takes standard normal numbers from the time `first` to the least, and x_0 from there.

        Along it, a Gaussian's quantiles stay what they are.
        """
        low = self.process.low
        (mean, covariance), (least_mean, least) = self.noisy(first), self.noisy(low)
        x = start * self.process.level(torch.tensor(first, dtype=torch.float64)).sigma
        return self(least_mean + (x - mean) @ torch.linalg.inv(root(covariance)) @ root(least), low).x0
