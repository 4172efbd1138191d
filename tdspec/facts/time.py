"""The time analysis: where each source of time is alive, and where it dies.

One pass over the graph carries all sources at once. At every node stands a dictionary from a
state of the domain to the set of sources in that state, a set being the bits of an integer:
sources that are in the same state cost nothing extra, so the pass is linear in the graph. Each
source is analysed as if all others were frozen; what is free of every one of them is free of t.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from tdspec.facts.constant import constants
from tdspec.facts.state import MIXED, State
from tdspec.facts.transfer import View, enter, several, single
from tdspec.graph.graph import BESIDE, Graph, Node
from tdspec.ops.effects import Effect, Joined, Modulate, Offset, Product, Sum
from tdspec.ops.shape import Shape

States = dict[State, int]


class Source(NamedTuple):
    """A step at which time enters: an Emb, a ConcatConv, ...

    path  dotted path of the node within the scope
    bit   the power of two that stands for it
    """

    path: str
    node: Node
    bit: int


@dataclass
class TimeFacts:
    """What the analysis found in one scope under one view.

    states   dotted path -> the states behind that node; a source in none of them is erased there
    arrived  dotted path -> sources that reached the node
    lost     dotted path -> sources that reached the node and left nothing behind it
    alive    sources at the scope's output
    """

    view: View
    sources: list[Source] = field(default_factory=list)
    states: dict[str, States] = field(default_factory=dict)
    arrived: dict[str, int] = field(default_factory=dict)
    lost: dict[str, int] = field(default_factory=dict)
    alive: int = 0

    def at(self, path: str) -> int:
        """The sources alive behind a node."""
        return present(self.states.get(path, {}))


def present(states: States) -> int:
    """All sources in any of the states."""
    found = 0
    for bits in states.values():
        found |= bits
    return found


def analyse(graph: Graph, view: View, outputs: Iterable[str] | None = None) -> TimeFacts:
    """Analyse a scope: an ODE's field, or a model that takes t.

    outputs  those that count; all of them by default
    """
    facts = TimeFacts(view)
    found = _Pass(facts, constants(graph).made).run(graph, {}, "")
    for name in found if outputs is None else outputs:
        facts.alive |= present(found[name])
    return facts


class _Pass:
    def __init__(self, facts: TimeFacts, constant: set[str]) -> None:
        self.facts = facts
        self.constant = constant

    def run(self, graph: Graph, incoming: dict[str, States], prefix: str) -> dict[str, States]:
        """Carry the states through one graph; gives those at its outputs."""
        states: dict[str, States] = {}
        for node in graph:
            if node.kind == "input":
                states[node.name] = self.facts.states[f"{prefix}{node.name}"] = incoming.get(node.name, {})
                continue
            given = [states[name] for name in node.inputs if name not in BESIDE]
            path = f"{prefix}{node.name}"
            own = self.source(node, path)
            found = self.step(node, given, path, own)
            arrived = own
            for entry in given:
                arrived |= present(entry)
            if path in self.constant:
                found = {}
            states[node.name] = self.facts.states[path] = found
            if arrived:
                self.facts.arrived[path] = arrived
                lost = arrived & ~present(found)
                if lost:
                    self.facts.lost[path] = lost
        return {part: states[name] for part, name in graph.outputs.items()}

    def source(self, node: Node, path: str) -> int:
        """The bit of the source that a node is; 0 if time does not enter here."""
        if node.op is None or not node.op.needs_time or node.site is None:
            return 0
        bit = 1 << len(self.facts.sources)
        self.facts.sources.append(Source(path, node, bit))
        return bit

    def step(self, node: Node, given: list[States], path: str, own: int) -> States:
        if node.graph is not None:
            names = [entry.name for entry in node.graph.data_inputs]
            outputs = self.run(node.graph, dict(zip(names, given, strict=False)), f"{path}.")
            return next(iter(outputs.values()))
        if node.op is None or node.site is None or node.site.output is None:
            return self.opaque(given)
        effects = node.op.effects(node.site)
        shape, out = node.site.x, node.site.y
        if effects and isinstance(effects[0], (Sum, Product, Joined)) and len(given) > 1:
            return merged(effects[0], given, node.site.inputs, out)
        states = given[0] if given else {}
        for effect in effects:
            states = self.through(effect, states, own, shape, out)
            shape = out
        return states

    def through(self, effect: Effect, states: States, own: int, shape: Shape, out: Shape) -> States:
        view = self.facts.view
        found: States = {}
        enters = own if isinstance(effect, (Offset, Modulate)) else 0
        fresh = enters
        for state, bits in states.items():
            if bits & enters and isinstance(effect, (Offset, Modulate)):
                put(found, enter(effect, state, out, view), enters)
                bits &= ~enters
                fresh = 0
            if bits:
                put(found, single(effect, state, shape, out, view), bits)
        if fresh and isinstance(effect, (Offset, Modulate)):
            put(found, enter(effect, None, out, view), fresh)
        return found

    def opaque(self, given: Iterable[States]) -> States:
        """Behind an ODE, or a step that could not be wired: t may be anywhere."""
        bits = 0
        for states in given:
            bits |= present(states)
        return {MIXED: bits} if bits else {}


def put(states: States, state: State | None, bits: int) -> None:
    if state is not None and bits:
        states[state] = states.get(state, 0) | bits


def merged(effect: Effect, given: list[States], shapes: tuple[Shape, ...], out: Shape) -> States:
    """States behind a step of several inputs: sources are sorted by what each input holds of them."""
    everyone = 0
    for states in given:
        everyone |= present(states)
    classes: list[tuple[tuple[State | None, ...], int]] = [((), everyone)]
    for states in given:
        refined: list[tuple[tuple[State | None, ...], int]] = []
        for tuple_, bits in classes:
            rest = bits
            for state, mask in states.items():
                if rest & mask:
                    refined.append(((*tuple_, state), rest & mask))
                    rest &= ~mask
            if rest:
                refined.append(((*tuple_, None), rest))
        classes = refined
    found: States = {}
    for tuple_, bits in classes:
        put(found, several(effect, tuple_, shapes, out), bits)
    return found
