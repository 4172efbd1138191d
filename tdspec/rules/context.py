"""What a rule may ask: the spec, its graph, and its scopes of time with the facts of each."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from tdspec.facts.scope import Fate, Scope
from tdspec.facts.time import Source
from tdspec.graph.graph import Graph, Node
from tdspec.ops.effects import Effect, Offset
from tdspec.report.finding import Finding, Label

if TYPE_CHECKING:
    from tdspec.language.spec import Spec
    from tdspec.text.source import Span


class Context:
    """One spec and its graph, for the rules to judge."""

    def __init__(self, spec: Spec, graph: Graph) -> None:
        self.spec = spec
        self.graph = graph

    @cached_property
    def scopes(self) -> tuple[Scope, ...]:
        """Every ODE's field, and the model itself where it takes t; none where the spec says `time: none`."""
        if self.spec.time is None:
            return ()
        found = [
            Scope("ode", node.ode.field, node.ode.where, node.ode, uses=self.graph.uses(path))
            for path, node in self.graph.walk()
            if node.ode is not None and not node.ode.timeless
        ]
        if self.graph.scope == "model":
            found.append(Scope("model", self.graph, "model"))
        return tuple(found)

    @cached_property
    def met(self) -> dict[Span, set[tuple[int, int]]]:
        """What each step meets in all its uses: numbers of channels, with the groups it then has (else 1)."""
        found: dict[Span, set[tuple[int, int]]] = {}
        for _, node in self.graph.walk():
            if node.span is not None and node.site is not None:
                groups = node.site.arguments.get("groups", 1)
                found.setdefault(node.span, set()).add((node.site.x.channels, groups))
        return found


def entry_label(source: Source) -> tuple[Label, ...]:
    """A label at the step through which t enters."""
    span = source.node.span
    return (Label(span, "t enters here"),) if span is not None else ()


def effects_of(node: Node) -> tuple[Effect, ...]:
    """What a wired op does to time."""
    return node.op.effects(node.site) if node.op is not None and node.site is not None else ()


def positional(source: Source) -> bool:
    """Whether all that a source adds is one value per position, which all channels share."""
    return all(isinstance(effect, Offset) and not effect.per_channel for effect in effects_of(source.node))


def mode_notes(fate: Fate) -> tuple[str, ...]:
    """What to add where a source ends so in evaluation only."""
    if fate.mode == "training":
        return ()
    return ("so in evaluation; in training random masks or the batch's statistics keep it",)


Findings = Iterator[Finding]
