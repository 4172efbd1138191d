"""`image-folder`: one folder of image files for each class, the names in alphabetical order.

Either the classes lie in `root`, or in `root/train` and in `root/test` (or `val`, `validation`).
"""

from __future__ import annotations

from pathlib import Path

import torch

from tdspec.language.data import Data
from tdspec.training.data.decode import decode_all
from tdspec.training.data.images import Images
from tdspec.training.errors import DataError

SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".gif", ".ppm", ".pgm", ".tif", ".tiff", ".webp"}


def read(data: Data) -> tuple[Images, Images | None]:
    """Training images, and test images where they have a folder of their own."""
    root = Path(data.root or "data/image-folder")
    if not root.is_dir():
        raise DataError(f"no folder {root}: set data.root to a folder that has one folder of images for each class")
    if not (root / "train").is_dir():
        return _read(root, _classes(root), data), None
    classes = _classes(root / "train")
    test = next((root / name for name in ("test", "val", "validation") if (root / name).is_dir()), None)
    if test is not None and (extra := set(_classes(test)) - set(classes)):
        raise DataError(f"{test} has classes that {root / 'train'} lacks: {', '.join(sorted(extra))}")
    return _read(root / "train", classes, data), None if test is None else _read(test, classes, data)


def _classes(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir() if entry.is_dir() and not entry.name.startswith("."))


def _read(folder: Path, classes: list[str], data: Data) -> Images:
    files: list[Path] = []
    labels: list[int] = []
    for label, name in enumerate(classes):
        place = folder / name
        found = sorted(f for f in place.rglob("*") if f.suffix.lower() in SUFFIXES) if place.is_dir() else []
        files += found
        labels += [label] * len(found)
    if not files:
        raise DataError(
            f"no images below {folder}: one folder for each class is expected, with {', '.join(sorted(SUFFIXES))} files"
        )
    return Images(decode_all(files, lambda k: str(files[k]), data), torch.tensor(labels), len(classes))
