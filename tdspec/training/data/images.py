"""Labelled images in memory, and how a set without a test set is split."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Images:
    """Labelled images, decoded once.

    images   uint8[N,C,H,W]
    labels   int64[N], from 0
    classes  number of classes
    """

    images: Tensor
    labels: Tensor
    classes: int

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width of one image."""
        channels, height, width = self.images.shape[1:]
        return (channels, height, width)

    def take(self, rows: Tensor) -> Images:
        return Images(self.images[rows], self.labels[rows], self.classes)

    def to(self, device: torch.device) -> Images:
        return Images(self.images.to(device), self.labels.to(device), self.classes)

    def statistics(self) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation of each channel, f32[C], of values in [0, 1]."""
        counts = torch.stack([channel.flatten().bincount(minlength=256) for channel in self.images.transpose(0, 1)])
        counts = counts.cpu()  # float64 is not on every device
        values = torch.arange(256, dtype=torch.float64) / 255
        total = counts.sum(1).double()
        mean = (counts * values).sum(1) / total
        variance = (counts * (values - mean[:, None]).square()).sum(1) / total
        return mean.float().to(self.images.device), variance.sqrt().float().to(self.images.device)


@dataclass(frozen=True)
class Splits:
    """The images of a run. `validation` is None where the test set takes its part."""

    train: Images
    test: Images
    validation: Images | None = None

    @property
    def sizes(self) -> dict[str, int]:
        """Images of each part that there is."""
        parts = {"train": self.train, "validation": self.validation, "test": self.test}
        return {name: len(part) for name, part in parts.items() if part is not None}

    def to(self, device: torch.device) -> Splits:
        validation = None if self.validation is None else self.validation.to(device)
        return Splits(self.train.to(device), self.test.to(device), validation)


def held_out(images: Images, fraction: float, seed: int) -> tuple[Images, Images]:
    """The images without, and with only, the given fraction of each class.

    The same seed always holds out the same images.
    """
    generator = torch.Generator().manual_seed(seed)
    chosen = torch.zeros(len(images), dtype=torch.bool)
    for label in range(images.classes):
        rows = (images.labels == label).nonzero().flatten()
        order = torch.randperm(len(rows), generator=generator)
        chosen[rows[order[: round(fraction * len(rows))]]] = True
    return images.take((~chosen).nonzero().flatten()), images.take(chosen.nonzero().flatten())


def limited(images: Images, count: int, seed: int) -> Images:
    """At most `count` of the images, drawn at random, in their order."""
    chosen = torch.randperm(len(images), generator=torch.Generator().manual_seed(seed))[:count]
    return images.take(chosen.sort().values)
