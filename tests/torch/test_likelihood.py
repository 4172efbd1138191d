"""Likelihoods by the probability flow, of data whose density is known: a Gaussian in the plane."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor
from torch.distributions import MultivariateNormal

from tdspec.diffusion.likelihood import Likelihood, bits_per_dimension, log_density
from tdspec.diffusion.predict import Parts
from tdspec.diffusion.process import make_process
from tdspec.language.diffusion import VpNoise
from tests.torch.gaussian import COVARIANCE, MEAN, ONE, Gaussian
from tests.torch.test_noise import CONTINUOUS, NOISES


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def known(data: Gaussian, x: Tensor) -> Tensor:
    """log density at the least time of the process."""
    return MultivariateNormal(*data.noisy(data.process.low)).log_prob(x)


@pytest.mark.parametrize("name", CONTINUOUS)
def test_densities_are_those_of_a_gaussian(name: str) -> None:
    """With independent coordinates the probes of the divergence are exact."""
    data = Gaussian(NOISES[name], covariance=COVARIANCE.diag().diag())
    x = MEAN + torch.randn(20, 2, generator=generator(), dtype=torch.float64)
    found = log_density(data, data.process, x, generator())
    left = data.process.level(torch.tensor(data.process.high, dtype=torch.float64)).snr.sqrt().item()
    # The prior is taken to have nothing of the data left in it.
    torch.testing.assert_close(found.log, known(data, x), rtol=0, atol=1e-3 + 4 * left)
    assert found.evaluations == data.calls > 20


def test_probes_are_right_in_the_mean() -> None:
    data = Gaussian(VpNoise())
    x = torch.tensor([[0.9, -0.1]], dtype=torch.float64)
    found = log_density(data, data.process, x.expand(4000, 2), generator()).log
    assert found.std() > 0.1, "a single probe is off"
    assert found.mean().item() == pytest.approx(known(data, x).item(), abs=5 * found.std().item() / 4000**0.5 + 0.01)


def test_tolerance_is_kept() -> None:
    data = Gaussian(VpNoise(), covariance=COVARIANCE.diag().diag())
    x = MEAN + torch.randn(20, 2, generator=generator(), dtype=torch.float64)
    exact, fine, coarse = (
        log_density(data, data.process, x, generator(), tolerance) for tolerance in (1e-9, 1e-6, 1e-2)
    )
    assert (fine.log - exact.log).abs().max() < 1e-4 < (coarse.log - exact.log).abs().max()
    assert coarse.evaluations < fine.evaluations < exact.evaluations


@pytest.mark.parametrize("levels", [64, 256])
def test_bits_are_those_of_the_datas_entropy(levels: int) -> None:
    """Of a Gaussian within the range of images, cut into levels: half of log2(2 pi e variance) on a scale of levels."""
    std = 0.2
    data = Gaussian(VpNoise(), mean=torch.zeros(2).double(), covariance=std**2 * ONE)
    x = std * torch.randn(1000, 2, generator=generator(), dtype=torch.float64)
    images = ((x + 1) / 2 * levels).floor().to(torch.uint8)
    found = bits_per_dimension(data, data.process, images, generator(1), levels=levels)
    expected = math.log2(2 * math.pi * math.e * std**2) / 2 + math.log2(levels / 2)
    assert found.bits.shape == (1000,) and found.bits.dtype == torch.float32
    assert found.mean == pytest.approx(expected, abs=5 * found.error + 0.01)
    assert 0 < found.error == pytest.approx(found.bits.std().item() / 1000**0.5)
    again = bits_per_dimension(data, data.process, images, generator(1), levels=levels)
    assert torch.equal(found.bits, again.bits)


def test_images_of_any_shape_count_their_dimensions() -> None:
    """A network that says noise alone: the density is the prior's, carried to the data."""

    process = make_process(NOISES["ve"])
    images = torch.randint(0, 256, (3, 2, 4, 4), generator=generator(), dtype=torch.uint8)
    found = bits_per_dimension(lambda x, t: Parts(x, torch.zeros_like(x)), process, images, generator())
    # Nothing moves where x_0 is x, so that the images stand in the prior as they are.
    x = 2 * (images + torch.rand(images.shape, generator=generator())) / 256 - 1
    nats = -torch.distributions.Normal(0.0, process.prior).log_prob(x).mean((1, 2, 3))
    torch.testing.assert_close(found.bits, nats / math.log(2) + 7)


def test_discrete_time_is_refused() -> None:
    data = Gaussian(NOISES["ddpm"])
    with pytest.raises(ValueError, match="needs continuous time"):
        bits_per_dimension(data, data.process, torch.zeros(1, 2, dtype=torch.uint8), generator())


def test_a_network_need_not_be_called_with_gradients() -> None:
    data = Gaussian(VpNoise())
    with torch.no_grad():
        found = bits_per_dimension(data, data.process, torch.full((2, 2), 128, dtype=torch.uint8), generator())
    assert isinstance(found, Likelihood) and found.bits.isfinite().all() and not found.bits.requires_grad
