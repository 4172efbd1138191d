"""Pyramids of a U-Net: the image at the size of every level, on the way in and on the way out.

Source: arXiv 1912.04958 (StyleGAN2), section 4.1; in U-Nets arXiv 2011.13456, appendix H. `score_sde` calls them
`progressive_input` and `progressive`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, Union

from tdspec.language.fields import option
from tdspec.text.syntax import Expression, Pipeline

SCALE = "Factor on each sum, such as `1/sqrt(2)`."


@dataclass(frozen=True)
class SkipInput:
    """What enters the U-Net, made smaller from level to level and joined to each behind its `down`."""

    kind: ClassVar[str] = "skip"

    down: Pipeline = option(doc="Pipeline from one map of the pyramid to the next.", examples=("[Down(fir)]",))
    project: Union[Pipeline, None] = option(
        None,
        "Pipeline from a map of the pyramid to what is joined; its first convolution goes to the level's channels.",
        examples=("[Conv1x1]",),
    )
    join: Literal["sum", "concat"] = option("sum", "Whether the two are added, or their channels joined.")


@dataclass(frozen=True)
class ResidualInput:
    """What enters the U-Net, made smaller and added to each level behind its `down`; the sum goes on as the pyramid."""

    kind: ClassVar[str] = "residual"

    down: Pipeline = option(
        doc="Pipeline from one map of the pyramid to the next; its first convolution goes to the level's channels.",
        examples=("[Blur–Conv(stride=2, padding=0)]",),
    )
    scale: Union[Expression, None] = option(None, SCALE)


@dataclass(frozen=True)
class SkipOutput:
    """An image of every level on the way up, each added to the one below made larger; their sum leaves the U-Net."""

    kind: ClassVar[str] = "skip"

    project: Pipeline = option(doc="Pipeline from a level to its image.", examples=("[GN–Act–Conv(3, init=zeros)]",))
    up: Pipeline = option(doc="Pipeline from one image of the pyramid to the next.", examples=("[Up(fir)]",))


@dataclass(frozen=True)
class ResidualOutput:
    """A pyramid that starts at the smallest level, is made larger and added to each level above; the sum goes on as
    both."""

    kind: ClassVar[str] = "residual"

    start: Pipeline = option(doc="Pipeline from the smallest level to the pyramid.", examples=("[GN–Act–Conv]",))
    up: Pipeline = option(
        doc="Pipeline from one map of the pyramid to the next; its first convolution goes to the level's channels.",
        examples=("[Up(fir)–Conv]",),
    )
    scale: Union[Expression, None] = option(None, SCALE)


InputPyramid = SkipInput | ResidualInput
OutputPyramid = SkipOutput | ResidualOutput
