"""Schedules and steps beside diffusers' schedulers."""

from __future__ import annotations

from typing import Any, Literal

import pytest
import torch

from tdspec.diffusion.grid import grid
from tdspec.diffusion.predict import Parts, clipped, parts
from tdspec.diffusion.process import betas_of, cosine, linear_betas, make_process
from tdspec.diffusion.sampler import ancestral, draw
from tdspec.language.diffusion import CosineNoise, Prediction, VpNoise
from tdspec.language.sampler import Sampler

diffusers = pytest.importorskip("diffusers", reason="compares with diffusers: pip install diffusers")
pytestmark = [pytest.mark.peer, pytest.mark.filterwarnings("ignore")]

LINEAR: dict[str, Any] = {"beta_start": 1e-4, "beta_end": 0.02, "beta_schedule": "linear"}
WORDS: dict[str, Prediction] = {"epsilon": "noise", "sample": "x0", "v_prediction": "v"}


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def test_betas_and_their_products() -> None:
    linear, squared = diffusers.DDPMScheduler(**LINEAR), diffusers.DDPMScheduler(beta_schedule="squaredcos_cap_v2")
    for theirs, betas, noise in (
        (linear, linear_betas(0.1, 20, 1000), VpNoise(steps=1000)),
        (squared, betas_of(cosine(0.008), 1000), CosineNoise(steps=1000)),
    ):
        torch.testing.assert_close(betas.float(), theirs.betas, rtol=1e-5, atol=1e-6)
        alpha, _ = make_process(noise).level(torch.arange(1000, dtype=torch.float64) / 1000)
        torch.testing.assert_close((alpha**2).float(), theirs.alphas_cumprod, rtol=1e-4, atol=1e-6)
        x0, drawn = torch.randn(1000, 3), torch.randn(1000, 3)
        mixed = make_process(noise).mix(x0.double(), drawn.double(), torch.arange(1000, dtype=torch.float64) / 1000)
        torch.testing.assert_close(mixed.float(), theirs.add_noise(x0, drawn, torch.arange(1000)), rtol=0, atol=1e-5)


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("clip", [True, False])
@pytest.mark.parametrize("n", [1, 20, 500, 999])
def test_ddpm_step(word: str, clip: bool, n: int, generator: torch.Generator) -> None:
    """With what is random the same, one step from n to n - 1."""
    theirs = diffusers.DDPMScheduler(**LINEAR, prediction_type=word, clip_sample=clip)
    x, given = torch.randn(16, 3, generator=generator), torch.randn(16, 3, generator=generator)
    expected = theirs.step(given, n, x, generator=torch.Generator().manual_seed(5)).prev_sample
    ours = step(WORDS[word], given, x, clip, n, n - 1, 1.0)
    # Theirs are products in float32, whose rounding 1 - alpha^2 shows at the first steps.
    torch.testing.assert_close(ours, expected, rtol=1e-3 if n < 20 else 1e-4, atol=1e-4)


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("eta", [0.0, 0.7])
def test_ddim_step(word: str, eta: float, generator: torch.Generator) -> None:
    theirs = diffusers.DDIMScheduler(**LINEAR, prediction_type=word, clip_sample=True)
    theirs.set_timesteps(50)
    x, given = torch.randn(16, 3, generator=generator), torch.randn(16, 3, generator=generator)
    for n in (980, 500, 20):
        again = torch.Generator().manual_seed(5)
        expected = theirs.step(given, n, x, eta=eta, use_clipped_model_output=True, generator=again).prev_sample
        ours = step(WORDS[word], given, x, True, n, n - 20, eta)
        torch.testing.assert_close(ours, expected, rtol=1e-4, atol=1e-4)


def step(
    word: Prediction, given: torch.Tensor, x: torch.Tensor, clip: bool, n: int, to: int, eta: float
) -> torch.Tensor:
    process = make_process(VpNoise(steps=1000))
    now, then = (process.level(torch.tensor(k / 1000)) for k in (n, to))
    found = parts(word, given, x, now)
    found = clipped(found, x, now) if clip else found
    return ancestral(x, found, now, then, eta, torch.Generator().manual_seed(5))


@pytest.mark.parametrize("variance", ["small", "large"])
def test_a_whole_chain_of_a_thousand_steps(variance: Literal["small", "large"]) -> None:
    """A network that is a fixed function: the same sample, noise included."""

    def network(x: torch.Tensor) -> torch.Tensor:
        return torch.tanh(x) * 0.9

    process = make_process(VpNoise(steps=1000))
    theirs = diffusers.DDPMScheduler(**LINEAR, timestep_spacing="linspace", variance_type=f"fixed_{variance}")
    theirs.set_timesteps(1000)
    start = torch.randn(4, 3, generator=torch.Generator().manual_seed(1))
    x, again = start, torch.Generator().manual_seed(5)
    for n in theirs.timesteps:
        x = theirs.step(network(x), int(n), x, generator=again).prev_sample

    def denoise(x: torch.Tensor, t: float) -> Parts:
        level = process.level(torch.tensor(t))
        return clipped(parts("noise", network(x), x, level), x, level)

    *_, ours = draw(Sampler("ddpm", 1000, variance=variance), denoise, process, start, torch.Generator().manual_seed(5))
    torch.testing.assert_close(ours, x, rtol=0, atol=1e-3)


def along(sampler: Sampler, start: torch.Tensor) -> torch.Tensor:
    """What ours makes of a network that is a fixed function."""
    process = make_process(VpNoise(steps=1000))

    def denoise(x: torch.Tensor, t: float) -> Parts:
        level = process.level(torch.tensor(t))
        return parts("noise", torch.tanh(x) * 0.9, x, level)

    *_, x = draw(sampler, denoise, process, start, torch.Generator().manual_seed(5))
    return x


@pytest.mark.parametrize("order", [1, 2, 3])
@pytest.mark.parametrize(
    "name", ["DPMSolverMultistepScheduler", "DPMSolverSinglestepScheduler", "UniPCMultistepScheduler"]
)
def test_schedulers_with_our_ratios_are_theirs_with_betas(name: str, order: int) -> None:
    """The same times, given to a scheduler as its own are."""
    sampler = Sampler(
        "unipc" if name.startswith("Uni") else "dpm-solver++", 12, spacing="time", order=order,
        singlestep=True if "Single" in name else None,
    )  # fmt: skip
    times = grid(make_process(VpNoise(steps=1000)), 12, "time")
    theirs = getattr(diffusers, name)(**LINEAR, solver_order=order, lower_order_final=True)
    theirs.set_timesteps(12)
    numbers = (times * 1000).round().long()
    ratios = ((1 - theirs.alphas_cumprod) / theirs.alphas_cumprod).sqrt()[numbers]
    theirs.sigmas, theirs.timesteps = torch.cat((ratios, torch.zeros(1))), numbers
    start = torch.randn(4, 3, generator=torch.Generator().manual_seed(1))
    x = start
    for n in theirs.timesteps:
        x = theirs.step(torch.tanh(x) * 0.9, n, x).prev_sample
    torch.testing.assert_close(along(sampler, start), x, rtol=1e-3, atol=1e-3)


def test_euler_is_theirs() -> None:
    """Theirs steps in x over alpha, which is the same."""
    times = grid(make_process(VpNoise(steps=1000)), 12, "karras")
    theirs = diffusers.EulerDiscreteScheduler(**LINEAR)
    theirs.set_timesteps(timesteps=(times * 1000).round().long().tolist())
    start = torch.randn(4, 3, generator=torch.Generator().manual_seed(1))
    x = start * theirs.sigmas[0]
    for n in theirs.timesteps:
        x = theirs.step(torch.tanh(theirs.scale_model_input(x, n)) * 0.9, n, x).prev_sample
    torch.testing.assert_close(along(Sampler("euler", 12), start), x, rtol=1e-3, atol=1e-3)
