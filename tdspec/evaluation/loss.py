"""What the training loop measures on the test images, with the weights of a checkpoint."""

from __future__ import annotations

from pathlib import Path

from tdspec.evaluation.figures import TEST, Figures
from tdspec.evaluation.subject import Subject
from tdspec.training.engine import Engine
from tdspec.training.record import Recorder
from tdspec.training.runner import Runner


def measure(subject: Subject, names: tuple[str, ...]) -> Figures:
    """Loss, for a classifier accuracy, and for ODEs their evaluations per batch: the loop's own evaluation.

    A diffusion model's loss is that of fixed noise and times; both follow from `train.batch_size`.
    """
    spec, (network, weights) = subject.spec, subject.network
    engine = Engine(subject.drawing.device, spec.train.precision)
    runner = Runner(spec, Path(), engine, lambda: network, splits=subject.splits.to(engine.device))
    loop = runner.prepare(spec.train.seed, Recorder())
    found = loop.evaluate(loop.splits.test)
    kind = "averaged" if weights.averaged else "raw"
    conditions = {
        "data": spec.data.name,
        "split": "test",
        "weights": kind,
        "checkpoint": weights.checkpoint,
        "batch": spec.train.batch_size,
        "precision": engine.precision,
        "device": str(engine.device),
    }
    about = f"on the {len(loop.splits.test):,} test images of {spec.data.name}, {engine.precision}, with {weights}"
    return Figures({TEST: found}, {TEST: len(loop.splits.test)}, conditions, (f"loss: {about}",))
