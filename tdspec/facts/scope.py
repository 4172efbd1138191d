"""A scope of time, and how every source of time ends in it."""

from __future__ import annotations

from functools import cached_property
from typing import Any, Literal, NamedTuple

from tdspec.facts.constant import constants
from tdspec.facts.time import Source, TimeFacts, analyse
from tdspec.facts.transfer import View
from tdspec.graph.graph import Graph, Node, Ode
from tdspec.ops.effects import Effect, Mask, Normalise, Simplex

Mode = Literal["training", "evaluation"]


class Placed(NamedTuple):
    """An effect, with the node that has it and the node's dotted path in its scope."""

    path: str
    node: Node
    effect: Effect


class Fate(NamedTuple):
    """How a source ends in one mode.

    end      `alive`: nothing says that it does not reach the output
             `erased`: no element of the output depends on it
             `faint`: nothing would, if norms divided by the exact standard deviation, without eps
             `edge`: nothing would, if zero padding kept constants as circular padding does (and norms had
             no eps), though something does as written
    killers  norms and softmaxes at which it ends, in order: path, node; empty if no route leads to the output
    """

    end: Literal["alive", "erased", "faint", "edge"]
    mode: Mode
    killers: tuple[tuple[str, Node], ...] = ()


class Scope:
    """Where t is one thing: an ODE's field, or a model that takes t.

    kind   `ode`: t is one number for the batch; `model`: every sample has its own
    where  dotted path of the scope in the spec
    uses   dotted paths of the pipelines that lead to it, from the model down
    """

    def __init__(
        self,
        kind: Literal["ode", "model"],
        graph: Graph,
        where: str,
        ode: Ode | None = None,
        uses: tuple[str, ...] = (),
    ) -> None:
        self.kind = kind
        self.graph = graph
        self.where = where
        self.ode = ode
        self.uses = uses
        self._facts: dict[View, TimeFacts] = {}

    def facts(self, mode: Mode = "training", *, edges: bool = True, eps: bool = True) -> TimeFacts:
        """What the analysis finds in a mode; as written, or under the assumptions of `View`."""
        view = View(self.kind == "model", mode == "training", edges, eps)
        if view not in self._facts:
            self._facts[view] = analyse(self.graph, view, self.ode.relevant if self.ode is not None else None)
        return self._facts[view]

    @property
    def training(self) -> TimeFacts:
        """In training, as written."""
        return self.facts()

    @property
    def sources(self) -> list[Source]:
        return self.training.sources

    @cached_property
    def modes(self) -> tuple[Mode, ...]:
        """The modes that differ to the analysis."""
        differs = any(isinstance(effect, Mask) or (isinstance(effect, Normalise) and effect.batch)
                      for _, _, effect in self.effects)  # fmt: skip
        return ("training", "evaluation") if differs else ("training",)

    # ------------------------------------------------------------ fates

    def fates(self, source: Source) -> tuple[Fate, ...]:
        """How a source ends, in every mode that makes a difference."""
        return tuple(self._fate(source.bit, mode) for mode in self.modes)

    def _fate(self, bit: int, mode: Mode) -> Fate:
        # Without edges and eps most dies: what lives there lives in every view.
        interior = self.facts(mode, edges=False, eps=False)
        if interior.alive & bit:
            return Fate("alive", mode)
        written = self.facts(mode)
        if not written.alive & bit:
            return Fate("erased", mode, self.killers(written, bit))
        exact = self.facts(mode, eps=False)
        if not exact.alive & bit:
            return Fate("faint", mode, self.killers(exact, bit))
        return Fate("edge", mode, self.killers(interior, bit))

    def ending(self, source: Source) -> Fate:
        """The worst of a source's fates; in an ODE what BN alone does is left out, a verdict of its own.

        Its killers are those to name, the last of which is where nothing is left.
        """
        named = []
        for fate in self.fates(source):
            killers = tuple(
                (path, node) for path, node in fate.killers if self.kind != "ode" or path not in self.over_batch
            )
            if fate.end != "alive" and killers:
                named.append(fate._replace(killers=killers))
        return min(
            named, key=lambda fate: ("erased", "faint", "edge").index(fate.end), default=Fate("alive", "training")
        )

    def killers(self, facts: TimeFacts, bit: int) -> tuple[tuple[str, Node], ...]:
        """Norms and softmaxes at which a source arrives and leaves nothing, in order.

        What a constant takes out along with the input is not among them, nor what a cut leaves behind.
        """
        return tuple(
            (path, self.by_path[path])
            for path, bits in facts.lost.items()
            if bits & bit and path in self.erasers and path not in self.constants
        )

    # ------------------------------------------------------------ places

    @cached_property
    def by_path(self) -> dict[str, Node]:
        return dict(self.graph.walk())

    def place(self, path: str) -> dict[str, Any]:
        """Where a finding about the node at a path stands, as keyword arguments of `finding`."""
        node = self.by_path[path]
        parts = path.split(".")
        above = [self.by_path[".".join(parts[:depth])].where for depth in range(1, len(parts))]
        return {"span": node.span, "where": node.where, "uses": tuple(dict.fromkeys((*self.uses, self.where, *above)))}

    def before(self, path: str) -> str:
        """Dotted path of the node, or the input of its graph, that the node at a path reads first."""
        prefix, _, _ = path.rpartition(".")
        source = self.by_path[path].inputs[0]
        return f"{prefix}.{source}" if prefix else source

    # ------------------------------------------------------------ effects

    @cached_property
    def constants(self) -> set[str]:
        """Nodes that make a constant of whatever comes in."""
        return constants(self.graph).made

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
    def erasers(self) -> set[str]:
        """Nodes that take something out: norms and softmaxes."""
        return {path for path, _, effect in self.effects if isinstance(effect, (Normalise, Simplex))}

    @cached_property
    def over_batch(self) -> set[str]:
        """Nodes that normalise over the batch."""
        return {path for path, _, effect in self.norms if effect.batch}

    @cached_property
    def centred(self) -> int:
        """Sources that reach a norm which removes a mean: those that a norm can weaken at all."""
        found = 0
        for path, _, effect in self.norms:
            if effect.centre:
                found |= self.training.arrived.get(path, 0)
        return found
