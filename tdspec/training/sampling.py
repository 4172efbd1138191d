"""Images out of a trained diffusion model: the weights of a run, a sampler, a seed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import NamedTuple

from torch import Tensor

from tdspec.backend.compile import compile_spec
from tdspec.backend.network import Network
from tdspec.diffusion.sampler import check
from tdspec.language.diffusion import Diffuse
from tdspec.language.sampler import Drawing
from tdspec.language.spec import Spec
from tdspec.training import checkpoint as checkpoints
from tdspec.training.diffusion import Diffusion
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
    drawing: Drawing
    evaluations: float
    seconds: float
    weights: Weights

    def __str__(self) -> str:
        return (
            f"{len(self.images)} samples: {self.drawing}, {self.evaluations:g} evaluations each, "
            f"{len(self.images) / self.seconds:.3g} images/s, seed {self.drawing.seed}; {self.weights}"
        )


def sample_run(
    spec: Spec, origin: Origin, count: int, drawing: Drawing | None = None, on_step: Callable[[], None] | None = None
) -> Samples:
    """Draw images from the weights of a run.

    spec     the run's own, from its `spec.resolved.yaml`
    origin   the run, whose last checkpoint is taken, or another of its checkpoints
    drawing  how; by default ancestral sampling in 50 steps
    on_step  called after each step of each batch

    Raises `TrainError` for a run that is no diffusion, a drawing that does not fit or samples that are not finite,
    `CheckpointError` for a run without weights, and `ValueError` for a flow that cannot be solved.
    """
    drawing = drawing if drawing is not None else Drawing()
    if count < 1:
        raise ValueError(f"count is {count}; its least is 1")
    task, place = checked_task(spec, origin, drawing), Engine(drawing.device).device
    network, weights = trained_network(spec, origin, drawing.raw)
    began = perf_counter()
    images, calls = task.sampled(network.to(place).eval(), spec.input, count, drawing, on_step)
    return Samples(images, drawing, calls, perf_counter() - began, weights)


def checked_task(spec: Spec, origin: Origin, drawing: Drawing) -> Diffusion:
    """The task of a run from which images can be drawn so. Raises `TrainError`, before a network is made."""
    if not isinstance(spec.task, Diffuse):
        raise TrainError(f"{origin.folder} is a run of `{spec.name}`, whose task is not `diffuse`: it makes no images")
    task = Diffusion.of(spec)
    try:
        check(drawing.by, task.process)
    except (ValueError, ImportError) as error:
        raise TrainError(f"`{spec.name}` cannot be sampled so: {error}") from error
    if task.classes is None and (drawing.labels or drawing.guidance != 1):
        raise TrainError(f"`{spec.name}` is not told any labels, so that there is nothing to guide")
    if task.classes is not None:
        unknown = [label for label in drawing.labels if not 0 <= label < task.classes]
        if unknown:
            raise TrainError(f"`{spec.name}` knows the labels 0 to {task.classes - 1}, not {unknown[0]}")
        if task.drop == 0 and drawing.guidance != 1:
            raise TrainError(
                f"`{spec.name}` was never trained without a label (`drop: 0`), and guidance needs what it says then"
            )
    if origin.checkpoint is None:
        raise CheckpointError(f"{origin.folder} has no checkpoint yet: train it first, or wait for its first one")
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
