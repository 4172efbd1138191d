"""Anchors and aliases: `&name` marks a value and `*name` stands for it again.

An alias shares its node, so a file that doubles itself thirty times costs nothing to read, and a
billion steps to check: what all aliases stand for is counted, and bounded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tdspec.report.codes import finding
from tdspec.text.suggest import shorten

if TYPE_CHECKING:
    from tdspec.report.finding import Finding
    from tdspec.text.source import Span
    from tdspec.text.yaml_node import Node

MOST = 10_000
"""Nodes that all aliases of a file together may stand for."""


class BadAlias(Exception):
    """An alias that stands for nothing, for too much, or for itself."""

    def __init__(self, finding: Finding) -> None:
        self.finding = finding
        super().__init__(finding.message)


class Anchors:
    """The marked nodes so far, each with its size in nodes; None while the node is still open."""

    def __init__(self) -> None:
        self.known: dict[str, tuple[Node, int] | None] = {}
        self.expanded = 0

    def open(self, name: str) -> None:
        self.known[name] = None

    def close(self, name: str, node: Node, size: int) -> None:
        self.known[name] = (node, size)

    def resolve(self, name: str, span: Span) -> tuple[Node, int]:
        """The node that an alias at `span` stands for, and its size; raises `BadAlias`."""
        word = shorten(name)
        if name not in self.known:
            raise BadAlias(
                finding(
                    "TD002",
                    f"`*{word}` is a YAML alias, and nothing before it is marked `&{word}`",
                    span,
                    caption="a word that begins with `*`",
                    help="a repeat stands behind its step, `Block*4`; quote a text that begins with `*`",
                )
            )
        known = self.known[name]
        if known is None:
            raise BadAlias(
                finding(
                    "TD005",
                    f"`*{word}` stands inside the value that it repeats, which so would never end",
                    span,
                    help="write the value again, or move it out",
                )
            )
        self.expanded += known[1]
        if self.expanded > MOST:
            raise BadAlias(
                finding(
                    "TD005",
                    f"aliases stand for at most {MOST:,} values; with `*{word}` they pass that",
                    span,
                    help="write a block once and repeat it, `[Block*8]`",
                )
            )
        return known
