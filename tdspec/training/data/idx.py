"""`mnist` and `fashion-mnist`: four files in the idx format, plain or gzipped.

Format: two zero bytes, 8 for unsigned bytes, the number of axes, each axis as a big-endian 32-bit
number, then the bytes. Source: yann.lecun.com/exdb/mnist.
"""

from __future__ import annotations

import gzip
import math
import zlib
from pathlib import Path

import torch
from torch import Tensor

from tdspec.language.data import Data
from tdspec.training.data.images import Images
from tdspec.training.errors import DataError

TORCHVISION = {"mnist": "MNIST", "fashion-mnist": "FashionMNIST"}


def read(data: Data) -> tuple[Images, Images | None]:
    """Training and test images from `root`, or from torchvision's folder below it."""
    root = Path(data.root or f"data/{data.name}")
    folder = _folder(root, TORCHVISION[data.name])
    if folder is None and data.download:
        import torchvision

        getattr(torchvision.datasets, TORCHVISION[data.name])(str(root), download=True)
        folder = _folder(root, TORCHVISION[data.name])
    if folder is None:
        raise DataError(
            f"no train-images-idx3-ubyte(.gz) in {root}: set data.root to the folder with the four idx files of "
            f"{data.name}, or data.download to true"
        )
    return _pair(folder, "train"), _pair(folder, "t10k")


def _folder(root: Path, name: str) -> Path | None:
    places = (root, root / name / "raw")
    return next((place for place in places if _file(place, "train-images-idx3-ubyte") is not None), None)


def _file(folder: Path, stem: str) -> Path | None:
    return next((path for path in (folder / stem, folder / f"{stem}.gz") if path.is_file()), None)


def _pair(folder: Path, part: str) -> Images:
    tensors = []
    for stem, axes in ((f"{part}-images-idx3-ubyte", 3), (f"{part}-labels-idx1-ubyte", 1)):
        path = _file(folder, stem)
        if path is None:
            raise DataError(f"no {stem}(.gz) in {folder}: the four idx files belong together")
        tensors.append(read_idx(path, axes))
    images, labels = tensors
    if len(images) != len(labels):
        raise DataError(f"{folder}: {len(images)} {part} images, but {len(labels)} labels")
    return Images(images[:, None], labels.long(), 10)


def read_idx(path: Path, axes: int) -> Tensor:
    """The uint8 tensor in an idx file."""
    try:
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path} is damaged: {error}; fetch it again") from error
    header = 4 + 4 * axes
    if len(content) < header or content[:4] != bytes((0, 0, 8, axes)):
        raise DataError(
            f"{path} is not an idx file of bytes with {axes} axes: its first four bytes are {content[:4].hex(' ')}"
        )
    shape = [int.from_bytes(content[4 + 4 * axis : 8 + 4 * axis], "big") for axis in range(axes)]
    if len(content) != header + math.prod(shape):
        raise DataError(
            f"{path} is cut off: {len(content)} bytes, {header + math.prod(shape)} expected; fetch it again"
        )
    return torch.frombuffer(bytearray(content[header:]), dtype=torch.uint8).view(shape)
