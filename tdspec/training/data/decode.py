"""From encoded images (JPEG, PNG, ...) to one uint8 tensor, once, before training."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from PIL import Image, UnidentifiedImageError
from torch import Tensor

from tdspec.language.data import Data
from tdspec.training.errors import DataError


def decode_all(encoded: Sequence[bytes | Path], name: Callable[[int], str], data: Data) -> Tensor:
    """uint8[N,C,H,W] of encoded images, in the same order; C is 1 if all are grey, else 3.

    name  what the k-th image is called in an error
    """

    def decode(k: int) -> np.ndarray:  # uint8[H,W] or uint8[H,W,3]
        source = encoded[k]
        try:
            with Image.open(io.BytesIO(source) if isinstance(source, bytes) else source) as opened:
                if opened.mode.startswith(("I", "F")):
                    raise ValueError(f"it has more than 8 bits a channel (mode {opened.mode})")
                image = opened.convert("L" if opened.mode in ("L", "1") else "RGB")
                if data.image_size is not None:
                    image = _square(image, data.image_size)
                return np.asarray(image)
        except (OSError, UnidentifiedImageError, SyntaxError, ValueError) as error:
            raise DataError(f"{name(k)} is not an image that can be read: {error}") from error

    with ThreadPoolExecutor(data.workers or None) as pool:
        arrays = list(pool.map(decode, range(len(encoded)), chunksize=64))
    colour = any(array.ndim == 3 for array in arrays)
    size = arrays[0].shape[:2]
    for k, array in enumerate(arrays):
        if array.shape[:2] != size:
            raise DataError(
                f"{name(k)} has {array.shape[0]}x{array.shape[1]} pixels, {name(0)} has {size[0]}x{size[1]}: "
                "set data.image_size"
            )
    stacked = np.empty((len(arrays), 3 if colour else 1, *size), dtype=np.uint8)
    for k, array in enumerate(arrays):
        stacked[k] = array.transpose(2, 0, 1) if array.ndim == 3 else array
    return torch.from_numpy(stacked)


def _square(image: Image.Image, side: int) -> Image.Image:
    """The shorter side scaled to `side`, and the middle cut out."""
    scale = side / min(image.size)
    image = image.resize(
        (max(side, round(image.width * scale)), max(side, round(image.height * scale))), Image.Resampling.BILINEAR
    )
    left, top = (image.width - side) // 2, (image.height - side) // 2
    return image.crop((left, top, left + side, top + side))
