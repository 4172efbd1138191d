"""The pyramids of a U-Net as nodes: one map for each level, joined to the level where it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tdspec.graph.builder import GraphBuilder
from tdspec.graph.place import Place
from tdspec.graph.wire_op import op_node
from tdspec.graph.wire_sum import wire_sum
from tdspec.language.pyramid import InputPyramid, OutputPyramid, ResidualInput, ResidualOutput, SkipInput, SkipOutput
from tdspec.ops import OPS
from tdspec.text.syntax import Expression, Pipeline, Step

if TYPE_CHECKING:
    from tdspec.graph.wirer import Wirer

SIZES = {"down": "halve the map, as `[Down(fir)]` does", "up": "double the map, as `[Up(fir)]` does"}
TO_LEVEL = "it has to end in the level's channels, to which a convolution without a width goes"
UNPROJECTED = "add `project: [Conv1x1]`, or write `join: concat`"
TO_IMAGE = "all levels have to give the same channels: write the width, as in `[GN–Act–Conv(3)]`"


class Pyramid:
    """One pyramid while it is wired.

    where  dotted path of its section
    top    the node that holds its last map; on the way up None before the first level
    """

    def __init__(self, wirer: Wirer, builder: GraphBuilder, where: str, top: str | None = None) -> None:
        self.wirer, self.builder, self.where, self.top = wirer, builder, where, top

    def enter(self, section: InputPyramid, end: str, prefix: str) -> str:
        """Go one level down: what leaves the level's `down`, joined with the pyramid's next map."""
        assert self.top is not None
        match section:
            case ResidualInput():
                side = self.step("down", section.down, self.top, end, prefix, to_level=True)
                self.top = self.sum("down", section.down, side, end, prefix, TO_LEVEL, section.scale)
                return self.top
            case SkipInput():
                side = self.top = self.step("down", section.down, self.top, end, prefix)
                if section.project is not None:
                    side = self.step("project", section.project, side, end, prefix, to_level=True)
                if section.join == "concat":
                    return self.concat(side, end, prefix)
                if section.project is None:
                    return self.sum("down", section.down, side, end, prefix, UNPROJECTED)
                return self.sum("project", section.project, side, end, prefix, TO_LEVEL)

    def leave(self, section: OutputPyramid, end: str, prefix: str) -> str:
        """Go on from one level, before its `up`: what leaves the level, and the pyramid's next map as `top`."""
        match section:
            case ResidualOutput():
                if self.top is None:
                    self.top = self.step("start", section.start, end, end, prefix, to_level=True)
                    return end
                side = self.step("up", section.up, self.top, end, prefix, to_level=True)
                self.top = self.sum("up", section.up, side, end, prefix, TO_LEVEL, section.scale)
                return self.top
            case SkipOutput():
                below = self.step("up", section.up, self.top, end, prefix) if self.top is not None else None
                self.top = self.step("project", section.project, end, end, prefix, head=True)
                if below is not None:
                    self.top = self.sum("project", section.project, below, self.top, prefix, TO_IMAGE)
                return end

    def step(
        self, key: str, pipeline: Pipeline, entry: str, level: str, prefix: str, *, to_level: bool = False,
        head: bool = False,
    ) -> str:  # fmt: skip
        """A pipeline of the pyramid, whose map has to be as large as the level's.

        to_level  whether its first convolution goes to the level's channels
        head      whether its weights are those of a head
        """
        shape = self.builder.shape(level)
        width = shape.channels if shape is not None and to_level else None
        apart = "" if key in SIZES else f"{key}_"
        prefix = f"{prefix}pyramid_{apart}"
        place = Place(f"{self.where}.{key}", {}, width, "head" if head else "operand", prefix=prefix)
        end = self.wirer.pipeline(self.builder, pipeline, (entry,), place)
        found = self.builder.shape(end)
        if shape is None or found is None or found.spatial == shape.spatial:
            return end
        message = f"`{key}` of the pyramid makes {found}, where the level is {shape}"
        help_ = f"it has to {SIZES.get(key, 'keep the size of the map')}"
        self.wirer.say("TD203", message, pipeline.span, place.where, help=help_)
        return self.wirer.unknown(self.builder, key, (end,), pipeline.span, place).name

    def sum(
        self, key: str, pipeline: Pipeline, side: str, end: str, prefix: str, help: str, scale: Expression | None = None
    ) -> str:
        place = Place(f"{self.where}.{key}", prefix=f"{prefix}pyramid_")
        return wire_sum(self.wirer, self.builder, side, end, scale, place, pipeline.span, help)

    def concat(self, side: str, end: str, prefix: str) -> str:
        span = self.wirer.spec.span(f"{self.where}.join")
        place = Place(f"{self.where}.join", prefix=f"{prefix}pyramid_")
        step = Step("Concat", None, (), 1, span, span)
        return op_node(self.wirer, self.builder, OPS["Concat"], step, (side, end), place).name
