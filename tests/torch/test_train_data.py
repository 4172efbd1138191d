"""Readers of data sets, on files that the tests make themselves, whole and damaged."""

from __future__ import annotations

import gzip
import io
import math
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch
from PIL import Image
from pyarrow import parquet

from tdspec.language.data import DATASETS, Data
from tdspec.training.data import READERS, load
from tdspec.training.data.images import Images, held_out
from tdspec.training.data.shapes import disc, draw, square, triangle
from tdspec.training.errors import DataError


def picture(seed: int, size: tuple[int, int] = (6, 6), mode: str = "RGB") -> np.ndarray:
    shape = (*size, 3) if mode == "RGB" else size
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def png(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, "png")
    return buffer.getvalue()


def write_parquet(
    path: Path, images: list[bytes], labels: list[int], names: tuple[str, str] = ("img", "label")
) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [{"bytes": content, "path": f"{k}.png"} for k, content in enumerate(images)]
    parquet.write_table(pa.table({names[0]: rows, names[1]: labels}), path)


def write_idx(path: Path, array: np.ndarray) -> None:
    content = struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)


def test_readers_are_those_declared() -> None:
    assert set(READERS) == set(DATASETS)


def test_digits() -> None:
    facts = DATASETS["digits"]
    splits = load(Data(name="digits"))
    assert splits.train.shape == splits.test.shape == facts.shape
    assert len(splits.train) + len(splits.test) == facts.train
    assert splits.train.classes == facts.classes
    assert len(splits.test) / facts.train == pytest.approx(0.2, abs=0.005)
    assert splits.train.images.max() == 255 and len(splits.train.images.unique()) == 17
    again = load(Data(name="digits"))
    assert torch.equal(again.test.images, splits.test.images)
    assert not torch.equal(load(Data(name="digits", split_seed=1)).test.images, splits.test.images)


def test_shapes_follow_from_their_number() -> None:
    facts = DATASETS["shapes"]
    splits = load(Data(name="shapes"))
    assert splits.sizes == {"train": facts.train, "test": facts.test}
    assert splits.train.shape == splits.test.shape == facts.shape and splits.train.classes == facts.classes
    assert splits.test.labels.bincount().tolist() == [667, 666, 667]
    images, labels = draw(30)
    assert torch.equal(images, splits.train.images[:30]) and torch.equal(labels, splits.train.labels[:30])
    assert len(images.flatten(1).unique(dim=0)) == 30


def test_shapes_have_the_areas_of_their_kinds() -> None:
    """Pixels inside, for a radius of 8: a disc and a square of the same area, and a triangle within the disc."""
    axis = torch.arange(-16, 16) + 0.5
    x, y, radius = axis[None, None, :].expand(1, 32, 32), axis[None, :, None].expand(1, 32, 32), torch.tensor(8.0)
    areas = [(0.5 - kind(x, y, radius)).clamp(0, 1).sum().item() for kind in (disc, square, triangle)]
    assert areas == pytest.approx([math.pi * 64, math.pi * 64, 3 * math.sqrt(3) / 4 * 64], rel=0.02)


def test_validation_leaves_the_test_set_alone() -> None:
    plain, with_validation = load(Data(name="digits")), load(Data(name="digits", validation=0.1))
    assert torch.equal(plain.test.images, with_validation.test.images)
    assert with_validation.validation is not None
    assert len(with_validation.train) + len(with_validation.validation) == len(plain.train)


def test_limit_is_for_quick_tries() -> None:
    splits = load(Data(name="digits", limit=100))
    assert splits.sizes == {"train": 100, "test": 100}
    assert torch.equal(load(Data(name="digits", limit=100)).train.images, splits.train.images)
    assert load(Data(name="digits", limit=10_000)).sizes == load(Data(name="digits")).sizes


def test_split_takes_the_fraction_of_every_class_and_loses_nothing() -> None:
    labels = torch.tensor([0] * 50 + [1] * 10)
    images = Images(torch.arange(60, dtype=torch.uint8).view(60, 1, 1, 1), labels, 2)
    rest, held = held_out(images, 0.2, 0)
    assert held.labels.bincount().tolist() == [10, 2]
    assert sorted(torch.cat([rest.images, held.images]).flatten().tolist()) == list(range(60))


def test_statistics_are_computed() -> None:
    images = torch.randint(0, 256, (40, 3, 5, 5), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    mean, std = Images(images, torch.zeros(40).long(), 1).statistics()
    values = images.double() / 255
    torch.testing.assert_close(mean, values.mean((0, 2, 3)).float())
    torch.testing.assert_close(std, values.std((0, 2, 3), correction=0).float())


@pytest.mark.parametrize("suffix", ["", ".gz"])
@pytest.mark.parametrize("below", ["", "FashionMNIST/raw"])
def test_idx_files(tmp_path: Path, suffix: str, below: str) -> None:
    folder = tmp_path / below
    folder.mkdir(parents=True, exist_ok=True)
    arrays = {}
    for part, count in (("train", 20), ("t10k", 7)):
        arrays[part] = picture(count, (count, 28 * 28), "L").reshape(count, 28, 28)
        write_idx(folder / f"{part}-images-idx3-ubyte{suffix}", arrays[part])
        write_idx(folder / f"{part}-labels-idx1-ubyte{suffix}", np.arange(count, dtype=np.uint8) % 10)
    splits = load(Data(name="fashion-mnist", root=str(tmp_path)))
    assert torch.equal(splits.train.images[:, 0], torch.from_numpy(arrays["train"]))
    assert splits.test.labels.tolist() == [0, 1, 2, 3, 4, 5, 6]
    assert splits.train.shape == DATASETS["fashion-mnist"].shape


def cut_off(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def not_gzip(path: Path) -> None:
    path.write_bytes(b"no such thing")


@pytest.mark.parametrize(
    ("suffix", "damage", "message"),
    [("", cut_off, "cut off: 15596 bytes, 15696 expected"), (".gz", cut_off, "damaged"), (".gz", not_gzip, "damaged"),
     ("", not_gzip, "not an idx file"), ("", Path.unlink, "no train-images-idx3-ubyte")],
)  # fmt: skip
def test_damaged_idx_files(tmp_path: Path, suffix: str, damage: Callable[[Path], None], message: str) -> None:
    path = tmp_path / f"train-images-idx3-ubyte{suffix}"
    write_idx(path, np.zeros((20, 28, 28), np.uint8))
    damage(path)
    with pytest.raises(DataError, match=message) as caught:
        load(Data(name="mnist", root=str(tmp_path)))
    assert str(tmp_path) in str(caught.value)


@pytest.mark.parametrize("columns", [("img", "label"), ("image", "fine_label"), ("photo", "breed")])
def test_parquet(tmp_path: Path, columns: tuple[str, str]) -> None:
    arrays = [picture(k) for k in range(12)]
    write_parquet(tmp_path / "data" / "train-00000.parquet", [png(a) for a in arrays[:5]], [0, 1, 2, 0, 1], columns)
    write_parquet(tmp_path / "data" / "train-00001.parquet", [png(a) for a in arrays[5:9]], [2, 0, 1, 2], columns)
    write_parquet(tmp_path / "data" / "test.parquet", [png(a) for a in arrays[9:]], [0, 1, 2], columns)
    given = {"image_column": "photo", "label_column": "breed"} if columns[0] == "photo" else {}
    splits = load(Data(name="parquet", root=str(tmp_path), **given))
    expected = torch.from_numpy(np.stack(arrays)).permute(0, 3, 1, 2)
    assert torch.equal(splits.train.images, expected[:9]) and torch.equal(splits.test.images, expected[9:])
    assert splits.train.labels.tolist() == [0, 1, 2, 0, 1, 2, 0, 1, 2] and splits.train.classes == 3


def test_one_parquet_file_is_split(tmp_path: Path) -> None:
    write_parquet(tmp_path / "all.parquet", [png(picture(k)) for k in range(20)], [0, 1] * 10)
    splits = load(Data(name="parquet", root=str(tmp_path / "all.parquet")))
    assert (len(splits.train), len(splits.test)) == (16, 4)


def test_cifar10_reads_the_hubs_files(tmp_path: Path) -> None:
    for part in ("train", "test"):
        write_parquet(tmp_path / f"{part}.parquet", [png(picture(k, (32, 32))) for k in range(4)], [0, 1, 2, 9])
    assert load(Data(name="cifar10", root=str(tmp_path))).train.classes == 10
    write_parquet(tmp_path / "train.parquet", [png(picture(0, (32, 32)))], [10])
    with pytest.raises(DataError, match=r"train.parquet row 0: the label is a whole number from 0 below 10, found 10"):
        load(Data(name="cifar10", root=str(tmp_path)))


def test_damaged_image_is_named_by_its_row(tmp_path: Path) -> None:
    images = [png(picture(k)) for k in range(5)]
    images[3] = images[3][:40]
    write_parquet(tmp_path / "train.parquet", images, [0, 1, 0, 1, 0])
    with pytest.raises(DataError, match=r"train.parquet row 3 \(3.png\) is not an image that can be read"):
        load(Data(name="parquet", root=str(tmp_path)))


def test_images_of_different_sizes(tmp_path: Path) -> None:
    images = [png(picture(0, (6, 6))), png(picture(1, (9, 12)))] * 5
    write_parquet(tmp_path / "train.parquet", images, [0, 1] * 5)
    with pytest.raises(DataError, match=r"row 1 .* 9x12 pixels, .* 6x6: set data.image_size"):
        load(Data(name="parquet", root=str(tmp_path)))
    assert load(Data(name="parquet", root=str(tmp_path), image_size=5)).train.shape == (3, 5, 5)


def test_other_troubles_with_parquet(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no parquet file at .*: set data.root"):
        load(Data(name="parquet", root=str(tmp_path)))
    (tmp_path / "train.parquet").write_bytes(b"PAR1 and nothing else")
    with pytest.raises(DataError, match=r"damaged or no parquet file"):
        load(Data(name="parquet", root=str(tmp_path)))
    write_parquet(tmp_path / "train.parquet", [png(picture(0))], [0], ("photo", "label"))
    with pytest.raises(DataError, match=r"no column `img` or `image`, only photo, label: set data.image_column"):
        load(Data(name="parquet", root=str(tmp_path)))


def write_folder(root: Path, mode: str = "RGB") -> None:
    for label, name in enumerate(("cat", "dog")):
        (root / name).mkdir(parents=True)
        for k in range(5):
            Image.fromarray(picture(10 * label + k, mode=mode)).save(root / name / f"{k}.png")


@pytest.mark.parametrize(("mode", "channels"), [("RGB", 3), ("L", 1)])
def test_image_folder_that_is_split(tmp_path: Path, mode: str, channels: int) -> None:
    write_folder(tmp_path, mode)
    (tmp_path / "dog" / "notes.txt").write_text("not an image")
    splits = load(Data(name="image-folder", root=str(tmp_path), classes=2))
    assert splits.train.shape == (channels, 6, 6)
    assert splits.train.labels.bincount().tolist() == [4, 4] and splits.test.labels.bincount().tolist() == [1, 1]


def test_image_folder_with_a_test_set(tmp_path: Path) -> None:
    write_folder(tmp_path / "train")
    write_folder(tmp_path / "val")
    splits = load(Data(name="image-folder", root=str(tmp_path)))
    assert len(splits.train) == len(splits.test) == 10
    write_folder(tmp_path / "val" / "cow")
    with pytest.raises(DataError, match=r"classes that .* lacks: cow"):
        load(Data(name="image-folder", root=str(tmp_path)))


def test_damaged_file_is_named(tmp_path: Path) -> None:
    write_folder(tmp_path)
    (tmp_path / "cat" / "2.png").write_bytes(b"")
    with pytest.raises(DataError, match=r"cat/2.png is not an image"):
        load(Data(name="image-folder", root=str(tmp_path)))


@pytest.mark.parametrize("name", ["mnist", "cifar10", "image-folder", "parquet"])
def test_missing_data_say_how_to_get_them(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError, match=r"data\.root"):
        load(Data(name=name, root=str(tmp_path / "nowhere")))  # type: ignore[arg-type]


def test_count_of_classes_is_compared(tmp_path: Path) -> None:
    write_folder(tmp_path)
    with pytest.raises(DataError, match=r"data.classes is 3, but .* has 2"):
        load(Data(name="image-folder", root=str(tmp_path), classes=3))


def test_images_of_more_than_8_bits_are_refused(tmp_path: Path) -> None:
    write_folder(tmp_path)
    Image.fromarray(np.full((6, 6), 40_000, np.uint16)).save(tmp_path / "cat" / "9.png")
    with pytest.raises(DataError, match=r"cat/9.png .* more than 8 bits a channel"):
        load(Data(name="image-folder", root=str(tmp_path)))
