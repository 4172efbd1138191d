"""A U-Net as a graph: levels down, a middle, levels up, and the stack of skips between them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tdspec.graph.builder import GraphBuilder
from tdspec.language.structure import UNet
from tdspec.ops import OPS
from tdspec.report.codes import finding
from tdspec.text.source import Span
from tdspec.text.suggest import nearest
from tdspec.text.syntax import Step

if TYPE_CHECKING:
    from tdspec.graph.wire import Wirer


def wire_unet(wirer: Wirer, builder: GraphBuilder, unet: UNet, entry: str, where: str) -> str:
    """Add the U-Net's nodes; gives the one that leaves it."""
    return _UNet(wirer, builder, unet, where).run(entry)


class _UNet:
    def __init__(self, wirer: Wirer, builder: GraphBuilder, unet: UNet, where: str) -> None:
        from tdspec.graph.wire import Place

        self.wirer, self.builder, self.unet, self.where = wirer, builder, unet, where
        self.place = Place
        self.skips: list[str] = []

    def run(self, entry: str) -> str:
        unet = self.unet
        widths = [unet.width * factor for factor in unet.multipliers]
        end = self._stem(entry)
        self.skips.append(end)
        for level, width in enumerate(widths):
            for index in range(unet.blocks_per_level):
                end = self._block(end, width, f"down_{level}_", last=index == unet.blocks_per_level - 1)
                self.skips.append(end)
            if level < len(widths) - 1:
                end = self._between(end, "down", f"down_{level}_")
                self.skips.append(end)
        if unet.middle is not None:
            end = self.wirer.pipeline(self.builder, unet.middle, (end,), self._at("middle", "middle_"))
        for level in reversed(range(len(widths))):
            for index in range(unet.blocks_per_level + 1):
                joined = self._join(end, self.skips.pop(), f"up_{level}_")
                end = self._block(joined, widths[level], f"up_{level}_", last=index == unet.blocks_per_level)
            if level > 0:
                end = self._between(end, "up", f"up_{level}_")
        return end

    def _at(self, key: str, prefix: str, out: int | None = None):  # type: ignore[no-untyped-def]
        return self.place(f"{self.where}.{key}", prefix=prefix, out=out)

    def _span(self, key: str) -> Span:
        return self.wirer.spec.span(f"{self.where}.{key}")

    def _stem(self, entry: str) -> str:
        if self.unet.stem is not None:
            place = self._at("stem", "", out=self.unet.width)
            return self.wirer.pipeline(self.builder, self.unet.stem, (entry,), place)
        step = Step("Conv", None, (), 1, self._span("width"), self._span("width"))
        return self.wirer.op_use(self.builder, OPS["Conv"], step, (entry,), self._at("width", ""), self.unet.width).name

    def _block(self, entry: str, width: int, prefix: str, *, last: bool) -> str:
        """The level's block, and the attention behind it where the map has one of its sizes."""
        end = self._use(self.unet.block, entry, width, "block", prefix)
        attention = self.unet.attention
        shape = self.builder.shape(end)
        if attention is None or shape is None or not shape.spatial or shape.spatial[0] not in attention.at:
            return end
        if attention.after == "last" and not last:
            return end
        return self._use(attention.block, end, shape.channels, "attention.block", prefix)

    def _use(self, name: str, entry: str, width: int, key: str, prefix: str) -> str:
        span = self._span(key)
        step = Step(name, None, (), 1, span, span)
        block = self.wirer.spec.document.blocks.get(name)
        place = self._at(key, prefix)
        if block is None:
            near = nearest(name, tuple(self.wirer.spec.document.blocks))
            self.wirer.report([
                finding("TD030", f"there is no block `{name}`", span, where=place.where, help=f"did you mean `{near}`?" if near else "")
            ])  # fmt: skip
            return self.wirer.unknown(self.builder, name, (entry,), span, place).name
        return self.wirer.block_use(self.builder, step, block, (entry,), place, out=width).name

    def _between(self, entry: str, key: str, prefix: str) -> str:
        """The pipeline between two levels, which must halve the map or double it."""
        pipeline = self.unet.down if key == "down" else self.unet.up
        end = self.wirer.pipeline(self.builder, pipeline, (entry,), self._at(key, prefix))
        before, after = self.builder.shape(entry), self.builder.shape(end)
        if before is None or after is None:
            return end
        halves = [(a, b) if key == "down" else (b, a) for a, b in zip(before.spatial, after.spatial, strict=False)]
        if any(large != 2 * small for large, small in halves):
            does = "halve" if key == "down" else "double"
            self.wirer.report([
                finding(
                    "TD203", f"`{key}` should {does} the map, but makes {after} of {before}", pipeline.span,
                    where=f"{self.where}.{key}",
                    help="sizes must divide by 2 once per level; use fewer levels or another input size",
                )
            ])  # fmt: skip
        return end

    def _join(self, entry: str, skip: str, prefix: str) -> str:
        span = self._span("block")
        step = Step("Concat", None, (), 1, span, span)
        return self.wirer.op_use(self.builder, OPS["Concat"], step, (entry, skip), self._at("block", prefix)).name
