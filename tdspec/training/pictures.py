"""Images as files: one PNG with all of them in a grid, a folder of PNGs, or an array."""

from __future__ import annotations

import math
import os
import zlib
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from tdspec.language.data import Data
from tdspec.training.data.decode import decode_all
from tdspec.training.data.folder import SUFFIXES
from tdspec.training.errors import DataError, FolderError

FILES = (".png", ".npz")
SIDE = 64  # least side of an image in a grid, in pixels: smaller ones are enlarged, each pixel to a square
GAP = 2  # pixels between the images of a grid


def write_images(images: Tensor, path: Path) -> None:
    """Write uint8[N,C,H,W]: `.png` a grid, `.npz` an array `images` of uint8[N,H,W,C], else a folder of PNGs.

    Raises `FolderError` if that cannot be written, `ValueError` for channels that no picture has.
    """
    check_destination(path)
    pixels = images.permute(0, 2, 3, 1).numpy()
    try:
        if path.suffix.lower() == ".npz":
            with open(path, "wb") as file:  # a name would get `.npz` behind `.NPZ`
                np.savez_compressed(file, images=pixels)
        elif path.suffix.lower() == ".png":
            picture(grid(pixels)).save(path)
        else:
            digits = len(str(len(pixels) - 1))
            for k, image in enumerate(pixels):
                picture(image).save(path / f"{k:0{digits}}.png")
    except OSError as error:
        raise FolderError(f"cannot write {path}: {error}") from error


def check_destination(path: Path) -> None:
    """Make what `write_images` writes into. Raises `FolderError` where that cannot be, `ValueError` for a suffix."""
    suffix = path.suffix.lower()
    if suffix in (*SUFFIXES, ".npy", ".pt", ".gif") and suffix not in FILES:
        raise ValueError(f"{path}: images go into {' or '.join(FILES)}, or into a folder")
    folder = path.parent if suffix in FILES else path
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if suffix not in FILES and any(path.iterdir()):
            raise FolderError(f"{path} is not empty: what is there would be taken for samples too; name another folder")
    except OSError as error:
        raise FolderError(f"cannot write {path}: {error}") from error
    if path.is_dir() == (suffix in FILES) or not os.access(folder, os.W_OK):
        raise FolderError(f"cannot write {path}: {'it is a folder' if path.is_dir() else 'permission denied'}")


def grid(pixels: np.ndarray) -> np.ndarray:
    """uint8[N,H,W,C] as one image, row by row, nearly square; small images are enlarged."""
    factor = max(1, -(-SIDE // max(pixels.shape[1:3])))
    pixels = pixels.repeat(factor, 1).repeat(factor, 2)
    count, height, width, channels = pixels.shape
    columns = math.ceil(math.sqrt(count))
    rows = -(-count // columns)
    sheet = np.zeros((rows * (height + GAP) - GAP, columns * (width + GAP) - GAP, channels), np.uint8)
    for k, image in enumerate(pixels):
        top, left = k // columns * (height + GAP), k % columns * (width + GAP)
        sheet[top : top + height, left : left + width] = image
    return sheet


def picture(pixels: np.ndarray) -> Image.Image:
    """uint8[H,W,C] with one channel (grey), three (colour) or four (colour and opacity)."""
    if pixels.shape[2] not in (1, 3, 4):
        raise ValueError(f"a picture has 1, 3 or 4 channels, these have {pixels.shape[2]}")
    return Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)


def read_images(path: Path) -> Tensor:
    """uint8[N,C,H,W] of what `write_images` wrote as an array, or of the pictures in a folder.

    Raises `DataError`.
    """
    if path.suffix.lower() == ".npz":
        try:
            with np.load(path) as arrays:  # without pickles
                pixels = arrays["images"]
        except (OSError, ValueError, KeyError, TypeError, EOFError, BadZipFile, zlib.error) as error:
            raise DataError(f"{path} has no array `images` that can be read: {error}") from error
        if pixels.dtype != np.uint8 or pixels.ndim != 4 or len(pixels) == 0:
            raise DataError(f"{path}: `images` is {pixels.dtype}{list(pixels.shape)}, expected uint8[N,H,W,C]")
        return torch.from_numpy(pixels).permute(0, 3, 1, 2).contiguous()
    files = sorted(file for file in path.glob("*") if file.suffix.lower() in SUFFIXES)
    if not files:
        raise DataError(f"no images at {path}: an .npz of `tdspec sample`, or a folder of pictures, is expected")
    return decode_all(files, lambda k: str(files[k]), Data(name="image-folder"))
