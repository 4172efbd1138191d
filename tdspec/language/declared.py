"""What a declaration says: the type of every option, in the few words the language has.

`structure.py` and `training.py` declare; the schema (`schema.py`) and the builder (`build.py`) both
read the declarations through here, so that neither can drift from the other.
"""

from __future__ import annotations

import dataclasses
import types
from functools import cache
from typing import Any, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints

from tdspec.text.syntax import Expression, Pipeline


class Scalar(NamedTuple):
    """`bool`, `int`, `float` or `str`."""

    type: type


class Choice(NamedTuple):
    """One of some words."""

    values: tuple[Any, ...]


class PipelineText(NamedTuple):
    """A pipeline string."""


class ExpressionText(NamedTuple):
    """A number or an expression."""


class List(NamedTuple):
    item: Declared


class Map(NamedTuple):
    item: Declared


class Section(NamedTuple):
    """A mapping with the fields of a dataclass."""

    cls: type


class Tagged(NamedTuple):
    """A mapping whose `kind` says which dataclass it is."""

    members: tuple[tuple[str, type], ...]


class Either(NamedTuple):
    """Told apart by the kind of YAML node: a mapping, a sequence, or a scalar."""

    members: tuple[Declared, ...]


class Nullable(NamedTuple):
    """Null is a value of its own."""

    item: Declared


Declared = Union[Scalar, Choice, PipelineText, ExpressionText, List, Map, Section, Tagged, Either, Nullable]


class Option(NamedTuple):
    """One field of a section: its key in YAML, its type, its default and its documentation."""

    key: str
    field: str
    type: Declared
    required: bool
    default: Any
    doc: str
    bounds: dict[str, Any]
    examples: tuple[Any, ...]


_EXPRESSION = frozenset(get_args(Expression))


@cache
def options(cls: type) -> tuple[Option, ...]:
    """The fields of a section in the order of declaration."""
    hints = get_type_hints(cls)
    found = []
    for field in dataclasses.fields(cls):
        factory = field.default_factory
        missing = field.default is dataclasses.MISSING and factory is dataclasses.MISSING
        default = None if missing else field.default if factory is dataclasses.MISSING else factory()
        annotation = hints[field.name]
        declared = describe(_without_none(annotation))
        meta = field.metadata
        found.append(
            Option(
                field.name.rstrip("_"), field.name, declared, missing, default,
                meta.get("doc", ""), meta.get("bounds", {}), meta.get("examples", ()),
            )
        )  # fmt: skip
    return tuple(found)


def kind_of(cls: type) -> str | None:
    """The word that `kind` has for this section, if it is one of several."""
    kind = getattr(cls, "kind", None)
    return kind if isinstance(kind, str) else None


def _members(annotation: Any) -> tuple[Any, ...]:
    if get_origin(annotation) in (Union, types.UnionType):
        return get_args(annotation)
    return (annotation,)


def _without_none(annotation: Any) -> Any:
    members = tuple(member for member in _members(annotation) if member is not type(None))
    return Union[members] if len(members) < len(_members(annotation)) else annotation


def describe(annotation: Any) -> Declared:
    """The declared type of a Python annotation."""
    members = _members(annotation)
    if type(None) in members:
        return Nullable(describe(_without_none(annotation)))
    if set(members) >= _EXPRESSION:
        return ExpressionText()
    if len(members) > 1:
        if all(kind_of(member) for member in members if isinstance(member, type)):
            return Tagged(tuple((str(kind_of(member)), member) for member in members))
        return Either(tuple(describe(member) for member in members))
    origin = get_origin(annotation)
    if annotation is Pipeline:
        return PipelineText()
    if origin is Literal:
        return Choice(get_args(annotation))
    if origin is tuple:
        return List(describe(get_args(annotation)[0]))
    if origin is dict:
        return Map(describe(get_args(annotation)[1]))
    if dataclasses.is_dataclass(annotation) and isinstance(annotation, type):
        kind = kind_of(annotation)
        return Tagged(((kind, annotation),)) if kind else Section(annotation)
    return Scalar(annotation)
