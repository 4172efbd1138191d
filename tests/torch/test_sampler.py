"""Samplers on data whose every noisy distribution is known: a Gaussian in the plane."""

from __future__ import annotations

import math
import sys
from importlib.util import find_spec
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from tdspec.diffusion.grid import grid, log_ratio
from tdspec.diffusion.predict import Parts
from tdspec.diffusion.process import make_process
from tdspec.diffusion.sampler import ancestral, draw, langevin
from tdspec.diffusion.schedulers import FROM_DIFFUSERS
from tdspec.language.declared import Choice
from tdspec.language.diffusion import CosineNoise
from tdspec.language.sampler import OPTIONS, SAMPLERS, Sampler
from tests.torch.gaussian import COVARIANCE, MEAN, Gaussian
from tests.torch.test_noise import CONTINUOUS, NOISES

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # of diffusers

COUNT = 10_000
SPACINGS = next(option.type.values for option in OPTIONS if isinstance(option.type, Choice))

NEEDS_DIFFUSERS = pytest.mark.skipif(
    find_spec("diffusers") is None, reason="these samplers come from diffusers: pip install 'tdspec[diffusers]'"
)

FLOWS: list[tuple[Sampler, float]] = [  # with the order at which each converges
    (Sampler("ddim"), 1),
    (Sampler("euler"), 1),
    (Sampler("heun"), 2),
    (Sampler("heun", spacing="time"), 2),
    (Sampler("heun", spacing="karras"), 2),
    (Sampler("dpm-solver++", order=1), 1),
    (Sampler("dpm-solver++", order=2), 2),
    (Sampler("dpm-solver++", order=3), 2),  # not 3: its term of third order is half of what it should be
    (Sampler("dpm-solver++", order=2, singlestep=True), 2),
    (Sampler("dpm-solver++", order=3, singlestep=True), 3),
    (Sampler("unipc", order=1), 2),  # its corrector gains one
    (Sampler("unipc", order=2), 3),
    (Sampler("unipc", order=3), 3),
]
NOISY = [
    Sampler("ddpm", 300), Sampler("ddim", 300, 0.5), Sampler("sde-dpm-solver++", 150), Sampler("pc", 150),
]  # fmt: skip


def marked(samplers: list[Any]) -> list[Any]:
    """As parameters of a test, those from diffusers marked so."""
    cases = [case if isinstance(case, tuple) else (case,) for case in samplers]
    return [
        pytest.param(*case, id=str(case[0]), marks=NEEDS_DIFFUSERS if case[0].name in FROM_DIFFUSERS else ())
        for case in cases
    ]


def other(sampler: Sampler, steps: int) -> Sampler:
    """The same sampler with another number of steps."""
    return Sampler(
        sampler.name, steps, **{key: getattr(sampler, key) for key in SAMPLERS[sampler.name].options if key != "steps"}
    )


def white(count: int, seed: int = 0) -> Tensor:
    """f64[count,2] with a mean of 0 and a covariance of 1, not only nearly."""
    x = torch.randn(count, 2, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    x = x - x.mean(0)
    return x @ torch.linalg.inv(torch.linalg.cholesky(x.T.cov())).T


def drawn(name: str, sampler: Sampler, seed: int = 0, count: int = COUNT) -> tuple[Tensor, Tensor, Gaussian]:
    """The noise that samples start from, the samples, and the network."""
    knows = Gaussian(NOISES[name])
    start = white(count, seed)
    *_, x = draw(sampler, knows, knows.process, start, torch.Generator().manual_seed(seed + 1))
    return start, x, knows


def off(x: Tensor) -> tuple[float, float]:
    """By how much mean and covariance are off, in units of the data's standard deviations."""
    scale = COVARIANCE.diag().sqrt()
    return ((x.mean(0) - MEAN).abs() / scale).max().item(), (
        (x.T.cov() - COVARIANCE).abs() / (scale[:, None] * scale)
    ).max().item()


@pytest.mark.parametrize("sampler", marked(NOISY))
@pytest.mark.parametrize("name", NOISES)
def test_samples_have_the_datas_mean_and_covariance(name: str, sampler: Sampler) -> None:
    mean, covariance = off(drawn(name, sampler)[1])
    # Five standard errors of a mean and of a covariance, and 2 % for steps of finite length.
    assert mean < 5 / COUNT**0.5 + 0.02 and covariance < 5 * (2 / COUNT) ** 0.5 + 0.02, (mean, covariance)


@pytest.mark.parametrize(("sampler", "order"), marked(FLOWS))
@pytest.mark.parametrize("name", NOISES)
def test_flows_carry_mean_and_covariance(name: str, sampler: Sampler, order: float) -> None:
    """Nothing is drawn on the way and the flow is affine, so that there is no error of sampling."""
    mean, covariance = off(drawn(name, other(sampler, 400 if order == 1 else 60), count=50)[1])
    assert mean < 0.01 and covariance < 0.04, (mean, covariance)


def test_a_flow_that_cannot_be_solved_says_what_to_do() -> None:
    """torchdiffeq answers with an assertion: a step too small, or too many of them."""
    process = make_process(NOISES["vp"])

    def rough(x: Tensor, t: float) -> Parts:
        return Parts(x, (1e6 * x).sin() * 1e3)

    with pytest.raises(ValueError, match=r"cannot solve .* to a tolerance of 1e-05 \(.*\): raise the tolerance, "):
        list(draw(Sampler("ode"), rough, process, white(4), torch.Generator()))


@pytest.mark.parametrize(("sampler", "order"), marked(FLOWS))
@pytest.mark.parametrize("name", CONTINUOUS)
def test_flows_converge_at_their_order(name: str, sampler: Sampler, order: float) -> None:
    errors = []
    for steps in (64, 128):
        start, x, knows = drawn(name, other(sampler, steps), count=50)
        first = grid(knows.process, steps, sampler.spacing, finite=sampler.name in FROM_DIFFUSERS)[0].item()
        errors.append((x - knows.flowed(start, first)).square().mean().sqrt().item())
    assert order - 0.3 < math.log2(errors[0] / errors[1]) < order + 0.9, errors


@pytest.mark.parametrize("name", NOISES)
def test_ancestral_sampling_converges(name: str) -> None:
    errors = [off(drawn(name, Sampler("ddpm", steps))[1])[1] for steps in (10, 60, 400)]
    assert errors[0] > 2 * errors[1] and errors[2] < 0.08, errors


@NEEDS_DIFFUSERS
@pytest.mark.parametrize("name", NOISES)
def test_the_first_order_of_dpm_solver_is_ddim(name: str) -> None:
    """A step of theirs, on x made variance preserving, is a step of ours, whatever the noise."""
    ours = drawn(name, Sampler("ddim", 12, spacing="logsnr"), count=50)[1]
    torch.testing.assert_close(drawn(name, Sampler("dpm-solver++", 12, order=1), count=50)[1], ours, rtol=0, atol=1e-5)


@NEEDS_DIFFUSERS
@pytest.mark.parametrize("sampler", FROM_DIFFUSERS)
def test_a_flow_starts_where_the_ratio_is_finite(sampler: str) -> None:
    """At t = 1 alpha is 0, and sigma/alpha, which is all that a scheduler knows, infinite."""
    mean, covariance = off(drawn("flow", Sampler(sampler, 100, spacing="time"))[1])
    assert mean < 0.05 and covariance < 0.1, (mean, covariance)


def test_ddim_with_all_the_noise_is_ddpm() -> None:
    assert torch.equal(drawn("ddpm", Sampler("ddpm", 20))[1], drawn("ddpm", Sampler("ddim", 20, 1.0))[1])


# ---------------------------------------------------------------- the solver


@pytest.mark.parametrize("name", CONTINUOUS)
def test_the_solver_follows_the_flow(name: str) -> None:
    start, x, knows = drawn(name, Sampler("ode"), count=50)
    torch.testing.assert_close(x, knows.flowed(start, knows.process.high), rtol=0, atol=2e-4)


def test_tolerance_is_paid_for_in_evaluations() -> None:
    calls, errors = [], []
    for tolerance in (1e-2, 1e-4, 1e-6):
        start, x, knows = drawn("vp", Sampler("ode", tolerance=tolerance), count=50)
        calls.append(knows.calls)
        errors.append((x - knows.flowed(start, 1.0)).abs().max().item())
    assert calls == sorted(set(calls)) and errors == sorted(set(errors), reverse=True), (calls, errors)


def test_the_solver_needs_continuous_time() -> None:
    with pytest.raises(ValueError, match="needs continuous time, this noise has 1000 steps; heun"):
        drawn("ddpm", Sampler("ode"))


# ---------------------------------------------------------------- predictor and corrector


@pytest.mark.parametrize("name", ["vp", "sub-vp", "ve", "flow"])
def test_langevin_steps_lead_to_the_distribution_of_their_level(name: str) -> None:
    knows = Gaussian(NOISES[name])
    process = knows.process
    t, later = process.at(torch.tensor([0.0, -0.01], dtype=torch.float64))
    now, then = process.level(t), process.level(later)
    x, generator = white(COUNT) + 1, torch.Generator().manual_seed(0)
    for _ in range(300):
        x = langevin(x, knows(x, t.item()), now, then, 0.16, generator)
    mean, covariance = knows.noisy(t.item())
    scale = covariance.diag().sqrt()
    assert ((x.mean(0) - mean).abs() / scale).max() < 0.06
    assert ((x.T.cov() - covariance).abs() / (scale[:, None] * scale)).max() < 0.1


def test_corrections_correct() -> None:
    plain, corrected = (
        off(drawn("ve", sampler)[1])[1] for sampler in (Sampler("ddpm", 12), Sampler("pc", 12, corrections=5))
    )
    assert corrected < plain / 2, (plain, corrected)


# ---------------------------------------------------------------- grids of time


@pytest.mark.parametrize("spacing", SPACINGS)
@pytest.mark.parametrize("name", NOISES)
def test_grids_lead_from_noise_to_data(name: str, spacing: Any) -> None:
    process = make_process(NOISES[name])
    for count in (1, 2, 7, 50, 900, 1000):
        times = grid(process, count, spacing)
        assert len(times) == count and (times.diff() < 0).all()
        assert process.low <= times[-1] and times[0] <= process.high
        assert count == 1 or times[-1] == pytest.approx(process.low, abs=1e-12)
        if process.steps is not None:
            torch.testing.assert_close(times * process.steps, (times * process.steps).round())
    if process.steps is not None:
        torch.testing.assert_close(times * 1000, torch.arange(999, -1, -1).double())
        with pytest.raises(ValueError, match="1000 steps, 1001"):
            grid(process, 1001, spacing)


@pytest.mark.parametrize("name", CONTINUOUS)
def test_grids_are_even_in_what_they_say(name: str) -> None:
    process = make_process(NOISES[name])
    logs = log_ratio(process.level(grid(process, 20, "logsnr")))
    for even in (
        grid(process, 20, "time"), logs, (log_ratio(process.level(grid(process, 20, "karras"))) / 7).exp(),
    ):  # fmt: skip
        torch.testing.assert_close(even.diff(), even.diff().mean().expand(19), rtol=1e-6, atol=0)


@pytest.mark.parametrize("spacing", ["logsnr", "karras"])
def test_discrete_times_are_the_nearest(spacing: Any) -> None:
    process = make_process(NOISES["ddpm"])
    times = grid(process, 5, spacing)
    logs = [log_ratio(process.level(times + shift / 1000)) for shift in (0, -1, 1)]
    even = [value if spacing == "logsnr" else (value / 7).exp() for value in logs]
    wanted = torch.linspace(even[0][0].item(), even[0][-1].item(), 5, dtype=torch.float64)
    near = [(value - wanted).abs()[1:-1] for value in even]
    assert (near[0] < near[1]).all() and (near[0] < near[2]).all()


def test_where_samples_start() -> None:
    """At the greatest time; where the ratio counts, no nearer to alpha = 0 than helps."""
    for name, time, ratio in (("vp", 1.0, 1.0), ("flow", 1.0, 0.9939), ("cosine", 0.999, 0.9961), ("ve", 1.0, 1.0)):
        process = make_process(NOISES[name])
        assert grid(process, 5)[0] == time
        for spacing in SPACINGS:
            assert grid(process, 5, spacing, finite=True)[0].item() == pytest.approx(ratio, abs=1e-3)


@given(st.integers(2, 60), st.data())
def test_no_step_is_taken_twice(steps: int, data: st.DataObject) -> None:
    process = make_process(CosineNoise(steps=steps))
    times = grid(process, data.draw(st.integers(1, steps)), data.draw(st.sampled_from(SPACINGS)))
    assert (times.diff() < 0).all() and times[0] < 1 and times[-1] >= 0


# ---------------------------------------------------------------- what a sampler is


@pytest.mark.parametrize(
    "sampler", marked([Sampler(name, **{} if name == "ode" else {"steps": 7}) for name in SAMPLERS])
)
def test_evaluations_are_counted(sampler: Sampler) -> None:
    calls = drawn("vp", sampler, count=4)[2].calls
    assert calls == sampler.evaluations if sampler.name != "ode" else sampler.evaluations is None and calls > 20


@pytest.mark.parametrize("sampler", marked(NOISY))
def test_the_seed_decides(sampler: Sampler) -> None:
    few, start = other(sampler, 5), white(20)
    samples = []
    for seed in (0, 0, 1):
        knows = Gaussian(NOISES["vp"])
        *_, x = draw(few, knows, knows.process, start, torch.Generator().manual_seed(seed))
        samples.append(x)
    assert torch.equal(samples[0], samples[1]) and not torch.equal(samples[0], samples[2])


@pytest.mark.parametrize("name", SAMPLERS)
def test_options_are_those_of_the_sampler(name: str) -> None:
    valid = {"steps": 3, "eta": 0.5, "spacing": "karras", "order": 1, "singlestep": True, "snr": 0.1, "corrections": 2,
             "tolerance": 1e-3, "variance": "large"}  # fmt: skip
    assert list(valid) == [option.key for option in OPTIONS]
    sampler = Sampler(name)
    for key, value in valid.items():
        if key in SAMPLERS[name].options:
            assert getattr(sampler, key) == SAMPLERS[name].options[key]
            assert str(value if key != "singlestep" else key) in str(Sampler(name, **{key: value}))
        else:
            assert getattr(sampler, key) is None
            with pytest.raises(ValueError, match=rf"^{key} is of .*; {name.replace('+', '.')} has none$"):
                Sampler(name, **{key: value})


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(("dpm",), "no sampler `dpm`: ddpm, ddim"), (("ddim", 0), "steps is 0; its least is 1"),
     (("ddim", 5, 1.5), "eta is 1.5; its greatest is 1"), (("ddim", 5, 0.5, "even"), "spacing is one of time, log"),
     (("ddim", 5, math.nan), "eta is nan"), (("ode", *[None] * 7, 0.0), "tolerance is 0.0; its values are above 0"),
     (("sde-dpm-solver++", 5, None, None, 3), "order is 3; of sde-dpm-solver.. its greatest is 2")],
)  # fmt: skip
def test_values_are_checked(arguments: tuple[Any, ...], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Sampler(*arguments)


@pytest.mark.parametrize("name", FROM_DIFFUSERS)
def test_a_missing_diffusers_says_how_to_get_it(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "diffusers", None)
    with pytest.raises(ImportError, match=r"needs diffusers: pip install 'tdspec\[diffusers\]'"):
        drawn("vp", Sampler(name))


# ---------------------------------------------------------------- one step


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


@pytest.mark.parametrize("name", ["ddpm", "ve", "sub-vp"])
def test_a_large_variance_is_what_the_process_adds(name: str) -> None:
    """From s to t the process takes x_s times alpha_t/alpha_s, and adds what sigma_t has beyond that."""
    process = make_process(NOISES[name])
    now, then = (process.level(torch.tensor(t, dtype=torch.float64)) for t in (0.7, 0.4))
    x = torch.full((COUNT, 1), 0.7, dtype=torch.float64)
    found = Parts(x, x, share=torch.full_like(x, 0.5))
    small, large = (
        ancestral(x, found, now, then, 1.0, torch.Generator().manual_seed(0), choice) for choice in ("small", "large")
    )
    variance = now.sigma**2 - (now.alpha / then.alpha * then.sigma) ** 2
    assert large.var().item() == pytest.approx(variance.item(), rel=5 * (2 / COUNT) ** 0.5)
    assert (small.var() / large.var()).item() == pytest.approx((then.sigma / now.sigma).item() ** 2, rel=1e-9)
    assert small.mean().item() == pytest.approx(large.mean().item(), abs=5 * (variance.item() / COUNT) ** 0.5)


def test_learned_variances_lie_between_the_posteriors_and_beta() -> None:
    process = make_process(NOISES["ddpm"])
    now, then = (
        process.level(torch.tensor(0.3, dtype=torch.float64)),
        process.level(torch.tensor(0.2, dtype=torch.float64)),
    )
    x, x0 = torch.full((COUNT, 1), 0.7, dtype=torch.float64), torch.full((COUNT, 1), -0.2, dtype=torch.float64)

    def stepped(share: float | None) -> Tensor:
        told = None if share is None else torch.full_like(x, share)
        found = Parts(x0, (x - now.alpha * x0) / now.sigma, told)
        return ancestral(x, found, now, then, 1.0, torch.Generator().manual_seed(0))

    torch.testing.assert_close(stepped(0.0), stepped(None))
    variance = 1 - (now.alpha / then.alpha) ** 2
    assert stepped(1.0).var().item() == pytest.approx(variance.item(), rel=5 * (2 / COUNT) ** 0.5)
    assert stepped(1.0).mean().item() == pytest.approx(
        stepped(0.0).mean().item(), abs=5 * (variance.item() / COUNT) ** 0.5
    )
