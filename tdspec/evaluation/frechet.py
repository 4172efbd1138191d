"""Fréchet distance in the features of a small classifier of the data, and what that classifier recognises.

Held-out real images and noise are measured beside the samples: the first is what a perfect model of the data would
come to, the second what no model does.
"""

from __future__ import annotations

import torch
from torch import Tensor

from tdspec.evaluation.extractor import Extractor, extractor
from tdspec.evaluation.figures import NOISE, SAMPLES, TEST, Figures
from tdspec.evaluation.subject import Subject
from tdspec.training.data.images import Images
from tdspec.training.errors import DataError

CONFIDENT = 0.8
GOOD = 80.0  # per cent of the test images that a classifier should get right to be worth asking


def check(subject: Subject, names: tuple[str, ...]) -> None:
    """Refuse images that cannot be drawn or compared."""
    subject.check_images()
    many = len(subject.samples.images) if subject.path is not None else subject.count or len(subject.splits.test)
    if many < 2:
        raise DataError("a distance between distributions needs two images at least, and some hundreds to mean much")


def measure(subject: Subject, names: tuple[str, ...]) -> Figures:
    """Distance to the training images, the part recognised and the rarest class: samples, test images, noise."""
    train, test = subject.splits.train, subject.splits.test
    judge = extractor(subject.spec.data.name, subject.splits, subject.cache, subject.device, subject.tell)
    images = subject.samples.images
    generator = torch.Generator().manual_seed(0)
    noise = torch.randint(0, 256, images.shape, generator=generator, dtype=torch.uint8)
    known = judge.network.look(train.images)[0]
    values, classes = {}, {}
    for name, seen in ((SAMPLES, images), (TEST, test.images), (NOISE, noise)):
        values[name], classes[name] = look(judge, seen, known, train)
    said = (
        f"Fréchet distance: to the {len(train):,} training images of {subject.spec.data.name}, in the "
        f"{known.shape[1]} features of {judge}; it is not FID",
        f"classes seen in the samples: {' '.join(map(str, classes[SAMPLES]))}",
    )
    notes = []
    for name, count in ((SAMPLES, len(images)), (TEST, len(test))):
        if count <= known.shape[1]:
            notes.append(too_few(name, count, known.shape[1]))
    if judge.accuracy < GOOD:
        notes.append(f"the classifier is right about {judge.accuracy:.1f} % of the test images only")
    conditions = {
        "reference": subject.reference,
        "extractor": judge.as_dict(),
        "confidence": CONFIDENT,
        "classes": classes,
    }
    counts = {SAMPLES: len(images), TEST: len(test), NOISE: len(noise)}
    return Figures(values, counts, conditions, said, notes)


def look(judge: Extractor, images: Tensor, known: Tensor, train: Images) -> tuple[dict[str, float], list[int]]:
    """The figures of uint8[N,C,H,W] beside the features of the training images, and how many of each class are seen."""
    features, logits = judge.network.look(images)
    confidence, seen = logits.softmax(1).max(1)
    counts = seen.bincount(minlength=train.classes)
    share = train.labels.cpu().bincount(minlength=train.classes) / len(train)
    there = share > 0
    return {
        "frechet": frechet_distance(features, known),
        "recognised": 100 * float((confidence > CONFIDENT).double().mean()),
        "rarest": float((counts[there] / len(images) / share[there]).min()),
    }, counts.tolist()


def frechet_distance(one: Tensor, other: Tensor) -> float:
    """Of the normal distributions with the moments of two sets of features, f[N,D] and f[M,D].

    |m1 - m2|^2 + tr C1 + tr C2 - 2 tr (C1 C2)^(1/2); C has N - 1 in its denominator. Source: arXiv 1706.08500, eq. 6.

    With C = R^T R the last trace is the sum of the singular values of R1 R2^T. R comes from the features, so that
    neither a covariance is formed nor a root of a matrix taken: each would cost half of the digits where features
    depend on each other, as those of few images do.
    """
    means, roots = zip(*(_moments(features.double()) for features in (one, other)), strict=True)
    spread = sum(root.square().sum() for root in roots)
    cross = torch.linalg.svdvals(roots[0] @ roots[1].T).sum()
    return max(0.0, float((means[0] - means[1]).square().sum() + spread - 2 * cross))


def _moments(features: Tensor) -> tuple[Tensor, Tensor]:
    """The mean, f64[D], and R with C = R^T R."""
    mean = features.mean(0)
    root = torch.linalg.qr((features - mean) / (len(features) - 1) ** 0.5, mode="r").R
    return mean, root


def too_few(name: str, count: int, features: int) -> str:
    """The note on a covariance that is singular."""
    return (
        f"{count} {name} are too few for the covariance of {features} features: the distance comes out too "
        "great, and cannot be compared with one of another number of images"
    )
