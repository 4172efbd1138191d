"""The section `data`, and what is known of each data set before it is read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

from tdspec.language.fields import option
from tdspec.text.syntax import Pipeline


class Dataset(NamedTuple):
    """What is known of a data set without reading it; None where the files decide.

    shape    channels, height and width of an image
    classes  number of classes
    train    images that come as training set; a set without `test` is split by `data.test_fraction`
    test     images that come as test set
    source   where it comes from
    """

    shape: tuple[int, int, int] | None
    classes: int | None
    train: int | None
    test: int | None
    source: str


DATASETS: dict[str, Dataset] = {
    "digits": Dataset((1, 8, 8), 10, 1797, None, "handwritten digits inside scikit-learn; nothing to download"),
    "shapes": Dataset((3, 32, 32), 3, 8000, 2000, "discs, squares and triangles, drawn here; nothing to download"),
    "mnist": Dataset((1, 28, 28), 10, 60_000, 10_000, "torchvision, or four idx files in `root`"),
    "fashion-mnist": Dataset((1, 28, 28), 10, 60_000, 10_000, "torchvision, or four idx files in `root`"),
    "cifar10": Dataset((3, 32, 32), 10, 50_000, 10_000, "torchvision, or its python archive in `root`"),
    "cifar100": Dataset((3, 32, 32), 100, 50_000, 10_000, "torchvision, or its python archive in `root`"),
    "image-folder": Dataset(None, None, None, None, "`root`: one folder for each class, or these in train/ and test/"),
    "parquet": Dataset(None, None, None, None, "`root`: a folder with train.parquet and test.parquet, or one file"),
}  # fmt: skip


@dataclass(frozen=True)
class Data:
    """The images, their split and their augmentation.

    Images are decoded once to uint8 and kept on the device; what the network sees lies in
    [0, 1], then normalised where `augment` says so.
    """

    name: Literal["digits", "shapes", "mnist", "fashion-mnist", "cifar10", "cifar100", "image-folder", "parquet"] = (
        option(doc="The data set, or the layout of the files in `root`.")
    )
    root: str | None = option(
        None,
        "Folder or file with the data, from the working directory or absolute; by default `data/<name>`.",
        examples=("data/cifar10",),
    )
    augment: Pipeline | None = option(
        None,
        "Steps that each training image goes through, each image with a draw of its own. "
        "`Normalize` applies in evaluation too.",
        examples=("[RandomCrop(32, padding=4)–HorizontalFlip(0.5)–Normalize]",),
    )
    download: bool = option(False, "Whether torchvision may download what `root` lacks.")
    validation: float = option(
        0.0,
        "Fraction of the training images set aside to choose the best checkpoint and to steer the "
        "schedule; with 0 the test set does both, as in most papers.",
        minimum=0,
        below=1,
    )
    test_fraction: float = option(
        0.2,
        "Fraction of each class held out where the data set has no test set of its own.",
        above=0,
        below=1,
    )
    limit: int | None = option(
        None, "At most this many images in each of training, validation and test set, for a quick try.", minimum=1
    )
    split_seed: int = option(0, "Seed of both splits; the run's own seed leaves them as they are.", minimum=0)
    image_column: str | None = option(None, "parquet: the images' column; by default `img` or `image`.")
    label_column: str | None = option(
        None, "parquet: the labels' column; by default `label`, `labels` or `fine_label`."
    )
    classes: int | None = option(
        None, "Number of classes, where the files decide it: image-folder and parquet.", minimum=2
    )
    image_size: int | None = option(
        None, "Side in pixels that images are scaled and cropped to; for files of different sizes.", minimum=1
    )
    workers: int = option(0, "Threads that decode image files before training; 0 for as many as useful.", minimum=0)
