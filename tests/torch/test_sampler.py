"""Samplers on data whose every noisy distribution is known: a Gaussian in the plane."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from tdspec.diffusion.predict import Parts, parts, target
from tdspec.diffusion.process import Process, make_process
from tdspec.diffusion.sampler import SAMPLERS, Sampler, ancestral
from tdspec.language.diffusion import Noise
from tests.torch.test_noise import NOISES as ALL

COUNT = 10_000
NOISES = {name: noise for name, noise in ALL.items() if noise.kind not in ("ve", "edm")}
MEAN = torch.tensor([0.5, -0.3], dtype=torch.float64)
COVARIANCE = torch.tensor([[0.30, 0.12], [0.12, 0.10]], dtype=torch.float64)


def root(matrix: Tensor) -> Tensor:
    values, vectors = torch.linalg.eigh(matrix)
    return vectors @ values.sqrt().diag() @ vectors.T


class Gaussian:
    """A network that knows: E[x_0 | x_t] of Gaussian data, given by way of a prediction."""

    def __init__(self, noise: Noise, process: Process) -> None:
        self.word, self.process = noise.fits[0], process
        self.calls = 0

    def __call__(self, x: Tensor, t: float) -> Parts:
        self.calls += 1
        level = self.process.level(torch.tensor([t], dtype=torch.float64)).like(x)
        alpha, sigma = level.alpha.item(), level.sigma.item()
        gain = alpha * COVARIANCE @ torch.linalg.inv(alpha**2 * COVARIANCE + sigma**2 * torch.eye(2).double())
        x0 = MEAN + (x - alpha * MEAN) @ gain.T
        found = Parts(x0, (x - alpha * x0) / sigma)
        return parts(self.word, target(self.word, found, level), x, level)


def drawn(name: str, sampler: Sampler, seed: int = 0) -> tuple[Tensor, Tensor, Gaussian]:
    """The noise that samples start from, and the samples."""
    process = make_process(NOISES[name])
    knows = Gaussian(NOISES[name], process)
    generator = torch.Generator().manual_seed(seed)
    start = torch.randn(COUNT, 2, generator=generator, dtype=torch.float64)
    *_, x = sampler.run(knows, process, start, generator)
    return start, x, knows


def flowed(name: str, start: Tensor) -> Tensor:
    """Where the flow takes each start: along it, a Gaussian's quantiles stay what they are."""
    process = make_process(NOISES[name])
    alpha, sigma = (float(value) for value in process.level(torch.tensor(process.high, dtype=torch.float64)))
    there = root(alpha**2 * COVARIANCE + sigma**2 * torch.eye(2, dtype=torch.float64))
    return MEAN + (start - alpha * MEAN) @ torch.linalg.inv(there).T @ root(COVARIANCE).T


@pytest.mark.parametrize("sampler", [Sampler("ddpm", 300), Sampler("ddim", 300), Sampler("ddim", 300, 0.5),
                                     Sampler("heun", 50)], ids=str)  # fmt: skip
@pytest.mark.parametrize("name", NOISES)
def test_samples_have_the_datas_mean_and_covariance(name: str, sampler: Sampler) -> None:
    _, x, _ = drawn(name, sampler)
    # Five standard errors of a mean and of a covariance, and 2 % for steps of finite length.
    of_mean = 5 * (COVARIANCE.diag() / COUNT).sqrt()
    assert ((x.mean(0) - MEAN).abs() < of_mean + 0.02 * COVARIANCE.diag().sqrt()).all(), x.mean(0)
    scale = (COVARIANCE.diag()[:, None] * COVARIANCE.diag()).sqrt()
    off = (x.T.cov() - COVARIANCE).abs() / scale
    assert (off < 5 * (2 / COUNT) ** 0.5 + 0.02).all(), off


@pytest.mark.parametrize("name", NOISES)
@pytest.mark.parametrize(("sampler", "order"), [("ddim", 1), ("heun", 2)])
def test_flows_converge_at_their_order(name: str, sampler: str, order: int) -> None:
    errors = []
    for steps in (16, 32, 64):
        start, x, _ = drawn(name, Sampler(sampler, steps))
        errors.append((x - flowed(name, start)).square().mean().sqrt().item())
    ratios = [errors[k] / errors[k + 1] for k in range(2)]
    assert all(ratio > 2**order * 0.75 for ratio in ratios), (errors, ratios)


@pytest.mark.parametrize("name", NOISES)
def test_ancestral_sampling_converges(name: str) -> None:
    errors = []
    for steps in (10, 60, 400):
        _, x, _ = drawn(name, Sampler("ddpm", steps))
        errors.append(((x.T.cov() - COVARIANCE).norm() / COVARIANCE.norm()).item())
    assert errors[0] > 2 * errors[1] and errors[2] < 0.04, errors


def test_ddim_with_all_the_noise_is_ddpm() -> None:
    assert torch.equal(drawn("ddpm", Sampler("ddpm", 20))[1], drawn("ddpm", Sampler("ddim", 20, 1.0))[1])


@pytest.mark.parametrize("name", SAMPLERS)
def test_evaluations_are_counted(name: str) -> None:
    sampler = Sampler(name, 7)
    assert drawn("vp", sampler)[2].calls == sampler.evaluations


def test_the_seed_decides() -> None:
    sampler = Sampler("ddpm", 5)
    assert torch.equal(drawn("vp", sampler)[1], drawn("vp", sampler)[1])
    assert not torch.equal(drawn("vp", sampler)[1], drawn("vp", sampler, seed=1)[1])


def test_one_step_has_the_posteriors_mean_and_variance() -> None:
    """Equation 7 of arXiv 2006.11239, written in betas."""
    process = make_process(NOISES["ddpm"])
    betas = torch.linspace(1e-4, 0.02, 1000, dtype=torch.float64)
    bars = (1 - betas).cumprod(0)
    n = 300
    now, then = (process.level(torch.tensor(step / 1000, dtype=torch.float64)) for step in (n, n - 1))
    x, x0 = torch.full((COUNT, 1), 0.7, dtype=torch.float64), torch.full((COUNT, 1), -0.2, dtype=torch.float64)
    found = Parts(x0, (x - now.alpha * x0) / now.sigma)
    y = ancestral(x, found, now, then, 1.0, torch.Generator().manual_seed(0))
    mean = (
        bars[n - 1].sqrt() * betas[n] / (1 - bars[n]) * -0.2
        + (1 - betas[n]).sqrt() * (1 - bars[n - 1]) / (1 - bars[n]) * 0.7
    )
    variance = (1 - bars[n - 1]) / (1 - bars[n]) * betas[n]
    assert y.mean().item() == pytest.approx(mean.item(), abs=5 * (variance.item() / COUNT) ** 0.5)
    assert y.var().item() == pytest.approx(variance.item(), rel=5 * (2 / COUNT) ** 0.5)
    still = ancestral(x, found, now, then, 0.0, torch.Generator())
    assert (still == still[0]).all()
