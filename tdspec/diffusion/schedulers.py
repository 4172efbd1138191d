"""Samplers of several steps' memory, by way of diffusers' schedulers, for a process of any kind.

The schedulers know variance preserving noise and read it from their `sigmas`, the ratios sigma/alpha. Any x becomes
that by a division: y = x / sqrt(alpha^2 + sigma^2) is variance preserving and has the same ratio. So they are given
our ratios, y, and the x_0 that the network says, and know nothing of betas, times or predictions.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from tdspec.diffusion.predict import Denoise
from tdspec.diffusion.process import Level
from tdspec.diffusion.randomness import Source, normal
from tdspec.language.sampler import Sampler

FROM_DIFFUSERS = {
    "dpm-solver++": "DPMSolverMultistepScheduler",
    "sde-dpm-solver++": "DPMSolverMultistepScheduler",
    "unipc": "UniPCMultistepScheduler",
}


def scheduled(
    sampler: Sampler,
    denoise: Denoise,
    times: list[float],
    levels: list[Level],
    x: Tensor,
    source: Source,
) -> Iterator[Tensor]:
    """Each step's x, f32[B,...].

    levels  of the times, with alpha > 0, and one more, the data's
    x       at the first level

    Raises `ImportError` without diffusers.
    """
    scheduler = scheduler_of(sampler)
    scheduler.set_timesteps(len(times))
    scheduler.sigmas = torch.stack([level.sigma / level.alpha for level in levels])
    scheduler.set_begin_index(0)  # steps are counted, not looked up by their time
    scales = [(level.alpha.square() + level.sigma.square()).sqrt() for level in levels]
    noisy = sampler.name.startswith("sde")
    for k, t in enumerate(times):
        options = {}
        if noisy:
            options["variance_noise"] = normal(x, source)
        stepped = scheduler.step(denoise(x, t).x0, scheduler.timesteps[k], x / scales[k], **options).prev_sample
        x = scales[k + 1] * stepped
        yield x


def scheduler_of(sampler: Sampler) -> Any:
    """The scheduler of a sampler in `FROM_DIFFUSERS`. Raises `ImportError`, with the cure, without diffusers."""
    try:
        import diffusers
    except ImportError as error:
        raise ImportError(f"{sampler.name} needs diffusers: pip install 'tdspec[diffusers]'") from error
    options: dict[str, Any] = {"solver_order": sampler.order, "prediction_type": "sample", "lower_order_final": True}
    if sampler.name.startswith("sde"):
        options["algorithm_type"] = "sde-dpmsolver++"
    name = "DPMSolverSinglestepScheduler" if sampler.singlestep else FROM_DIFFUSERS[sampler.name]
    return getattr(diffusers, name)(**options)
