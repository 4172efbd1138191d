"""The mathematics of noise: schedules as published, and predictions that give each other back."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tdspec.diffusion.predict import Parts, clipped, parts, target, weights
from tdspec.diffusion.process import Level, Process, cosine_betas, linear_betas, make_process
from tdspec.language.diffusion import CosineNoise, FlowNoise, MinSnr, Noise, Simple, VpNoise

NOISES: dict[str, Noise] = {
    "vp": VpNoise(),
    "ddpm": VpNoise(steps=1000),
    "cosine": CosineNoise(),
    "cosine-discrete": CosineNoise(steps=1000),
    "flow": FlowNoise(),
}
PREDICTIONS = [(name, word) for name, noise in NOISES.items() for word in noise.fits]


def times(process: Process, count: int = 201) -> torch.Tensor:
    return process.times(torch.linspace(0, 1, count, dtype=torch.float64))


@pytest.mark.parametrize("name", ["vp", "ddpm", "cosine", "cosine-discrete"])
def test_variance_is_preserved(name: str) -> None:
    process = make_process(NOISES[name])
    alpha, sigma = process.level(times(process))
    torch.testing.assert_close(alpha**2 + sigma**2, torch.ones_like(alpha), rtol=0, atol=1e-14)


@pytest.mark.parametrize("name", NOISES)
def test_data_turns_into_noise_step_by_step(name: str) -> None:
    process = make_process(NOISES[name])
    alpha, sigma = process.level(times(process))
    assert (alpha.diff() <= 0).all() and (sigma.diff() >= 0).all()
    assert alpha[0] > 0.998 and sigma[0] < 0.011 and alpha[-1] < 0.0066 and sigma[-1] > 0.9999


def test_ddpms_numbers() -> None:
    betas = linear_betas(0.1, 20, 1000)
    assert betas[0] == pytest.approx(1e-4) and betas[-1] == pytest.approx(0.02)
    process = make_process(VpNoise(steps=1000))
    # alpha^2 after the last step: 4.0e-5 (arXiv 2006.11239, section 4, where D_KL is about 1e-5 bits a dimension).
    alpha, _ = process.level(torch.tensor(999 / 1000, dtype=torch.float64))
    assert alpha.item() ** 2 == pytest.approx(4.036e-5, rel=1e-3)
    single, _ = process.level(torch.arange(1000) / 1000)  # float32, as in training: every step its own
    double, _ = process.level(torch.arange(1000, dtype=torch.float64) / 1000)
    torch.testing.assert_close(single.double(), double, rtol=1e-6, atol=0)
    assert len(single.unique()) == 1000


def test_discrete_time_goes_to_the_continuous_one() -> None:
    for discrete, continuous in (
        (VpNoise(steps=100_000), VpNoise()), (CosineNoise(steps=100_000), CosineNoise()),
    ):  # fmt: skip
        t = torch.linspace(0.01, 0.9, 50, dtype=torch.float64)
        one, other = make_process(discrete).level(t), make_process(continuous).level(t)
        torch.testing.assert_close(one.alpha, other.alpha, rtol=1e-3, atol=0)
        torch.testing.assert_close(one.sigma, other.sigma, rtol=1e-3, atol=0)


def test_cosine_is_the_papers() -> None:
    t = torch.tensor([0.25, 0.5, 0.75], dtype=torch.float64)
    expected = [(math.cos((u + 0.008) / 1.008 * math.pi / 2) / math.cos(0.008 / 1.008 * math.pi / 2)) ** 2 for u in t]
    found = make_process(CosineNoise()).level(t).alpha ** 2
    torch.testing.assert_close(found, torch.tensor(expected, dtype=torch.float64))
    assert cosine_betas(0.008, 1000).max() == 0.999


@given(st.floats(0, 1, exclude_max=True), st.integers(2, 2000))
def test_discrete_times_are_steps(uniform: float, steps: int) -> None:
    process = make_process(CosineNoise(steps=steps))
    t = process.times(torch.tensor([uniform], dtype=torch.float64)) * steps
    assert 0 <= t <= steps - 1 + 1e-9 and (t - t.round()).abs() < 1e-9


@pytest.mark.parametrize("name", NOISES)
def test_grids_lead_from_noise_to_data(name: str) -> None:
    process = make_process(NOISES[name])
    for count in (2, 7, 50):
        grid = process.grid(count)
        assert len(grid) == count and (grid.diff() < 0).all()
        assert grid[0] == process.high and grid[-1] == process.low
    if process.steps is not None:
        torch.testing.assert_close(process.grid(1000) * 1000, torch.arange(999, -1, -1).double())
        with pytest.raises(ValueError, match="1000 steps, 1001"):
            process.grid(1001)


@pytest.mark.parametrize(("name", "word"), PREDICTIONS)
def test_data_and_noise_follow_from_every_prediction(name: str, word: str) -> None:
    process = make_process(NOISES[name])
    generator = torch.Generator().manual_seed(0)
    t = times(process, 64)[1:]
    x0, noise = (torch.randn(63, 2, 3, 3, generator=generator, dtype=torch.float64) for _ in range(2))
    level = process.level(t).like(x0)
    x = process.mix(x0, noise, t)
    found = parts(word, target(word, Parts(x0, noise), level), x, level)  # type: ignore[arg-type]
    torch.testing.assert_close(found.x0, x0, rtol=1e-8, atol=1e-8)
    torch.testing.assert_close(found.noise, noise, rtol=1e-8, atol=1e-8)


def test_velocity_is_the_derivative_along_a_flow() -> None:
    process = make_process(FlowNoise())
    x0, noise = torch.randn(4, 3, dtype=torch.float64), torch.randn(4, 3, dtype=torch.float64)
    t = torch.full((4,), 0.3, dtype=torch.float64, requires_grad=True)
    for k in range(3):
        (slope,) = torch.autograd.grad(process.mix(x0, noise, t)[:, k].sum(), t)
        velocity = target("velocity", Parts(x0, noise), process.level(t).like(x0))
        torch.testing.assert_close(slope, velocity[:, k])


def test_clipping_keeps_x() -> None:
    level = Level(torch.tensor([0.6]), torch.tensor([0.8])).like(torch.zeros(1, 4))
    x = torch.tensor([[2.0, -2.0, 0.1, 0.0]])
    found = clipped(parts("noise", torch.tensor([[0.0, 0.0, 1.0, 0.0]]), x, level), x, level)
    assert found.x0.abs().max() <= 1
    torch.testing.assert_close(level.alpha * found.x0 + level.sigma * found.noise, x)


@pytest.mark.parametrize(("name", "word"), PREDICTIONS)
def test_min_snr_weights_the_error_of_x0(name: str, word: str) -> None:
    """However the network predicts, an error of x_0 counts min(SNR, gamma) times its square."""
    process = make_process(NOISES[name])
    t = times(process, 50)[1:-1]
    level = process.level(t)
    x, given, error = (torch.randn(48, 1, dtype=torch.float64) for _ in range(3))
    wide = level.like(x)
    moved = parts(word, given + error, x, wide).x0 - parts(word, given, x, wide).x0  # type: ignore[arg-type]
    found = weights(MinSnr(5.0), word, level) * error[:, 0] ** 2  # type: ignore[arg-type]
    torch.testing.assert_close(found, level.snr.clamp(max=5) * moved[:, 0] ** 2, rtol=1e-6, atol=0)
    assert (weights(Simple(), word, level) == 1).all()  # type: ignore[arg-type]
