"""Are these samples digits? A small classifier of the real ones looks at them.

    tdspec sample RUN -n 500 --out samples.npz
    python -m benchmarks.digits_samples samples.npz

Trains a convolutional classifier on the training part of scikit-learn's digits (half a minute on a CPU), then
prints for the samples, for real digits held out, and for noise: the part it recognises with confidence above 0.8,
the classes it sees, and the Frechet distance of its 64 features to those of the training digits. That distance is
of this extractor alone and is not FID. Exits with 1 if fewer than 90 % of the samples are recognised or a class
has less than a quarter of its share.
"""

from __future__ import annotations

import sys

import numpy as np
import torch
from torch import Tensor, nn

from tdspec.language.data import Data
from tdspec.training.data import load

CONFIDENT, RECOGNISED, SHARE = 0.8, 0.9, 0.25
EPOCHS = 40


class Classifier(nn.Module):
    """Two convolutions, 64 features, ten classes; x f32[B,1,8,8] in [0, 1]."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(),
            nn.Conv2d(16, 32, 3, stride=2, padding=1), nn.BatchNorm2d(32), nn.ReLU(),
            nn.Flatten(), nn.Linear(512, 64), nn.ReLU(),
        )  # fmt: skip
        self.classes = nn.Linear(64, 10)

    def forward(self, x: Tensor) -> Tensor:
        return self.classes(self.features(x))


def trained(images: Tensor, labels: Tensor) -> Classifier:
    """A classifier of these images; they are shifted by a pixel at random while it learns."""
    torch.manual_seed(0)
    model = Classifier()
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, EPOCHS)
    for _ in range(EPOCHS):
        for rows in torch.randperm(len(images)).split(64):
            shift = torch.randint(-1, 2, (2,)).tolist()
            x = nn.functional.pad(images[rows], (1,) * 4)[:, :, 1 + shift[0] :, 1 + shift[1] :][:, :, :8, :8]
            x = nn.functional.pad(x, (0, 8 - x.shape[3], 0, 8 - x.shape[2]))
            loss = nn.functional.cross_entropy(model(x), labels[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        schedule.step()
    return model.eval()


def frechet(one: Tensor, other: Tensor) -> float:
    """|m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)) of two sets of features f32[N,D]. Source: arXiv 1706.08500, eq. 6."""
    a, b = one.double(), other.double()
    cross = torch.linalg.eigvals(a.T.cov() @ b.T.cov()).real.clamp(min=0).sqrt().sum()
    means = (a.mean(0) - b.mean(0)).square().sum()
    return float(means + a.T.cov().trace() + b.T.cov().trace() - 2 * cross)


@torch.no_grad()
def look(model: Classifier, images: Tensor, known: Tensor) -> tuple[float, Tensor, float]:
    """Part recognised, how many of each class, distance to the features of `known`."""
    confidence, classes = model(images).softmax(1).max(1)
    distance = frechet(model.features(images), model.features(known))
    return float((confidence > CONFIDENT).float().mean()), classes.bincount(minlength=10), distance


def main(path: str) -> int:
    array = np.load(path)["images"]
    samples = torch.from_numpy(array).permute(0, 3, 1, 2).float() / 255
    splits = load(Data(name="digits"))
    train, test = (part.images.float() / 255 for part in (splits.train, splits.test))
    model = trained(train, splits.train.labels)
    accuracy = float((model(test).argmax(1) == splits.test.labels).float().mean())
    print(f"classifier: {100 * accuracy:.1f} % of {len(test)} held-out digits right")
    noise = torch.rand(len(samples), 1, 8, 8, generator=torch.Generator().manual_seed(0))
    verdict = 0
    for name, images in (("samples", samples), ("real digits", test), ("noise", noise)):
        recognised, counts, distance = look(model, images, train)
        print(
            f"{name:<12} {len(images):>5}  recognised {100 * recognised:5.1f} %  Frechet distance in this "
            f"classifier's features {distance:8.2f}  classes {counts.tolist()}"
        )
        if name == "samples":
            verdict = int(recognised < RECOGNISED or bool((counts < SHARE * len(images) / 10).any()))
    return verdict


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
