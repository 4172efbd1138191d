"""`parquet`: the layout of the Hugging Face hub, encoded images and integer labels in columns.

An image is a struct of `bytes` and `path`, or the bytes alone. `root` is a folder whose files say
in their names whether they belong to train or test, or one file, which is then split.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from tdspec.language.data import Data
from tdspec.training.data.decode import decode_all
from tdspec.training.data.images import Images
from tdspec.training.errors import DataError

IMAGE_COLUMNS = ("img", "image")
LABEL_COLUMNS = ("label", "labels", "fine_label")


def read(data: Data) -> tuple[Images, Images | None]:
    """Training images, and test images where there are files for them."""
    return read_folder(Path(data.root or "data/parquet"), data, data.classes)


def read_folder(root: Path, data: Data, classes: int | None) -> tuple[Images, Images | None]:
    """The same, for a known number of classes (None: as many as the labels say)."""
    files = [root] if root.is_file() else sorted(root.glob("**/*.parquet"))
    if not files:
        raise DataError(
            f"no parquet file at {root}: set data.root to a file, or to a folder with train*.parquet and test*.parquet"
        )
    test = [file for file in files if file.stem.startswith(("test", "validation", "val"))]
    train = [file for file in files if file not in test]
    if not train:
        raise DataError(f"{root} has test files only: {', '.join(file.name for file in test)}")
    images = _read(train, data, classes)
    return images, _read(test, data, images.classes) if test else None


def _read(files: list[Path], data: Data, classes: int | None) -> Images:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise DataError("parquet files need pyarrow: pip install 'tdspec[parquet]'") from error

    encoded: list[bytes] = []
    labels: list[int] = []
    names: list[tuple[Path, int, str]] = []
    for file in files:
        try:
            schema = parquet.read_schema(file)
            image_column = _column(file, schema.names, data.image_column, IMAGE_COLUMNS, "image")
            label_column = _column(file, schema.names, data.label_column, LABEL_COLUMNS, "label")
            table = parquet.read_table(file, columns=[image_column, label_column])
        except (OSError, pyarrow.ArrowException) as error:
            raise DataError(f"{file} is damaged or no parquet file: {error}") from error
        for row, image in enumerate(table[image_column].to_pylist()):
            content, path = _content(file, row, image)
            encoded.append(content)
            names.append((file, row, path))
        labels += table[label_column].to_pylist()

    for k, label in enumerate(labels):
        if not isinstance(label, int) or label < 0 or (classes is not None and label >= classes):
            bound = "" if classes is None else f" below {classes}"
            raise DataError(
                f"{names[k][0]} row {names[k][1]}: the label is a whole number from 0{bound}, found {label!r}"
            )
    images = decode_all(encoded, lambda k: "{} row {} ({})".format(*names[k]), data)
    return Images(images, torch.tensor(labels), classes or max(labels) + 1)


def _column(file: Path, columns: list[str], given: str | None, usual: tuple[str, ...], what: str) -> str:
    found = next((name for name in ((given,) if given else usual) if name in columns), None)
    if found is None:
        wanted = f"`{given}`" if given else " or ".join(f"`{name}`" for name in usual)
        raise DataError(f"{file} has no column {wanted}, only {', '.join(columns)}: set data.{what}_column")
    return found


def _content(file: Path, row: int, image: Any) -> tuple[bytes, str]:
    content = image.get("bytes") if isinstance(image, dict) else image
    if not isinstance(content, bytes):
        raise DataError(f"{file} row {row}: no image bytes")
    return content, (image.get("path") or "") if isinstance(image, dict) else ""
