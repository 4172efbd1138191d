"""Images out of a trained diffusion model: the weights of a run, a sampler, a seed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import NamedTuple

import torch
from torch import Tensor

from tdspec.backend.compile import compile_spec
from tdspec.backend.network import Network
from tdspec.diffusion.predict import Parts
from tdspec.diffusion.sampler import check, draw
from tdspec.language.diffusion import Diffuse
from tdspec.language.sampler import Sampler
from tdspec.language.spec import Spec
from tdspec.training import checkpoint as checkpoints
from tdspec.training.diffusion import Diffusion, unscaled
from tdspec.training.engine import Engine
from tdspec.training.errors import CheckpointError, TrainError
from tdspec.training.resume import Origin


class Weights(NamedTuple):
    """Which weights of a run: those of this checkpoint, averaged over training or the last ones."""

    checkpoint: str
    folder: str
    averaged: bool

    def __str__(self) -> str:
        return f"{'averaged' if self.averaged else 'raw'} weights of {self.checkpoint} of {self.folder}"


@dataclass(frozen=True)
class Samples:
    """Images, and all that one must say to have them again.

    images       uint8[N,C,H,W]
    evaluations  calls of the network for each image, in the mean over the batches
    seconds      that drawing them took
    """

    images: Tensor
    sampler: Sampler
    seed: int
    evaluations: float
    seconds: float
    weights: Weights

    def __str__(self) -> str:
        return (
            f"{len(self.images)} samples: {self.sampler}, {self.evaluations:g} evaluations each, "
            f"{len(self.images) / self.seconds:.3g} images/s, seed {self.seed}; {self.weights}"
        )


def sample_run(
    spec: Spec,
    origin: Origin,
    count: int,
    *,
    sampler: Sampler | None = None,
    seed: int = 0,
    raw: bool = False,
    batch: int = 64,
    device: str = "auto",
    on_step: Callable[[], None] | None = None,
) -> Samples:
    """Draw images from the weights of a run.

    spec     the run's own, from its `spec.resolved.yaml`
    origin   the run, whose last checkpoint is taken, or another of its checkpoints
    sampler  how; by default ancestral sampling in 50 steps
    seed     of the noise; a batch's noise follows from it and from the batch's place alone
    raw      take the last weights, where there are averaged ones too
    on_step  called after each step of each batch

    Raises `TrainError` for a run that is no diffusion or a sampler that does not fit, `CheckpointError` for a run
    without weights.
    """
    sampler = sampler if sampler is not None else Sampler()
    task, place = _checked(spec, origin, sampler), Engine(device).device
    network, weights = trained_network(spec, origin, raw)
    network = network.to(place).eval()
    calls = 0

    def denoise(x: Tensor, t: float) -> Parts:
        nonlocal calls
        calls += 1
        return task.denoise(network, x, t, clip=sampler.clips)

    images = []
    began = perf_counter()
    for number, start in enumerate(range(0, count, batch)):
        generator = torch.Generator().manual_seed(seed * 1_000_003 + number)
        x = torch.randn(min(batch, count - start), *spec.input, generator=generator).to(place)
        with torch.no_grad():
            for step in draw(sampler, denoise, task.process, x, generator):
                x = step
                if on_step is not None:
                    on_step()
        images.append(unscaled(x).cpu())
    return Samples(torch.cat(images), sampler, seed, calls / len(images), perf_counter() - began, weights)


def _checked(spec: Spec, origin: Origin, sampler: Sampler) -> Diffusion:
    if not isinstance(spec.task, Diffuse):
        raise TrainError(f"{origin.folder} is a run of `{spec.name}`, whose task is not `diffuse`: it makes no images")
    task = Diffusion.of(spec)
    try:
        check(sampler, task.process)
    except (ValueError, ImportError) as error:
        raise TrainError(f"`{spec.name}` cannot be sampled so: {error}") from error
    return task


def trained_network(spec: Spec, origin: Origin, raw: bool = False) -> tuple[Network, Weights]:
    """The run's network with its weights, averaged where there are any unless `raw`, and which these are.

    Raises `CheckpointError` for a run without weights.
    """
    if origin.checkpoint is None:
        raise CheckpointError(f"{origin.folder} has no checkpoint yet: train it first, or wait for its first one")
    saved = checkpoints.load(origin.checkpoint)
    averaged = bool(saved.ema) and not raw
    network = compile_spec(spec)
    network.load_state_dict(saved.ema if averaged else saved.model)
    return network, Weights(origin.checkpoint.name, str(origin.folder), averaged)
