"""`digits`: 1,797 real handwritten digits of 8x8, inside scikit-learn's wheel."""

from __future__ import annotations

import torch

from tdspec.language.data import Data
from tdspec.training.data.images import Images
from tdspec.training.errors import DataError


def read(data: Data) -> tuple[Images, Images | None]:
    """The images; they come without a test set. Their 17 grey levels are spread over 0 to 255."""
    try:
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise DataError("data.name digits needs scikit-learn: pip install scikit-learn") from error
    bunch = load_digits()
    images = (torch.from_numpy(bunch.images) * (255 / 16)).round().to(torch.uint8)
    return Images(images[:, None], torch.from_numpy(bunch.target).long(), 10), None
