"""What a rule may ask: the spec, its scopes of time, and the facts of each scope under every view."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Literal, NamedTuple

from tdspec.facts.constant import constants
from tdspec.facts.time import Source, TimeFacts, analyse
from tdspec.facts.transfer import View
from tdspec.graph.graph import Graph, Node, Ode
from tdspec.ops.effects import Effect, Normalise, Simplex
from tdspec.report.finding import Finding, Label

if TYPE_CHECKING:
    from tdspec.language.spec import Spec


class Placed(NamedTuple):
    """An effect, with the node that has it and the node's dotted path in its scope."""

    path: str
    node: Node
    effect: Effect


class Scope:
    """Where t is one thing: an ODE's field, or a model that takes t.

    kind   `ode`: t is one number for the batch; `model`: every sample has its own
    where  dotted path of the scope in the spec
    """

    def __init__(self, kind: Literal["ode", "model"], graph: Graph, where: str, ode: Ode | None = None) -> None:
        self.kind = kind
        self.graph = graph
        self.where = where
        self.ode = ode

    def _facts(self, *, training: bool = True, edges: bool = True, eps: bool = True) -> TimeFacts:
        return analyse(self.graph, View(self.kind == "model", training, edges, eps))

    @cached_property
    def training(self) -> TimeFacts:
        """In training, as written."""
        return self._facts()

    @cached_property
    def evaluation(self) -> TimeFacts:
        """In evaluation, as written."""
        return self._facts(training=False)

    @cached_property
    def no_edges(self) -> TimeFacts:
        """In training, with zero padding replaced by circular."""
        return self._facts(edges=False)

    @cached_property
    def no_eps(self) -> TimeFacts:
        """In training, with norms that divide by the exact standard deviation."""
        return self._facts(eps=False)

    @cached_property
    def constants(self) -> set[str]:
        """Nodes that make a constant of whatever comes in."""
        return constants(self.graph).made

    @property
    def sources(self) -> list[Source]:
        return self.training.sources

    @cached_property
    def effects(self) -> tuple[Placed, ...]:
        """Every effect of every op in the scope, in order."""
        return tuple(
            Placed(path, node, effect)
            for path, node in self.graph.walk()
            if node.op is not None and node.site is not None and node.site.output is not None
            for effect in node.op.effects(node.site)
        )

    @cached_property
    def norms(self) -> tuple[tuple[str, Node, Normalise], ...]:
        """Every normalisation in the scope: path, node, effect."""
        return tuple((path, node, effect) for path, node, effect in self.effects if isinstance(effect, Normalise))

    @cached_property
    def centred(self) -> int:
        """Sources that reach a norm which removes a mean: those that a norm can weaken at all."""
        found = 0
        for path, _, effect in self.norms:
            if effect.centre:
                found |= self.training.arrived.get(path, 0)
        return found

    @cached_property
    def by_path(self) -> dict[str, Node]:
        return dict(self.graph.walk())

    def killers(self, facts: TimeFacts, bit: int) -> list[tuple[str, Node]]:
        """Norms and softmaxes at which a source arrives and leaves nothing, in order.

        What a constant takes out along with the input is not among them, nor what a cut leaves behind.
        """
        return [
            (path, self.by_path[path])
            for path, bits in facts.lost.items()
            if bits & bit and path in self.erasers and path not in self.constants
        ]

    @cached_property
    def erasers(self) -> set[str]:
        """Nodes that take something out: norms and softmaxes."""
        return {path for path, _, effect in self.effects if isinstance(effect, (Normalise, Simplex))}

    def before(self, path: str) -> str:
        """Dotted path of the node, or the input of its graph, that the node at a path reads first."""
        prefix, _, _ = path.rpartition(".")
        source = self.by_path[path].inputs[0]
        return f"{prefix}.{source}" if prefix else source

    def over_batch(self, path: str) -> bool:
        """Whether the node at a path normalises over the batch."""
        return any(effect.batch for found, _, effect in self.norms if found == path)


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
            Scope("ode", node.ode.field, node.ode.field.where.removesuffix(".field"), node.ode)
            for _, node in self.graph.walk()
            if node.ode is not None and not self._timeless(node)
        ]
        if self.graph.scope == "model":
            found.append(Scope("model", self.graph, "model"))
        return tuple(found)

    def _timeless(self, node: Node) -> bool:
        """Whether the ODE says `time: none` of itself."""
        assert node.ode is not None
        section: object = self.spec.document
        for key in node.ode.field.where.removesuffix(".field").split("."):
            section = section[key] if isinstance(section, dict) else getattr(section, key)
        return getattr(section, "time", None) == "none"


def entry_label(source: Source) -> tuple[Label, ...]:
    """A label at the step through which t enters."""
    span = source.node.span
    return (Label(span, "t enters here"),) if span is not None else ()


Findings = Iterator[Finding]
