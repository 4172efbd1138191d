"""Bits per dimension of the test images, by the probability flow."""

from __future__ import annotations

import torch
from torch import Tensor

from tdspec.diffusion.likelihood import bits_per_dimension
from tdspec.diffusion.ode import needs_continuous
from tdspec.diffusion.predict import Parts
from tdspec.evaluation.figures import TEST, Figures
from tdspec.evaluation.subject import Subject
from tdspec.language.diffusion import Diffuse
from tdspec.training.diffusion import Diffusion
from tdspec.training.errors import TrainError

TOLERANCE = 1e-5


def check(subject: Subject, names: tuple[str, ...]) -> None:
    """Refuse a classifier, discrete time, and a single image."""
    spec = subject.spec
    if not isinstance(spec.task, Diffuse):
        raise TrainError(
            f"{subject.origin.folder} is a run of a classifier, which gives no likelihood: measure its `loss`"
        )
    try:
        needs_continuous(Diffusion.of(spec).process)
    except ValueError as error:
        raise TrainError(f"the likelihood of `{spec.name}` cannot be measured: {error}") from error
    if subject.count is not None and subject.count < 2:
        raise TrainError("the likelihood's standard error needs two images at least")


def measure(subject: Subject, names: tuple[str, ...]) -> Figures:
    """Minus log2 of the probability of an image, per dimension: the mean over test images, and its standard error.

    A network that is told labels is told those of the images. Raises `ValueError` where the flow cannot be solved.
    """
    spec, how = subject.spec, subject.drawing
    task = Diffusion.of(spec)
    network, weights = subject.network
    test = subject.splits.test
    count = min(subject.count or len(test), len(test))
    generator = torch.Generator().manual_seed(how.seed)
    bits: list[Tensor] = []
    calls = 0
    for start in range(0, count, how.batch):
        rows = slice(start, min(start + how.batch, count))
        labels = None if task.classes is None else test.labels[rows].to(subject.device)

        def denoise(x: Tensor, t: float, labels: Tensor | None = labels) -> Parts:
            return task.denoise(network, x, t, clip=False, labels=labels)

        found = bits_per_dimension(denoise, task.process, test.images[rows].to(subject.device), generator, TOLERANCE)
        bits.append(found.bits.cpu())
        calls += found.evaluations
        subject.on_step(len(bits), -(-count // how.batch))
    each = torch.cat(bits).double()
    conditions = {
        "data": spec.data.name,
        "split": "test",
        "seed": how.seed,
        "batch": how.batch,
        "tolerance": TOLERANCE,
        "evaluations": calls / len(bits),
        "weights": "averaged" if weights.averaged else "raw",
        "checkpoint": weights.checkpoint,
        "device": str(subject.device),
    }
    about = (
        f"bits per dimension: {count:,} test images of {spec.data.name}, made continuous by uniform noise, dopri5 with "
        f"tolerance {TOLERANCE:g}, {calls / len(bits):.4g} evaluations a batch, seed {how.seed}, with {weights}"
    )
    values = {"nll": float(each.mean()), "nll_error": float(each.std() / len(each) ** 0.5)}
    notes = []
    if subject.count is not None and subject.count > count:
        notes.append(f"{subject.count:,} images were asked for; there are {count:,} test images")
    return Figures({TEST: values}, {TEST: count}, conditions, (about,), notes)
