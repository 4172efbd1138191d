"""Data sets: one file for each kind, and the table of them.

A reader takes the section `data` and returns training images and, where they come with the data,
test images. A new kind is one file, one line here and one in `tdspec.language.data`.
"""

from __future__ import annotations

from collections.abc import Callable

from tdspec.language.data import Data
from tdspec.training.data import cifar, digits, folder, idx, parquet, shapes
from tdspec.training.data.images import Images, Splits, held_out, limited
from tdspec.training.errors import DataError

READERS: dict[str, Callable[[Data], tuple[Images, Images | None]]] = {
    "digits": digits.read,
    "shapes": shapes.read,
    "mnist": idx.read,
    "fashion-mnist": idx.read,
    "cifar10": cifar.read,
    "cifar100": cifar.read,
    "image-folder": folder.read,
    "parquet": parquet.read,
}


def load(data: Data) -> Splits:
    """Read, decode and split the images of a spec. Raises `DataError`."""
    train, test = READERS[data.name](data)
    if data.classes is not None and data.classes != train.classes:
        raise DataError(f"data.classes is {data.classes}, but {data.root or data.name} has {train.classes}")
    if test is None:
        train, test = held_out(train, data.test_fraction, data.split_seed)
    if test.shape != train.shape:
        raise DataError(f"training images are {train.shape}, test images {test.shape} (channels, height, width)")
    validation = None
    if data.validation:
        train, validation = held_out(train, data.validation, data.split_seed + 1)
    if data.limit is not None:
        train, test = limited(train, data.limit, data.split_seed), limited(test, data.limit, data.split_seed)
        validation = None if validation is None else limited(validation, data.limit, data.split_seed)
    for name, part in (("training", train), ("test", test), ("validation", validation)):
        if part is not None and len(part) == 0:
            raise DataError(f"no {name} images: {data.name} is too small for this split")
    return Splits(train, test, validation)
