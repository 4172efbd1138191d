"""One spec on top of another: `extends`, variants and `--set`.

Trees are merged before anything is checked, and every node keeps its own span: the origin of a
value is where its text stands, be it a base file, the spec, or the command line.
Mappings merge, lists and pipelines replace, null deletes, a changed `kind` replaces its mapping.
"""

from __future__ import annotations

import os.path
from collections.abc import Callable, Iterable

from tdspec.language.instance import key_of
from tdspec.report.codes import finding
from tdspec.report.finding import Label, Report
from tdspec.text.read import read_source
from tdspec.text.source import Source, Span
from tdspec.text.yaml_node import Entry, Mapping, Node, Scalar
from tdspec.text.yaml_tree import parse_yaml

DEEPEST = 20

Read = Callable[[str, Report], Source | None]


def merge(base: Mapping, over: Mapping) -> Mapping:
    """`over` on top of `base`; the result has the span of `over`."""
    kind, other = base.get("kind"), over.get("kind")
    if isinstance(kind, Scalar) and isinstance(other, Scalar) and kind.value != other.value:
        return over
    entries = {key_of(entry.key): entry for entry in base.entries}
    for entry in over.entries:
        name = key_of(entry.key)
        below = entries.get(name)
        if isinstance(entry.value, Scalar) and entry.value.value is None and below is not None:
            del entries[name]
        elif below is not None and isinstance(below.value, Mapping) and isinstance(entry.value, Mapping):
            entries[name] = Entry(entry.key, merge(below.value, entry.value))
        else:
            entries[name] = entry
    return Mapping(over.span, tuple(entries.values()), over.flow)


def extended(tree: Mapping, report: Report, above: tuple[str, ...] = (), *, read: Read = read_source) -> Mapping:
    """The tree with what it `extends` merged below it, all the way down.

    read  gives the source of a path; another than the file's own text is tried so
    """
    given = tree.get("extends")
    if not isinstance(given, Scalar) or not isinstance(given.value, str):
        return tree
    span = given.span
    here = span.source.name
    folder = "" if here.startswith("<") else os.path.dirname(here)
    path = os.path.normpath(os.path.join(folder, given.value))
    above = (*above, os.path.realpath(here))
    if os.path.realpath(path) in above or len(above) > DEEPEST:
        report.add(
            finding(
                "TD035",
                f"`extends` comes back to `{path}`",
                span,
                where="extends",
                help="break the circle of files",
            )
        )
        return tree
    reading = Report()
    source = read(path, reading)
    base = parse_yaml(source, reading) if source is not None else None
    if not isinstance(base, Mapping):
        why = reading.findings[0].message if reading.findings else "it holds no mapping"
        labels = tuple(Label(found.span, found.message) for found in reading.findings[:1] if found.span is not None)
        report.add(
            finding(
                "TD035", f"`{given.value}` cannot be read: {why}", span, where="extends", labels=labels,
                help="the path is taken from the folder of the file that extends",
            )
        )  # fmt: skip
        return tree
    return merge(extended(base, report, above, read=read), tree)


def overridden(tree: Mapping, settings: Iterable[str], report: Report) -> Mapping:
    """The tree with `train.optimizer.lr=0.05` and the like on top; later ones win."""
    for setting in settings:
        path, separator, value = setting.partition("=")
        # Shown and read as the line of YAML that it stands for, so that messages can point into it.
        source = Source("--set", f"{path.strip()}: {value.strip()}")
        keys = path.strip().split(".")
        if not separator or not all(keys):
            report.add(
                finding(
                    "TD036",
                    f"`{setting}` sets nothing",
                    source.whole(),
                    help="write `--set path.to.key=value`",
                )
            )
            continue
        if keys[0] == "extends":
            help_ = "write it in a spec; what `--set` says comes on top of what that extends"
            report.add(finding("TD036", "`extends` cannot be set", source.whole(), help=help_))
            continue
        line = parse_yaml(source, report)
        if isinstance(line, Mapping):
            (entry,) = line.entries[:1]
            found = put(tree, keys, entry.value, entry.key.span, report)
            tree = found if found is not None else tree
    return tree


def put(tree: Mapping, keys: list[str], value: Node, span: Span, report: Report) -> Mapping | None:
    """The tree with a value at a dotted path; None and a finding where the path leads nowhere."""
    node: Node = tree
    for depth, key in enumerate(keys[:-1]):
        below = node.get(key) if isinstance(node, Mapping) else None
        if below is None:
            break
        if not isinstance(below, Mapping):
            at = ".".join(keys[: depth + 1])
            report.add(
                finding(
                    "TD036",
                    f"`{at}` holds a value, so nothing lies below it",
                    span,
                    help=f"set `{at}` as a whole",
                )
            )
            return None
        node = below
    for key in reversed(keys):
        value = Mapping(span, (Entry(Scalar(span, key, "plain"), value),))
    assert isinstance(value, Mapping)
    merged = merge(tree, value)
    return Mapping(tree.span, merged.entries)
