"""Whether the images of `data` are what the network's input says, as far as it is known beforehand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tdspec.language.augmentation import bind
from tdspec.language.data import DATASETS
from tdspec.report.codes import finding
from tdspec.report.finding import Finding

if TYPE_CHECKING:
    from tdspec.language.spec import Spec


def check_images(spec: Spec) -> Iterator[Finding]:
    """Mistakes in `data.augment`, and a shape of the images that is not `model.input`."""
    if spec.data is None:
        return
    transforms, mistakes = bind(spec.data.augment)
    yield from mistakes
    shape = DATASETS[spec.data.name].shape
    if mistakes or shape is None:
        return
    channels, *size = shape
    side = spec.data.image_size
    for transform in transforms:
        side = transform.arguments.get("size", side)
    found = (channels, *((int(side),) * len(size) if side is not None else size))
    if found != spec.input:
        yield finding(
            "TD202",
            f"`input` is {list(spec.input)}, but the images of `{spec.data.name}` are {list(found)}",
            spec.span("model.input"),
            where="model.input",
            help=f"write `input: {list(found)}`, or choose other data",
        )
