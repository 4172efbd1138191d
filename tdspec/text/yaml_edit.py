"""Edits of a YAML mapping: a key set, a key taken out. The tree may be merged of several files; edits are of one.

What cannot be edited without doubt, an anchor's value or a mapping that a setting has touched, is left
alone: the functions give None, or an edit that does not hold when it is tried.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence

from tdspec.report.fix import Edit
from tdspec.text.source import Source, Span
from tdspec.text.yaml_node import Entry, Mapping, Node, Scalar


def set_key(tree: Mapping, source: Source, path: Sequence[str], text: str) -> Edit | None:
    """The value of a dotted path, in the file that `source` is; missing mappings are made."""
    node: Node = tree
    for depth, key in enumerate(path):
        if not isinstance(node, Mapping) or node.span.source is not source:
            return None
        entries = _written(node, source)
        entry = next((entry for entry in entries if entry.key.value == key), None)
        if entry is None:
            return _insert(node, entries, path[depth:], text) if entries else None
        node = entry.value
    return Edit(node.span, text) if isinstance(node, Scalar) and node.span.source is source else None


def _insert(mapping: Mapping, entries: list[Entry], path: Sequence[str], text: str) -> Edit | None:
    """A key behind the last one of a mapping; at the top, before the sections that describe the network."""
    source = mapping.span.source
    if not _follows(entries[-1]):
        return None
    *above, key = path
    quote: Callable[[str], str] = str
    if mapping.flow and entries[-1].key.span.text.startswith('"'):  # JSON stays JSON
        quote = json.dumps
        text = text if re.fullmatch(r"[-+.\deE]+|true|false|null", text) else json.dumps(text, ensure_ascii=False)
    inner = f"{quote(key)}: {text}"
    for outer in reversed(above):
        inner = f"{quote(outer)}: {{{inner}}}"
    if mapping.flow:
        return Edit(_point(source, entries[-1].value.span.end), f", {inner}")
    indent = _indent(source, entries[0].key.span)
    if indent is None:
        return None
    later = next((entry for entry in entries if entry.key.value in ("time", "blocks", "model")), None)
    if later is not None and not indent:
        return Edit(_point(source, _above_comments(source, later.key.span.start)), f"{inner}\n")
    end = _line_end(source, len(source.text[: entries[-1].value.span.end].rstrip()))
    return Edit(_point(source, end), f"\n{indent}{inner}")


def drop_entry(mapping: Mapping, key: Scalar) -> Edit | None:
    """A mapping without one of its entries; a comment behind it stays."""
    source = key.span.source
    entries = _written(mapping, source)
    index = next((at for at, entry in enumerate(entries) if entry.key is key), None)
    if index is None or not all(map(_follows, entries)):
        return None
    end = entries[index].value.span.end
    if mapping.flow:
        if index + 1 < len(entries):
            return Edit(Span(source, key.span.start, entries[index + 1].key.span.start), "")
        start = entries[index - 1].value.span.end if index else key.span.start
        return Edit(Span(source, start, end), "")
    if _indent(source, key.span) is None:
        return None
    end = len(source.text[:end].rstrip())
    line_end = _line_end(source, end)
    if source.text[end:line_end].strip():
        behind = end + len(source.text[end:line_end]) - len(source.text[end:line_end].lstrip())
        return Edit(Span(source, key.span.start, behind), "")
    start = source.text.rfind("\n", 0, key.span.start) + 1
    behind = source.text.find("\n", line_end) + 1
    if behind == 0:  # the last line of a file without a line break at its end
        start, behind = _line_end(source, max(start - 1, 0)), len(source.text)
    return Edit(Span(source, start, behind), "")


def drop_last(owner: Mapping, key: Scalar, inner: Scalar) -> Edit | None:
    """The mapping under a key without one of its entries; if that is its only one, without the mapping."""
    mapping = owner.get(str(key.value))
    assert isinstance(mapping, Mapping)
    others = len(_written(mapping, inner.span.source)) > 1
    return drop_entry(mapping, inner) if others else drop_entry(owner, key)


def _written(mapping: Mapping, source: Source) -> list[Entry]:
    """The entries that stand in this file, in its order."""
    entries = [entry for entry in mapping.entries if entry.key.span.source is source]
    return sorted(entries, key=lambda entry: entry.key.span.start)


def _follows(entry: Entry) -> bool:
    """Whether a value stands behind its key; that of an alias stands elsewhere."""
    return entry.value.span.source is entry.key.span.source and entry.value.span.start >= entry.key.span.end


def _indent(source: Source, key: Span) -> str | None:
    """The blanks before a key, if nothing else stands there."""
    before = source.text[source.text.rfind("\n", 0, key.start) + 1 : key.start]
    return before if not before.strip(" ") else None


def _line_end(source: Source, offset: int) -> int:
    """Where the line of an offset ends, without its line break."""
    end = source.text.find("\n", offset)
    end = len(source.text) if end == -1 else end
    return end - 1 if source.text[offset:end].endswith("\r") else end


def _above_comments(source: Source, offset: int) -> int:
    """The start of a line, or of the comments right above it, which belong to it; not the head of the file."""
    line = start = source.text.rfind("\n", 0, offset) + 1
    while start:
        above = source.text.rfind("\n", 0, start - 1) + 1
        if not source.text[above:start].startswith("#"):
            return start
        start = above
    return line


def _point(source: Source, offset: int) -> Span:
    return Span(source, offset, offset)
