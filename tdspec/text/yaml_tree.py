"""From a YAML text to its tree: mappings, sequences and scalars, each with its span.

Built in one pass over PyYAML's events (libyaml's parser where it is there), never from its loaded
values: so a flow sequence keeps the text of an unquoted pipeline, scalars follow YAML 1.2, and
duplicate keys, nesting and aliases are met, with their places, before anything grows.
"""

from __future__ import annotations

import gc
import re
from typing import TYPE_CHECKING, Any

import yaml

from tdspec.report.codes import finding
from tdspec.text.source import Source, Span
from tdspec.text.suggest import shorten
from tdspec.text.yaml_alias import Anchors, BadAlias
from tdspec.text.yaml_fault import unreadable_character
from tdspec.text.yaml_keys import checked_entries, unfit_key
from tdspec.text.yaml_node import Entry, Mapping, Node, Scalar, Sequence
from tdspec.text.yaml_scalar import plain_value
from tdspec.text.yaml_syntax import explain_syntax

if TYPE_CHECKING:
    from tdspec.report.finding import Finding, Report

__all__ = ["Entry", "Mapping", "Node", "Scalar", "Sequence", "parse_yaml"]

DEEPEST = 100
"""Levels of nesting. Real specs have six; beyond some thousands, parsers get slow or crash."""

MOST_NODES = 200_000
MOST_REPEATED = 100

LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

# What may stand before a node: `&anchor` and `!tag`, then blanks and comments.
PROPERTIES = re.compile(r"(?:[&!]\S*(?:\s|#[^\n]*\n)*)+")
TAG = re.compile(r"(?:^|\s)(!\S*)")


def parse_yaml(source: Source, report: Report) -> Mapping | None:
    """The one mapping that a spec is; None where the text is no such thing, which the report says.

    After duplicate keys there still is a tree, with the first of them; after any other finding none.
    """
    unreadable = unreadable_character(source)
    if unreadable is not None:
        report.add(unreadable)
        return None
    collecting = gc.isenabled()
    gc.disable()  # many small objects that all stay: a collection meanwhile finds nothing
    try:
        return _Builder(source, report).build()
    finally:
        if collecting:
            gc.enable()


class _Stop(Exception):
    """What has been reported makes the rest meaningless."""


class _Open:
    """A sequence or a mapping that is not yet at its end; `key` waits for its value."""

    __slots__ = ("anchor", "end", "entries", "flow", "is_mapping", "items", "key", "size", "start")

    def __init__(self, start: int, flow: bool, anchor: str | None, is_mapping: bool) -> None:
        self.start = self.end = start
        self.flow = flow
        self.anchor = anchor
        self.is_mapping = is_mapping
        self.items: list[Node] = []
        self.entries: list[Entry] = []
        self.key: Scalar | None = None
        self.size = 1


class _Builder:
    """Turns events into nodes, one method for each kind of event."""

    def __init__(self, source: Source, report: Report) -> None:
        self.source = source
        self.report = report
        self.usable = True
        self.root: Node | None = None
        self.open: list[_Open] = []
        self.anchors = Anchors()
        self.nodes = self.repeated = self.documents = 0
        # The loaders do not agree on whether a byte order mark counts; in the source it does.
        self.shift = 1 if source.text.startswith("\ufeff") else 0

    def build(self) -> Mapping | None:
        loader = LOADER(self.source.text[self.shift :])
        handlers = {
            yaml.ScalarEvent: self.scalar,
            yaml.SequenceStartEvent: self.begin,
            yaml.MappingStartEvent: self.begin,
            yaml.SequenceEndEvent: self.finish,
            yaml.MappingEndEvent: self.finish,
            yaml.AliasEvent: self.alias,
            yaml.DocumentStartEvent: self.document,
        }
        get_event, skip = loader.get_event, lambda event: None
        try:
            while (event := get_event()) is not None:
                handlers.get(type(event), skip)(event)
        except yaml.YAMLError as error:
            self.report.add(explain_syntax(error, self.source, self.shift))
            return None
        except _Stop:
            return None
        finally:
            loader.dispose()
        if isinstance(self.root, Mapping):
            return self.root if self.usable else None
        self.not_a_spec()
        return None

    def document(self, event: Any) -> None:
        self.documents += 1
        if self.documents > 1:
            self.fail(
                "TD008",
                "a file holds one spec, and here a second YAML document begins",
                self.span(event),
                help="put it into a file of its own",
            )
            raise _Stop

    def scalar(self, event: Any) -> None:
        self.count(event)
        start, end = event.start_mark.index + self.shift, event.end_mark.index + self.shift
        anchor, style = event.anchor, event.style
        if anchor is not None or event.tag is not None:
            start = self.behind_properties(event, start, end)
        span = Span(self.source, start, end)
        if style is None or style == "":  # the pure loader says None
            top = self.open[-1] if self.open else None
            is_key = top is not None and top.is_mapping and top.key is None
            node = Scalar(span, event.value if is_key else plain_value(event.value), "plain")
        else:
            node = Scalar(span, event.value, "quoted" if style in "'\"" else "block")
        if anchor is not None:
            self.anchors.close(anchor, node, 1)
        self.attach(node, 1, end)

    def begin(self, event: Any) -> None:
        self.count(event)
        start, anchor = event.start_mark.index + self.shift, event.anchor
        if len(self.open) == DEEPEST:
            self.fail(
                "TD004",
                f"a spec nests at most {DEEPEST} levels deep, and here begins one more",
                Span(self.source, start, start + 1),
                help="is a bracket left open?",
            )
            raise _Stop
        if anchor is not None or event.tag is not None:
            start = self.behind_properties(event, start, len(self.source.text))
            if anchor is not None:
                self.anchors.open(anchor)
        is_mapping = type(event) is yaml.MappingStartEvent
        self.open.append(_Open(start, bool(event.flow_style), anchor, is_mapping))

    def finish(self, event: Any) -> None:
        done = self.open.pop()
        # A block collection ends, for YAML, where the next token begins: behind blank lines.
        end = event.end_mark.index + self.shift if done.flow else done.end
        span = Span(self.source, done.start, end)
        node: Node
        if done.is_mapping:
            entries, found = checked_entries(done.entries, done.flow)
            self.collect(found)
            node = Mapping(span, tuple(entries), done.flow)
        else:
            node = Sequence(span, tuple(done.items), done.flow)
        if done.anchor is not None:
            self.anchors.close(done.anchor, node, done.size)
        self.attach(node, done.size, end)

    def alias(self, event: Any) -> None:
        span = self.span(event)
        try:
            node, size = self.anchors.resolve(event.anchor, span)
        except BadAlias as error:
            self.refuse(error.finding)
            if error.finding.code == "TD005":
                raise _Stop from None
            node, size = Scalar(span, span.text, "plain"), 1
        self.attach(node, size, span.end)

    # What the methods above share.

    def attach(self, node: Node, size: int, end: int) -> None:
        """Put a finished node where it belongs; `end` is the offset behind it."""
        if not self.open:
            self.root = node
            return
        top = self.open[-1]
        top.size += size
        top.end = end
        if not top.is_mapping:
            top.items.append(node)
        elif top.key is None:
            top.key = self.as_key(node)
        else:
            top.entries.append(Entry(top.key, node))
            top.key = None

    def as_key(self, node: Node) -> Scalar:
        found = unfit_key(node)
        if found is not None:
            self.refuse(found)
        return node if isinstance(node, Scalar) else Scalar(node.span, "", "plain")

    def behind_properties(self, event: Any, start: int, end: int) -> int:
        """Where a node itself begins, behind its anchor and tag; a tag is a mistake."""
        text = self.source.text
        match = PROPERTIES.match(text, start, end)
        behind = match.end() if match is not None else start
        tag = TAG.search(text[start:behind])
        if event.tag is not None and tag is not None:
            span = Span(self.source, start + tag.start(1), start + tag.end(1))
            self.fail(
                "TD002",
                f"`{shorten(tag[1])}` is a YAML tag, and a spec has none",
                span,
                help="leave it out, or put quotes around a text that begins with `!`",
            )
        return behind

    def count(self, event: Any) -> None:
        self.nodes += 1
        if self.nodes > MOST_NODES:
            message = f"a spec has at most {MOST_NODES:,} keys and values, and here begins one more"
            self.fail("TD007", message, self.span(event), help="is this a data file? Give the path of the spec")
            raise _Stop

    def not_a_spec(self) -> None:
        if self.root is None or (isinstance(self.root, Scalar) and self.root.value is None):
            message, span = "a spec was expected, and the file is empty", Span(self.source, 0, 0)
        else:
            kind = "a list" if isinstance(self.root, Sequence) else "a single text"
            message, span = f"a spec is a mapping of keys to values, found {kind}", self.root.span
        self.fail("TD008", message, span, help="a spec begins with `tdspec: 1` and has a `model:`")

    def collect(self, found: list[Finding]) -> None:
        """Report what is wrong with keys. Of a repeated one the first stays, a cut value is whole again."""
        for each in found:
            if each.code == "TD002":
                self.refuse(each)
            elif self.repeated < MOST_REPEATED:
                self.repeated += 1
                self.report.add(each)

    def refuse(self, found: Finding) -> None:
        self.usable = False
        self.report.add(found)

    def fail(self, code: str, message: str, span: Span, **more: Any) -> None:
        self.refuse(finding(code, message, span, **more))

    def span(self, event: Any) -> Span:
        return Span(self.source, event.start_mark.index + self.shift, event.end_mark.index + self.shift)
