"""`cifar10` and `cifar100`: torchvision's copy, or parquet files of the hub in the same folder."""

from __future__ import annotations

import pickle
from pathlib import Path

import torch

from tdspec.language.data import Data
from tdspec.training.data import parquet
from tdspec.training.data.images import Images
from tdspec.training.errors import DataError

TORCHVISION = {"cifar10": ("CIFAR10", 10), "cifar100": ("CIFAR100", 100)}


def read(data: Data) -> tuple[Images, Images | None]:
    """Training and test images from `root`, whichever of the two layouts is there."""
    import torchvision

    root = Path(data.root or f"data/{data.name}")
    name, classes = TORCHVISION[data.name]
    if root.is_file() or any(root.glob("**/*.parquet")):
        return parquet.read_folder(root, data, classes)
    parts = []
    for train in (True, False):
        try:
            part = getattr(torchvision.datasets, name)(str(root), train=train, download=data.download)
        except RuntimeError as error:
            raise DataError(
                f"no {data.name} in {root} ({error}): set data.root to the folder with torchvision's archive or with "
                "parquet files, or data.download to true"
            ) from error
        except (OSError, EOFError, ValueError, pickle.UnpicklingError) as error:
            raise DataError(f"{data.name} in {root} is damaged: {error}; fetch it again") from error
        images = torch.from_numpy(part.data).permute(0, 3, 1, 2).contiguous()
        parts.append(Images(images, torch.tensor(part.targets), classes))
    return parts[0], parts[1]
