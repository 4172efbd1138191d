"""A small classifier of a data set, trained on its training images, that looks at what a model makes.

It is kept, as safetensors with what it was trained on, under a name that follows from its recipe and from the images:
other images, or another split, never meet the wrong one.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from tdspec.training.data.images import Images, Splits
from tdspec.training.errors import DataError, FolderError

FEATURES = 64
STEPS, BATCH, RATE, SEED = 2000, 128, 2e-3, 0
VERSION = 1  # of the recipe: network, training, scaling
AT_ONCE = 512  # images, where nothing is learned


class SmallClassifier(nn.Module):
    """Convolutions down to a map of 4x4 at most, 64 features, one number for each class; x f32[B,C,H,W] in [0, 1]."""

    def __init__(self, shape: tuple[int, int, int], classes: int) -> None:
        super().__init__()
        channels, height, width = shape
        layers: list[nn.Module] = []
        before, after, stride = channels, 16, 1
        while True:
            layers += [nn.Conv2d(before, after, 3, stride, padding=1), nn.BatchNorm2d(after), nn.ReLU()]
            if max(height, width) <= 4:
                break
            before, after, stride = after, min(2 * after, 64), 2
            height, width = -(-height // 2), -(-width // 2)
        self.features = nn.Sequential(
            *layers, nn.Flatten(), nn.Linear(after * height * width, FEATURES), nn.ReLU()
        )  # fmt: skip
        self.classes = nn.Linear(FEATURES, classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.classes(self.features(x))

    @torch.no_grad()
    def look(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Features f32[N,64] and logits f32[N,classes] of uint8[N,C,H,W], on the CPU."""
        device = self.classes.weight.device
        parts = [self.features(part.to(device).float() / 255) for part in images.split(AT_ONCE)]
        return torch.cat([part.cpu() for part in parts]), torch.cat([self.classes(part).cpu() for part in parts])


@dataclass(frozen=True)
class Extractor:
    """A trained classifier, what it was trained on, and how well it does.

    images    training images
    accuracy  in per cent of the `tested` test images
    weights   the first digits of their SHA-256: figures of other weights are not comparable to the digit
    """

    network: SmallClassifier
    data: str
    images: int
    accuracy: float
    tested: int
    weights: str

    def as_dict(self) -> dict[str, Any]:
        """Without the network, for JSON."""
        said = {key: getattr(self, key) for key in ("data", "images", "accuracy", "tested", "weights")}
        return {"name": "small classifier", "recipe": recipe(), **said}

    def __str__(self) -> str:
        return (
            f"a small classifier of {self.data} ({self.accuracy:.1f} % of {self.tested:,} test images right, "
            f"weights {self.weights})"
        )


def extractor(
    name: str, splits: Splits, cache: Path, device: torch.device, tell: Callable[[str], None] = lambda text: None
) -> Extractor:
    """The classifier of these training images, from `cache`, or trained now and kept there.

    name  of the data set, in the name of the file
    tell  is told that it has to be trained

    Raises `DataError` for images of one class, `FolderError` if `cache` cannot be written.
    """
    train, test = splits.train, splits.test
    if len(train.labels.unique()) < 2:
        raise DataError(f"{name} has images of one class only: no classifier can learn from them what they show")
    path = cache / f"{name}-{fingerprint(train)}.safetensors"
    network = _restored(path, train)
    if network is None:
        try:
            cache.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise FolderError(f"cannot write {cache}: {error}; choose another place with --cache") from error
        tell(f"training a small classifier of {name}, {STEPS:,} steps; it is kept in {cache}")
        network = trained(train, device)
        _keep(network, path, {"about": f"{recipe()}; {len(train)} images of {name}, {train.classes} classes"})
    digest = hashlib.sha256()
    for tensor in network.state_dict().values():
        digest.update(tensor.cpu().numpy().tobytes())
    right = network.to(device).look(test.images)[1].argmax(1) == test.labels.cpu()
    accuracy = 100 * float(right.double().mean())
    return Extractor(network, name, len(train), accuracy, len(test), digest.hexdigest()[:8])


def trained(images: Images, device: torch.device) -> SmallClassifier:
    """A classifier of these images, which are moved by up to an eighth of their side while it learns.

    One image in nine is noise, of which it learns to be unsure (arXiv 1812.04606): else it would be sure of anything.
    Leaves torch's global random state as it was.
    """
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(SEED)
        network = SmallClassifier(images.shape, images.classes).to(device).train()
        optimizer = torch.optim.Adam(network.parameters(), lr=RATE)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=STEPS)
        rows = torch.empty(0, dtype=torch.long)
        for _ in range(STEPS):
            if len(rows) < min(BATCH, len(images)):
                rows = torch.randperm(len(images))
            chosen, rows = rows[:BATCH].to(images.images.device), rows[BATCH:]
            x = moved(images.images[chosen].to(device).float() / 255)
            noise = torch.rand_like(x[: -(-len(x) // 8)])
            wanted = nn.functional.one_hot(images.labels[chosen], images.classes).float().to(device)
            unsure = torch.full((len(noise), images.classes), 1 / images.classes, device=device)
            loss = nn.functional.cross_entropy(network(torch.cat([x, noise])), torch.cat([wanted, unsure]))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    return network.eval()


def moved(x: Tensor) -> Tensor:
    """The batch f32[B,C,H,W] moved as one, its border drawn out into the gap."""
    height, width = x.shape[2:]
    most = max(height, width) // 8
    down, right = (int(torch.randint(0, 2 * most + 1, ())) for _ in range(2))
    wide = nn.functional.pad(x, (most,) * 4, mode="replicate")
    return wide[:, :, down : down + height, right : right + width]


def recipe() -> str:
    return f"{VERSION}: {FEATURES} features, {STEPS} steps of {BATCH}, lr {RATE}, seed {SEED}"


def fingerprint(images: Images) -> str:
    """Twelve digits of recipe, images and labels."""
    digest = hashlib.sha256(f"{recipe()} {images.shape} {images.classes}".encode())
    for tensor in (images.images, images.labels):
        digest.update(tensor.cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:12]


def _restored(path: Path, images: Images) -> SmallClassifier | None:
    """The classifier in a file; None where there is none, or a damaged one, which is then trained anew."""
    with torch.device("meta"):  # draws no weights
        network = SmallClassifier(images.shape, images.classes).eval()
    try:
        network.load_state_dict(load_file(path), assign=True)
    except (OSError, SafetensorError, RuntimeError):
        return None
    return network


def _keep(network: SmallClassifier, path: Path, metadata: dict[str, str]) -> None:
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        save_file({name: tensor.cpu() for name, tensor in network.state_dict().items()}, aside, metadata)
        os.replace(aside, path)
    except (OSError, SafetensorError) as error:
        raise FolderError(f"cannot write {path}: {error}; choose another place with --cache") from error
