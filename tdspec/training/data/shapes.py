"""`shapes`: discs, squares and triangles of one colour on another, drawn here. Synthetic, for a first try in colour.

Place, size and colours of an image follow from its number alone; its class is its number modulo 3.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from tdspec.language.data import DATASETS, Data
from tdspec.training.data.images import Images

SIDE, KINDS, SEED = 32, 3, 0
DRAWS = 7  # numbers that an image is made of


def read(data: Data) -> tuple[Images, Images | None]:
    """The images; the test images are those with the numbers behind the training images."""
    facts = DATASETS["shapes"]
    assert facts.train is not None and facts.test is not None
    images, labels = draw(facts.train + facts.test)
    parts = (slice(facts.train), slice(facts.train, None))
    train, test = (Images(images[part], labels[part], KINDS) for part in parts)
    return train, test


def draw(count: int) -> tuple[Tensor, Tensor]:
    """The first images, uint8[count,3,32,32], and their classes, int64[count]; edges are smooth."""
    given = torch.rand(count, DRAWS, generator=torch.Generator().manual_seed(SEED))
    labels = torch.arange(count) % KINDS
    radius = 5 + 5 * given[:, 0]
    centres = 10 + (SIDE - 20) * given[:, 1:3]
    axis = torch.arange(SIDE) + 0.5
    x = (axis[None, None, :] - centres[:, 0, None, None]).expand(-1, SIDE, -1)
    y = (axis[None, :, None] - centres[:, 1, None, None]).expand(-1, -1, SIDE)
    away = torch.empty(count, SIDE, SIDE)  # pixels from the edge, negative inside
    for kind, distance in enumerate((disc, square, triangle)):
        rows = labels == kind
        away[rows] = distance(x[rows], y[rows], radius[rows, None, None])
    covered = (0.5 - away).clamp(0, 1)[:, None]
    front, ground = colour(given[:, 3:5], 0.7, 1.0), colour(given[:, 5:7], 0.0, 0.4)
    pixels = covered * front[:, :, None, None] + (1 - covered) * ground[:, :, None, None]
    return (255 * pixels).round().to(torch.uint8), labels


def disc(x: Tensor, y: Tensor, radius: Tensor) -> Tensor:
    return (x.square() + y.square()).sqrt() - radius


def square(x: Tensor, y: Tensor, radius: Tensor) -> Tensor:
    """Of the same area as the disc."""
    return torch.maximum(x.abs(), y.abs()) - radius * math.sqrt(math.pi) / 2


def triangle(x: Tensor, y: Tensor, radius: Tensor) -> Tensor:
    """Equilateral, its point upwards, its corners on the disc's edge."""
    sides = torch.maximum(y, math.sqrt(3) / 2 * x.abs() - y / 2)
    return sides - radius / 2


def colour(given: Tensor, least: float, most: float) -> Tensor:
    """A hue and a brightness between two bounds, of two numbers in [0, 1]: f32[N,3]."""
    hue, brightness = given[:, :1], least + (most - least) * given[:, 1:]
    return brightness * (0.5 + 0.5 * torch.cos(2 * math.pi * (hue - torch.arange(3) / 3)))
