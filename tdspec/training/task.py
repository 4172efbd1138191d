"""What differs between tasks: the numbers that one batch gives. The loop is the same for all."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor, nn

from tdspec.language.spec import Spec
from tdspec.language.training import Classify, Diffuse
from tdspec.training.data.images import Splits
from tdspec.training.diffusion import Diffusion
from tdspec.training.errors import DataError


class Task(Protocol):
    """A task: what is minimised, and what is told of it.

    best  the metric whose best value marks the checkpoint `best`, and whether more is better
    """

    best: tuple[str, bool]

    def measure(self, model: nn.Module, x: Tensor, labels: Tensor, fixed: int | None = None) -> dict[str, Tensor]:
        """Numbers for each sample, f32[B]; their means are the metrics, `loss` is minimised.

        fixed  in evaluation, the batch's place in its set: whatever a task draws follows from it alone
        """
        ...

    def arguments(self, x: Tensor) -> tuple[Tensor, ...]:
        """What the network is called with for images x, the same for the same images."""
        ...

    def check(self, output: Tensor, splits: Splits) -> None:
        """Refuse data that do not fit the network's output, before the first step."""
        ...

    def preview(self, model: nn.Module, shape: tuple[int, ...]) -> Tensor | None:
        """What the network makes by now, uint8[N, *shape], the same noise each time; None if that is not asked for."""
        ...


class Classification:
    """Cross-entropy on logits; accuracy in per cent."""

    best = ("accuracy", True)

    def __init__(self, section: Classify) -> None:
        self.smoothing = section.label_smoothing

    def arguments(self, x: Tensor) -> tuple[Tensor, ...]:
        return (x,)

    def preview(self, model: nn.Module, shape: tuple[int, ...]) -> Tensor | None:
        return None  # it makes nothing

    def measure(self, model: nn.Module, x: Tensor, labels: Tensor, fixed: int | None = None) -> dict[str, Tensor]:
        logits = model(x).float()
        smoothing = self.smoothing if model.training else 0.0
        loss = nn.functional.cross_entropy(logits, labels, reduction="none", label_smoothing=smoothing)
        return {"loss": loss, "accuracy": 100.0 * (logits.detach().argmax(1) == labels).float()}

    def check(self, output: Tensor, splits: Splits) -> None:
        if output.dim() != 2:
            raise DataError(
                f"a classifier gives one number for each class, this network gives {tuple(output.shape[1:])}"
            )
        classes = splits.train.classes
        if output.shape[1] != classes:
            raise DataError(f"the network tells {output.shape[1]} classes apart, the data have {classes}")
        for part in (splits.train, splits.test, splits.validation):
            if part is not None and int(torch.max(part.labels)) >= classes:
                raise DataError(f"the data have {classes} classes, but a label is {int(torch.max(part.labels))}")


def make_task(spec: Spec) -> Task:
    """The task of a spec that has one."""
    return Diffusion.of(spec) if isinstance(spec.task, Diffuse) else Classification(spec.task)
