"""The mathematics of noise: schedules as published, and predictions that give each other back."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tdspec.diffusion import times as times_of
from tdspec.diffusion.predict import Parts, clipped, parts, target, weights
from tdspec.diffusion.process import Level, Process, betas_of, cosine, linear_betas, make_process
from tdspec.diffusion.variance import bound, extremes, log_variance
from tdspec.language.diffusion import (
    CosineNoise,
    EdmNoise,
    EdmWeighting,
    FlowNoise,
    ImportanceTimes,
    Likelihood,
    LognormalTimes,
    MinSnr,
    Noise,
    SigmoidNoise,
    Simple,
    SubVpNoise,
    UniformTimes,
    VeNoise,
    VpNoise,
)

NOISES: dict[str, Noise] = {
    "vp": VpNoise(),
    "ddpm": VpNoise(steps=1000),
    "cosine": CosineNoise(),
    "cosine-discrete": CosineNoise(steps=1000),
    "sigmoid": SigmoidNoise(),
    "sigmoid-discrete": SigmoidNoise(steps=1000),
    "sub-vp": SubVpNoise(),
    "ve": VeNoise(),
    "edm": EdmNoise(),
    "flow": FlowNoise(),
}
CONTINUOUS = [name for name, noise in NOISES.items() if getattr(noise, "steps", None) is None]
PREDICTIONS = [(name, word) for name, noise in NOISES.items() for word in noise.fits]


def times(process: Process, count: int = 201) -> torch.Tensor:
    return process.times(torch.linspace(0, 1, count, dtype=torch.float64))


@pytest.mark.parametrize("name", ["vp", "ddpm", "cosine", "cosine-discrete", "sigmoid", "sigmoid-discrete"])
def test_variance_is_preserved(name: str) -> None:
    process = make_process(NOISES[name])
    alpha, sigma = process.level(times(process))
    torch.testing.assert_close(alpha**2 + sigma**2, torch.ones_like(alpha), rtol=0, atol=1e-14)


@pytest.mark.parametrize("name", NOISES)
def test_data_turns_into_noise_step_by_step(name: str) -> None:
    process = make_process(NOISES[name])
    alpha, sigma = process.level(times(process))
    assert (alpha.diff() <= 0).all() and (sigma.diff() >= 0).all()
    assert alpha[0] > 0.998 and sigma[0] < 0.023
    # Of data with a standard deviation of 0.5, hardly any is left; what is, samplers take for noise.
    assert 0.5 * alpha[-1] / sigma[-1] < 0.018 and process.prior == sigma[-1]


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
        (SigmoidNoise(steps=100_000), SigmoidNoise()),
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
    assert betas_of(cosine(0.008), 1000).max() == 0.999


@given(st.floats(0, 1, exclude_max=True), st.integers(2, 2000))
def test_discrete_times_are_steps(uniform: float, steps: int) -> None:
    process = make_process(CosineNoise(steps=steps))
    t = process.times(torch.tensor([uniform], dtype=torch.float64)) * steps
    assert 0 <= t <= steps - 1 + 1e-9 and (t - t.round()).abs() < 1e-9


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


def test_published_noises() -> None:
    """Formulas as printed: 2011.13456 equations 29 and 30, 2301.10972 algorithm 1, 2206.00364 table 1."""
    t = torch.tensor([0.2, 0.5, 0.9], dtype=torch.float64)
    integral = 0.1 * t + 19.9 * t**2 / 2
    sub = make_process(SubVpNoise()).level(t)
    torch.testing.assert_close(sub.alpha, (-integral / 2).exp())
    torch.testing.assert_close(sub.sigma, 1 - (-integral).exp())
    ve = make_process(VeNoise(sigma_min=0.01, sigma_max=50)).level(t)
    torch.testing.assert_close(ve.sigma, 0.01 * 5000**t)
    assert (ve.alpha == 1).all()
    gamma = [(1 / (1 + math.exp(-3)) - 1 / (1 + math.exp(3 - 6 * u))) / (1 / (1 + math.exp(-3)) - 1 / (1 + math.exp(3)))
             for u in t.tolist()]  # fmt: skip
    torch.testing.assert_close(make_process(SigmoidNoise()).level(t).alpha ** 2, torch.tensor(gamma).double())
    edm = make_process(EdmNoise())
    x, level = torch.ones(3, 1, dtype=torch.float64), edm.level(t)
    torch.testing.assert_close(edm.shown(x, level.like(x))[:, 0], 1 / (level.sigma**2 + 0.25).sqrt())


def test_edm_is_the_published_preconditioning() -> None:
    """x_0 = c_skip x + c_out F, and F has a standard deviation of 1 for data of 0.5 (2206.00364, appendix B.6)."""
    process = make_process(EdmNoise())
    level = process.level(torch.tensor([0.1, 0.6, 0.9], dtype=torch.float64))
    x, given = torch.randn(3, 1, dtype=torch.float64), torch.randn(3, 1, dtype=torch.float64)
    wide = level.like(x)
    sigma = wide.sigma
    skip, out = 0.25 / (sigma**2 + 0.25), sigma * 0.5 / (sigma**2 + 0.25).sqrt()
    torch.testing.assert_close(parts("edm", given, x, wide).x0, skip * x + out * given)
    one, none = torch.tensor(1.0), torch.tensor(0.0)
    of_data, of_noise = (target("edm", pair, wide) for pair in (Parts(one / 2, none), Parts(none, one)))
    torch.testing.assert_close(of_data**2 + of_noise**2, torch.ones_like(sigma))


@pytest.mark.parametrize("name", CONTINUOUS)
def test_times_follow_from_their_noise(name: str) -> None:
    process = make_process(NOISES[name])
    t = times(process, 50)[1:-1]
    alpha, sigma = process.level(t)
    torch.testing.assert_close(process.at((sigma / alpha).log()), t, rtol=0, atol=1e-9)
    beyond = process.at(torch.tensor([-99.0, 99.0], dtype=torch.float64))
    torch.testing.assert_close(beyond, torch.tensor([process.low, process.high], dtype=torch.float64))
    low, high = process.ratios()
    # The rate is the slope: its integral is what log SNR falls by.
    fine = torch.linspace(process.low, process.at(torch.tensor(high).double()).item(), 200_001, dtype=torch.float64)
    fallen = torch.trapezoid(process.rate(fine), fine)
    assert fallen.item() == pytest.approx(2 * (high - low), rel=1e-3)


EVENLY = (torch.arange(10_000, dtype=torch.float64) + 0.5) / 10_000


@pytest.mark.parametrize("name", CONTINUOUS)
def test_lognormal_times(name: str) -> None:
    process = make_process(NOISES[name])
    t = times_of.times(LognormalTimes(-0.5, 0.6), process, EVENLY)
    alpha, sigma = process.level(t)
    ratio = (sigma / alpha).log()
    assert ratio.mean().item() == pytest.approx(-0.5, abs=0.01) and ratio.std().item() == pytest.approx(0.6, abs=0.01)
    assert times_of.density(LognormalTimes(), process, t).unique().tolist() == [1.0]


@pytest.mark.parametrize("name", CONTINUOUS)
def test_importance_changes_no_mean_and_levels_the_likelihood(name: str) -> None:
    process = make_process(NOISES[name])
    t = times_of.times(ImportanceTimes(), process, EVENLY)
    density = times_of.density(ImportanceTimes(), process, t)
    assert (1 / density).mean().item() == pytest.approx(1, rel=2e-3)  # of the constant 1, as a loss
    weight = weights(Likelihood(), NOISES[name].fits[0], process, t) / density
    if NOISES[name].fits[0] in ("noise", "score"):  # errors of the noise then count alike
        torch.testing.assert_close(weight, weight[:1].expand_as(weight), rtol=1e-6, atol=0)


def test_stratified_times_are_one_in_each_part() -> None:
    torch.manual_seed(0)
    found = times_of.drawn(UniformTimes(stratified=True), 64, torch.device("cpu"))
    assert ((found * 64).floor() == torch.arange(64)).all() and (found * 64 % 1).max() > 0
    loose = times_of.drawn(UniformTimes(), 64, torch.device("cpu"))
    assert not ((loose * 64).floor() == torch.arange(64)).all()


WEIGHTINGS = {
    "min-snr": (MinSnr(5.0), lambda process, t: process.level(t).snr.clamp(max=5)),
    "edm": (EdmWeighting(), lambda process, t: process.level(t).snr + 4),
    "likelihood": (Likelihood(), lambda process, t: process.level(t).snr * process.rate(t)),
}


@pytest.mark.parametrize("weighting", WEIGHTINGS)
@pytest.mark.parametrize(("name", "word"), PREDICTIONS)
def test_weightings_are_of_the_error_of_x0(name: str, word: str, weighting: str) -> None:
    """However the network predicts, an error of x_0 counts what the weighting says, times its square."""
    section, of_x0 = WEIGHTINGS[weighting]
    process = make_process(NOISES[name])
    if weighting == "likelihood" and process.steps is not None:
        return
    t = times(process, 50)[1:-1]
    wide = process.level(t).like(t[:, None])
    x, given, error = (torch.randn(48, 1, dtype=torch.float64) for _ in range(3))
    moved = parts(word, given + error, x, wide).x0 - parts(word, given, x, wide).x0  # type: ignore[arg-type]
    found = weights(section, word, process, t) * error[:, 0] ** 2  # type: ignore[arg-type]
    torch.testing.assert_close(found, of_x0(process, t) * moved[:, 0] ** 2, rtol=1e-5, atol=0)
    assert (weights(Simple(), word, process, t) == 1).all()  # type: ignore[arg-type]


def test_likelihood_weights_are_g_squared_over_sigma_squared() -> None:
    """For VP, g^2 = beta(t) (arXiv 2101.09258, table 1)."""
    t = torch.tensor([0.1, 0.5, 0.9], dtype=torch.float64)
    process = make_process(VpNoise())
    expected = (0.1 + 19.9 * t) / process.level(t).sigma ** 2
    torch.testing.assert_close(weights(Likelihood(), "noise", process, t), expected)


def test_edm_counts_its_own_errors_alike() -> None:
    process = make_process(EdmNoise())
    t = times(process, 20)
    torch.testing.assert_close(weights(EdmWeighting(), "edm", process, t), torch.ones_like(t))


# ------------------------------------------------------------------ learned variances


def normal(mean: torch.Tensor, log_variance: torch.Tensor) -> torch.distributions.Normal:
    return torch.distributions.Normal(mean, (log_variance / 2).exp())


@pytest.mark.parametrize("n", [1, 2, 300, 999])
def test_the_bound_is_the_divergence_from_the_posterior(n: int) -> None:
    """With posterior and step written as in arXiv 2006.11239, equations 6 and 7."""
    process, betas = make_process(VpNoise(steps=1000)), linear_betas(0.1, 20, 1000)
    bars = (1 - betas).cumprod(0)
    x0, found, x, share = (torch.randn(4, 2, 3, 3, dtype=torch.float64) for _ in range(4))
    of_x0 = bars[n - 1].sqrt() * betas[n] / (1 - bars[n])
    of_x = (1 - betas[n]).sqrt() * (1 - bars[n - 1]) / (1 - bars[n])
    least = ((1 - bars[n - 1]) / (1 - bars[n]) * betas[n]).log()
    learned = share * betas[n].log() + (1 - share) * least
    divergence = torch.distributions.kl_divergence(
        normal(of_x0 * x0 + of_x * x, least), normal(of_x0 * found + of_x * x, learned)
    )
    t = torch.full((4,), n / 1000, dtype=torch.float64)
    expected = divergence.flatten(1).mean(1) / math.log(2)
    torch.testing.assert_close(bound(process, t, x0, found, share), expected, rtol=1e-6, atol=1e-9)
    now, then = (process.level(torch.tensor(step / 1000, dtype=torch.float64)) for step in (n, n - 1))
    torch.testing.assert_close(log_variance(share, now, then), learned)


def test_the_bound_ends_in_the_likelihood_of_a_pixel() -> None:
    """All 256 levels together have probability 1, whatever mean and variance are."""
    process = make_process(VpNoise(steps=1000))
    pixels = (torch.arange(256, dtype=torch.float64) / 127.5 - 1).reshape(256, 1, 1, 1)
    t = torch.zeros(256, dtype=torch.float64)
    for mean, share in ((0.3, 0.0), (-0.997, 1.0), (0.999, 4.0)):
        bits = bound(process, t, pixels, torch.full_like(pixels, mean), torch.full_like(pixels, share))
        assert (2**-bits).sum().item() == pytest.approx(1, abs=1e-6)


def test_the_bound_teaches_the_variance_alone() -> None:
    """Its gradient leaves the mean alone, and the best variance is the mean square error with the posterior's own."""
    process = make_process(CosineNoise(steps=50))
    x0 = torch.zeros(1, 1, 100, 100, dtype=torch.float64)
    found = torch.randn_like(x0).mul(0.3).requires_grad_()
    share = torch.zeros(1, 1, 1, 1, dtype=torch.float64, requires_grad=True)
    t = torch.tensor([20 / 50], dtype=torch.float64)
    optimizer = torch.optim.Adam([share], lr=0.05)
    for _ in range(300):
        optimizer.zero_grad()
        bound(process, t, x0, found, share).sum().backward()
        optimizer.step()
    assert found.grad is None
    now, then = (process.level(torch.tensor(step / 50, dtype=torch.float64)) for step in (20, 19))
    least, _ = extremes(now, then)
    pull = then.alpha * (1 - (now.alpha / then.alpha) ** 2) / now.sigma**2
    best = least.exp() + pull**2 * found.detach().square().mean()
    assert log_variance(share, now, then).item() == pytest.approx(best.log().item(), abs=1e-3)
