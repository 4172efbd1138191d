"""The elaborated spec: what the tree says, frozen, with the origin of every value."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

from tdspec.language.build import MISSING, Builder
from tdspec.language.condition import Labels
from tdspec.language.data import DATASETS
from tdspec.language.diffusion import Diffuse
from tdspec.language.instance import key_at, key_of, tree_at
from tdspec.language.structure import Document, Init, Model, Time
from tdspec.language.validator import Reading
from tdspec.report.codes import allowable, code_of
from tdspec.text.source import Source, Span
from tdspec.text.yaml_node import Mapping, Node, Scalar


class Allowance(NamedTuple):
    """One entry of an `allow` mapping: findings of `code` at `scope` or below are meant to be.

    key    of the entry
    allow  of the mapping that it stands in
    owner  the mapping that has the key `allow`
    """

    scope: str
    code: str
    reason: str
    key: Scalar
    allow: Scalar
    owner: Mapping

    @property
    def span(self) -> Span:
        return self.key.span


@dataclass(frozen=True)
class Spec:
    """One spec, read, merged and elaborated.

    document    the sections; see `tdspec.language.structure`
    tree        the merged YAML tree, where every node has the span it was written at
    source      the file, text or dict it came from
    allowances  every `allow` entry of the tree
    """

    document: Document
    tree: Mapping
    source: Source
    allowances: tuple[Allowance, ...] = ()
    reading: Reading = field(default_factory=Reading, repr=False, compare=False)

    @property
    def name(self) -> str:
        return self.document.name

    @property
    def model(self) -> Model:
        return self.document.model

    @property
    def init(self) -> Init:
        return self.document.init

    @property
    def time(self) -> Time | None:
        """How t is embedded; None if the spec says `time: none`."""
        return self.document.time if isinstance(self.document.time, Time) else None

    @property
    def labels(self) -> Labels | None:
        """Of a network that is told the class of the image."""
        return self.document.condition.labels

    @property
    def label_classes(self) -> int | None:
        """How many classes that network knows; None if neither the spec nor the data set say."""
        if self.labels is not None and self.labels.classes is not None:
            return self.labels.classes
        return self._data_classes

    @property
    def task(self) -> Any:
        return self.document.task

    @property
    def data(self) -> Any:
        return self.document.data

    @property
    def train(self) -> Any:
        return self.document.train

    @property
    def classifies(self) -> bool:
        """Whether the network ends in one number for each class of the data."""
        return self.document.data is not None and not isinstance(self.document.task, Diffuse)

    @property
    def input(self) -> tuple[int, ...]:
        """Shape of one sample."""
        return self.document.model.input

    @property
    def classes(self) -> int | None:
        """Number of classes that the network tells apart, where the data set says it."""
        return self._data_classes if self.classifies else None

    @property
    def _data_classes(self) -> int | None:
        data = self.document.data
        if data is None:
            return None
        given: int | None = getattr(data, "classes", None)
        return given if given is not None else DATASETS[data.name].classes

    def span(self, path: str) -> Span:
        """Where the value at a dotted path stands; the nearest enclosing one if it is a default."""
        return tree_at(self.tree, path.split(".") if path else ()).span

    def key_span(self, path: str) -> Span:
        """Where the key of a dotted path stands; the place of its value if it has none of its own."""
        key = key_at(self.tree, path.split("."))
        return key.span if key is not None else self.span(path)

    @cached_property
    def text(self) -> str:
        """The resolved spec as YAML: every option with its value; see `tdspec.language.resolved`."""
        from tdspec.language.resolved import resolved_text

        return resolved_text(self)

    @cached_property
    def hash(self) -> str:
        """Eight hexadecimal digits of what the spec says, however it is written."""
        import hashlib

        from tdspec.language.resolved import resolved_text

        return hashlib.sha256(resolved_text(self, origins=False).encode()).hexdigest()[:8]


def build_spec(tree: Mapping, source: Source, reading: Reading) -> Spec | None:
    """The spec of a merged tree; None where a section lacks what it needs."""
    builder = Builder(reading)
    document = builder.section(Document, tree)
    if document is MISSING or builder.incomplete:
        return None
    return Spec(document, tree, source, tuple(allowances(tree)), reading)


def allowances(node: Node, scope: str = "") -> Iterator[Allowance]:
    """Every allowance in a tree, by scope."""
    if not isinstance(node, Mapping):
        return
    for entry in node.entries:
        name = key_of(entry.key)
        if name == "allow" and isinstance(entry.value, Mapping):
            for allowed in entry.value.entries:
                code = code_of(key_of(allowed.key))
                reason = allowed.value
                if code is None or not allowable(code):
                    continue
                if isinstance(reason, Scalar) and isinstance(reason.value, str) and reason.value:
                    yield Allowance(scope, code, reason.value, allowed.key, entry.key, node)
        else:
            yield from allowances(entry.value, f"{scope}.{name}" if scope else name)
