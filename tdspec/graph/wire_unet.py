"""A U-Net as a graph: levels down, a middle, levels up, the stack of skips between them, and pyramids beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tdspec.graph.builder import GraphBuilder
from tdspec.graph.keys import conflict
from tdspec.graph.place import Place
from tdspec.graph.wire_block import block_node
from tdspec.graph.wire_op import op_node
from tdspec.graph.wire_pyramid import Pyramid
from tdspec.language.structure import UNet
from tdspec.ops import OPS
from tdspec.text.suggest import nearest
from tdspec.text.syntax import Step

if TYPE_CHECKING:
    from tdspec.graph.wirer import Wirer


def wire_unet(wirer: Wirer, builder: GraphBuilder, unet: UNet, entry: str, where: str) -> str:
    """Add the U-Net's nodes; gives the one that leaves it."""
    return _UNet(wirer, builder, unet, where).run(entry)


class _UNet:
    def __init__(self, wirer: Wirer, builder: GraphBuilder, unet: UNet, where: str) -> None:
        self.wirer, self.builder, self.unet, self.where = wirer, builder, unet, where
        self.skips: list[str] = []
        self.sizes: dict[int | None, None] = {}  # of the levels' maps, in their order; None for one that is not known

    def run(self, entry: str) -> str:
        unet = self.unet
        widths = [unet.width * factor for factor in unet.multipliers]
        entering, leaving = self.pyramids(entry)
        end = self.stem(entry)
        self.skips.append(end)
        for level, width in enumerate(widths):
            for index in range(unet.blocks_per_level):
                end = self.block(end, width, f"down_{level}_", last=index == unet.blocks_per_level - 1)
                self.skips.append(end)
            if level < len(widths) - 1:
                end = self.between(end, "down", f"down_{level}_")
                if unet.input_pyramid is not None:
                    end = entering.enter(unet.input_pyramid, end, f"down_{level}_")
                self.skips.append(end)
        if unet.middle is not None:
            end = self.wirer.pipeline(self.builder, unet.middle, (end,), self.at("middle", "middle_"))
        for level in reversed(range(len(widths))):
            for index in range(unet.blocks_per_level + 1):
                joined = self.implied("Concat", (end, self.skips.pop()), "block", f"up_{level}_")
                end = self.block(joined, widths[level], f"up_{level}_", last=index == unet.blocks_per_level)
            if unet.output_pyramid is not None:
                end = leaving.leave(unet.output_pyramid, end, f"up_{level}_")
            if level > 0:
                end = self.between(end, "up", f"up_{level}_")
        self.check_attention()
        return leaving.top or end

    def check_attention(self) -> None:
        """Report sizes at which attention should be, but no level is."""
        attention = self.unet.attention
        known = [size for size in self.sizes if size is not None]
        if attention is None or len(known) < len(self.sizes):
            return
        where = f"{self.where}.attention.at"
        for size in attention.at:
            if size not in known:
                message = f"no level has maps of {size}, so that nothing attends there"
                help_ = f"the levels have {', '.join(map(str, known))}"
                self.wirer.say("TD024", message, self.wirer.spec.span(where), where, help=help_)

    def pyramids(self, entry: str) -> tuple[Pyramid, Pyramid]:
        """Of the way down, which starts with what enters the U-Net, and of the way up."""
        for key in ("input_pyramid", "output_pyramid"):
            if getattr(self.unet, key) is not None and len(self.unet.multipliers) == 1:
                message = f"`{key}` means nothing in a U-Net of one level"
                help_ = f"give `multipliers` more levels, or remove `{key}`"
                conflict(self.wirer, self.where, "multipliers", key, message, help_)
        entering = Pyramid(self.wirer, self.builder, f"{self.where}.input_pyramid", entry)
        return entering, Pyramid(self.wirer, self.builder, f"{self.where}.output_pyramid")

    def at(self, key: str, prefix: str = "") -> Place:
        return Place(f"{self.where}.{key}", prefix=prefix)

    def stem(self, entry: str) -> str:
        if self.unet.stem is None:
            return self.implied("Conv", (entry,), "width", "", width=self.unet.width)
        place = Place(f"{self.where}.stem", out=self.unet.width)
        return self.wirer.pipeline(self.builder, self.unet.stem, (entry,), place)

    def implied(self, name: str, inputs: tuple[str, ...], key: str, prefix: str, *, width: int | None = None) -> str:
        """An op that the U-Net implies, at the key that implies it."""
        span = self.wirer.spec.span(f"{self.where}.{key}")
        step = Step(name, None, (), 1, span, span)
        return op_node(self.wirer, self.builder, OPS[name], step, inputs, self.at(key, prefix), width=width).name

    def block(self, entry: str, width: int, prefix: str, *, last: bool) -> str:
        """The level's block, and the attention behind it where the map has one of its sizes."""
        end = self.use(self.unet.block, entry, width, "block", prefix)
        attention = self.unet.attention
        shape = self.builder.shape(end)
        self.sizes[shape.spatial[0] if shape is not None and shape.spatial else None] = None
        if attention is None or shape is None or not shape.spatial or shape.spatial[0] not in attention.at:
            return end
        after = attention.after if prefix.startswith("down") else attention.up or attention.after
        if after == "last" and not last:
            return end
        return self.use(attention.block, end, shape.channels, "attention.block", prefix)

    def use(self, name: str, entry: str, width: int, key: str, prefix: str) -> str:
        """A use of a block that a key names."""
        span = self.wirer.spec.span(f"{self.where}.{key}")
        place = self.at(key, prefix)
        blocks = self.wirer.spec.document.blocks
        if name not in blocks:
            near = nearest(name, tuple(blocks))
            help_ = f"did you mean `{near}`?" if near else ""
            self.wirer.say("TD030", f"there is no block `{name}`", span, place.where, help=help_)
            return self.wirer.unknown(self.builder, name, (entry,), span, place).name
        step = Step(name, None, (), 1, span, span)
        return block_node(self.wirer, self.builder, step, blocks[name], (entry,), place, out=width, name=None).name

    def between(self, entry: str, key: str, prefix: str) -> str:
        """The pipeline between two levels, which must halve the map or double it."""
        pipeline = self.unet.down if key == "down" else self.unet.up
        end = self.wirer.pipeline(self.builder, pipeline, (entry,), self.at(key, prefix))
        before, after = self.builder.shape(entry), self.builder.shape(end)
        if before is None or after is None:
            return end
        large, small = (before, after) if key == "down" else (after, before)
        if large.spatial != tuple(2 * extent for extent in small.spatial):
            does = "halve" if key == "down" else "double"
            help_ = "sizes must divide by 2 once per level; use fewer levels or another input size"
            message = f"`{key}` should {does} the map, but makes {after} of {before}"
            self.wirer.say("TD203", message, pipeline.span, f"{self.where}.{key}", help=help_)
        return end
