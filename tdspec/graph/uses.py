"""Which blocks a spec uses, told from the notation alone, before anything is wired."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any, get_args

from tdspec.language.structure import Attention, Block, Document, Ode, UNet
from tdspec.text.syntax import Expression, Pipeline

LEAVES = (Pipeline, Ode, *get_args(Expression))


def sections(section: Any) -> Iterator[Any]:
    """A section, and what stands in it down to pipelines; an ODE is given and not entered."""
    yield section
    if isinstance(section, dict):
        for item in section.values():
            yield from sections(item)
    elif is_dataclass(section) and not isinstance(section, LEAVES):
        for field in fields(section):
            yield from sections(getattr(section, field.name))


def reached(document: Document, root: Any, *, through_odes: bool) -> list[Any]:
    """The sections in a root, in the blocks that it uses, in those that these use, and so on.

    through_odes  whether what an ODE uses counts, where t is the solver's
    """
    found: list[Any] = []
    waiting = [root]
    seen: set[str] = set()
    while waiting:
        for section in sections(waiting.pop()):
            found.append(section)
            if isinstance(section, Ode) and through_odes:
                waiting += [section.field, section.init]
            for name in set(names(section)) - seen:
                seen.add(name)
                if name in document.blocks:
                    waiting.append(document.blocks[name])
    return found


def names(section: Any) -> Iterator[str]:
    """The blocks (and ops) that a section names itself."""
    if isinstance(section, Pipeline):
        yield from (step.name for step in section.steps)
    elif isinstance(section, (UNet, Attention)):
        yield section.block


def unused_blocks(document: Document) -> list[str]:
    """Names of the blocks that neither the network nor its embedding uses."""
    found = reached(document, {"model": document.model, "time": document.time}, through_odes=True)
    used = {id(section) for section in found if isinstance(section, Block)}
    return [name for name, block in document.blocks.items() if id(block) not in used]
