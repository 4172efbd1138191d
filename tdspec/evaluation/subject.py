"""What a metric may ask for. Nothing is read, trained or drawn before it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from tdspec.backend.network import Network
from tdspec.language.diffusion import Diffuse
from tdspec.language.sampler import OPTIONS, Drawing
from tdspec.language.spec import Spec
from tdspec.training.data import load
from tdspec.training.data.images import Splits
from tdspec.training.engine import Engine
from tdspec.training.errors import DataError, TrainError
from tdspec.training.pictures import read_images
from tdspec.training.resume import Origin
from tdspec.training.sampling import Weights, checked_task, sample_run, trained_network


@dataclass(frozen=True)
class Looked:
    """Images that are measured, and where they come from.

    images      uint8[N,C,H,W]
    conditions  where from, and how they were drawn; JSON
    about       the same in a sentence
    """

    images: Tensor
    conditions: dict[str, Any]
    about: str


@dataclass
class Subject:
    """A run that is measured, and how.

    spec     the run's own
    origin   the run and its checkpoint
    drawing  how images are drawn, with which weights, where
    count    images to draw; None for as many as there are test images, so that both can be compared
    path     of images that are there already, to be measured in place of drawn ones
    weights  of Inception, a file; None for torch-fidelity's download
    cache    folder of the small classifiers
    on_step  called with the number of steps done and of all, while images are drawn
    tell     called with a line on what takes time
    """

    spec: Spec
    origin: Origin
    drawing: Drawing = field(default_factory=Drawing)
    count: int | None = None
    path: Path | None = None
    weights: Path | None = None
    cache: Path = field(default_factory=Path)
    on_step: Callable[[int, int], None] = lambda done, total: None
    tell: Callable[[str], None] = lambda text: None

    @cached_property
    def device(self) -> torch.device:
        return Engine(self.drawing.device).device

    @cached_property
    def splits(self) -> Splits:
        """The spec's data, on the CPU."""
        if self.spec.data is None:
            raise DataError(f"`{self.spec.name}` has no `data` to compare with")
        return load(self.spec.data)

    @cached_property
    def network(self) -> tuple[Network, Weights]:
        """The run's network on the device, for evaluation, and which weights it has."""
        network, weights = trained_network(self.spec, self.origin, self.drawing.raw)
        return network.to(self.device).eval(), weights

    def check_images(self) -> None:
        """Refuse a run without images, a drawing that does not fit the run, and images that do not fit the data."""
        if not isinstance(self.spec.task, Diffuse):
            raise TrainError(f"{self.origin.folder} is a run of a classifier and makes no images: measure its `loss`")
        if self.path is None:
            checked_task(self.spec, self.origin, self.drawing)
        elif tuple(self.samples.images.shape[1:]) != self.splits.train.shape:
            shapes = (self.samples.images.shape[1:], self.splits.train.shape)
            found, wanted = ("x".join(map(str, shape)) for shape in shapes)
            raise DataError(
                f"the images in {self.path} are {found} (channels, height, width), those of {self.spec.data.name} are "
                f"{wanted}"
            )

    @cached_property
    def samples(self) -> Looked:
        """The images that are measured, read or drawn."""
        if self.path is None:
            return self._drawn(self.count or len(self.splits.test))
        images = read_images(self.path)
        return Looked(images, {"source": str(self.path), "count": len(images)}, f"images of {self.path}")

    def _drawn(self, count: int) -> Looked:
        how = self.drawing
        total, done = -(-count // how.batch) * (how.by.steps or 1), 0

        def step() -> None:
            nonlocal done
            done += 1
            self.on_step(done, total)

        made = sample_run(self.spec, self.origin, count, how, on_step=step)
        conditions = {
            "source": "drawn",
            "count": count,
            "sampler": how.by.name,
            **{option.key: value for option in OPTIONS if (value := getattr(how.by, option.key)) is not None},
            "evaluations": made.evaluations,
            "labels": list(how.labels),
            "guidance": how.guidance,
            "seed": how.seed,
            "batch": how.batch,
            "weights": "averaged" if made.weights.averaged else "raw",
            "checkpoint": made.weights.checkpoint,
            "device": str(self.device),
            "images_per_second": count / made.seconds,
        }
        return Looked(made.images, conditions, f"{made}, on {self.device}")

    @property
    def reference(self) -> dict[str, Any]:
        """The real images that the samples are compared with; JSON."""
        data = self.spec.data
        assert data is not None
        return {"data": data.name, "root": data.root, "split": "train", "images": len(self.splits.train)}
