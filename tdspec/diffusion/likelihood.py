"""How likely images are to a diffusion model, in bits per dimension, by the probability flow.

The flow carries the data's density to that of the noise, and its divergence says by how much the density changes on
the way (arXiv 2011.13456, section 4.3 and appendix D.2).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from tdspec.diffusion.ode import Flow, solve
from tdspec.diffusion.predict import Denoise
from tdspec.diffusion.process import Process


class Density(NamedTuple):
    """log p(x) of each sample, f32[B], in nats, and how often the network was called."""

    log: Tensor
    evaluations: int


class Likelihood(NamedTuple):
    """bits: of each image, f32[B], per dimension; evaluations: how often the network was called."""

    bits: Tensor
    evaluations: int

    @property
    def mean(self) -> float:
        """Over the images."""
        return self.bits.double().mean().item()

    @property
    def error(self) -> float:
        """The standard error of the mean; nan for one image."""
        return self.bits.double().std().item() / math.sqrt(len(self.bits))


def bits_per_dimension(
    denoise: Denoise,
    process: Process,
    images: Tensor,
    generator: torch.Generator,
    tolerance: float = 1e-5,
    levels: int = 256,
) -> Likelihood:
    """Minus log2 p(image) / dimensions, for whole images of values 0 to levels - 1, uint8[B,...].

    Noise uniform within a level makes them continuous, which bounds the bits from above in the mean
    (arXiv 1511.01844, section 3.1). They are taken as data with the noise of the process's least time.

    denoise    differentiable, and without a clipped x_0, which the flow has not
    generator  on the CPU, for that noise and for the probes of the divergence

    Raises `ValueError` for discrete time.
    """
    within = torch.rand(images.shape, generator=generator)
    x = 2 * (images.float() + within.to(images.device)) / levels - 1
    density = log_density(denoise, process, x, generator, tolerance)
    nats = -density.log / math.prod(images.shape[1:])
    return Likelihood(nats / math.log(2) + math.log2(levels / 2), density.evaluations)


def log_density(
    denoise: Denoise,
    process: Process,
    x: Tensor,
    generator: torch.Generator,
    tolerance: float = 1e-5,
) -> Density:
    """log p(x) of x, f32[B,...], at the least time of the process.

    The divergence is e^T (df/dx) e with one e of signs for each sample (arXiv 1810.01367, section 3.1): unbiased, and
    exact where df/dx is diagonal.

    Raises `ValueError` for discrete time.
    """
    flow, calls = Flow(denoise, process), 0
    probe = torch.randint(0, 2, x.shape, generator=generator).to(x) * 2 - 1

    def field(t: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        nonlocal calls
        calls += 1
        with torch.enable_grad():
            here = state[0].detach().requires_grad_()
            slope = flow(t, here)
            (change,) = torch.autograd.grad(slope, here, probe)
        return slope.detach(), (change * probe).flatten(1).sum(1)

    end, gained = solve(field, (x, x.new_zeros(len(x))), process.low, process.high, tolerance)
    prior = torch.distributions.Normal(0.0, process.prior)
    return Density(prior.log_prob(end).flatten(1).sum(1) + gained, calls)
