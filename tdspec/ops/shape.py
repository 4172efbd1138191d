"""Shapes with a symbolic batch: `f32[B,64,8,8]` is 64 channels on an 8x8 map."""

from __future__ import annotations

from math import prod
from typing import NamedTuple


class Shape(NamedTuple):
    """Channels and spatial extents of a tensor; the batch axis B is understood.

    `Shape(64, (8, 8))` is a map, `Shape(10, ())` a vector per sample.
    """

    channels: int
    spatial: tuple[int, ...] = ()

    @property
    def positions(self) -> int:
        """Number of spatial positions; 1 for a vector."""
        return prod(self.spatial)

    @property
    def elements(self) -> int:
        """Numbers per sample."""
        return self.channels * self.positions

    def __str__(self) -> str:
        return f"f32[{','.join(['B', str(self.channels), *map(str, self.spatial)])}]"


class ShapeError(Exception):
    """An op cannot take the shapes it is given.

    code      of the shape family, TD2xx
    argument  name of the argument to point at, or None for the step
    shape     what would leave the op all the same, where that is clear, so that checking goes on
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        argument: str | None = None,
        help: str = "",
        shape: Shape | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.argument = argument
        self.help = help
        self.shape = shape
