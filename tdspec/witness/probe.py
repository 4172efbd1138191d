"""The probe: the time share at every node of a compiled spec, beside what the analysis says of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import mean
from typing import Any

import torch
from torch import Tensor

from tdspec.backend.network import Network
from tdspec.backend.ode import ODE
from tdspec.facts.kept import kept
from tdspec.facts.scope import Mode, Scope
from tdspec.facts.state import Affine
from tdspec.facts.words import time_words
from tdspec.graph.graph import Graph, Node
from tdspec.witness.share import Share, time_shares

TIMES = 5  # points of t


@dataclass(frozen=True)
class Row:
    """One node.

    path      dotted path in the network, `ode.field.gn_1`
    op        the op's name
    said      what the analysis says, see `tdspec.facts.words`
    shares    per mode, one time share for each seed
    survival  of a norm: per mode, the share behind it over the share before it, the mean over seeds
    expected  of a norm: the fraction of an offset's energy that it keeps in expectation, where that is known
    """

    path: str
    op: str
    said: str
    shares: Mapping[Mode, tuple[float, ...]]
    survival: Mapping[Mode, float] | None = None
    expected: float | None = None

    def share(self, mode: Mode) -> float:
        """The mean over seeds."""
        return mean(self.shares[mode])


@dataclass(frozen=True)
class Probe:
    """What was measured, and on what.

    weights  where they came from: the spec's rules and how many draws, or a checkpoint
    inputs   what entered
    rows     every op in a scope of time, in order; without those of the embedding, which is nothing but time
    """

    name: str
    weights: str
    inputs: str
    rows: tuple[Row, ...]

    @property
    def shares(self) -> dict[str, float]:
        """The share in training by path, as the drawing wants it."""
        return {row.path: row.share("training") for row in self.rows}

    def as_dict(self) -> dict[str, Any]:
        rows = [
            {
                "name": row.path,
                "op": row.op,
                "time": row.said,
                "shares": {mode: list(values) for mode, values in row.shares.items()},
                "survival": dict(row.survival) if row.survival is not None else None,
                "expected": row.expected,
            }
            for row in self.rows
        ]
        return {"name": self.name, "weights": self.weights, "inputs": self.inputs, "nodes": rows}


def probe(
    scopes: Sequence[tuple[str, Scope]], networks: Sequence[Network], x: Tensor, *, name: str, weights: str, inputs: str
) -> Probe:
    """Measure every scope of time of a network.

    scopes    each with its path in the network, empty for the network itself
    networks  the same network under several draws of its weights
    x         f32[B, *input], what enters it
    """
    rows: list[Row] = []
    for path, scope in scopes:
        found: dict[Mode, list[dict[str, Share]]] = {
            mode: [_measure(network, path, scope, x, mode) for network in networks] for mode in scope.modes
        }
        found.setdefault("evaluation", found["training"])  # no mask, no statistics: there is no difference
        prefix = f"{path}.field." if path else ""
        rows += [
            _row(scope, below, node, prefix, found)
            for below, node in scope.graph.walk()
            if node.op is not None and below in found["training"][0] and not below.startswith("embed.")
        ]
    return Probe(name, weights, inputs, tuple(rows))


def scopes_of(graph: Graph, scopes: Sequence[Scope]) -> list[tuple[str, Scope]]:
    """Every scope with its path in the network."""
    paths = {id(node.ode): path for path, node in graph.walk() if node.ode is not None}
    return [(paths[id(scope.ode)] if scope.ode is not None else "", scope) for scope in scopes]


def _measure(network: Network, path: str, scope: Scope, x: Tensor, mode: Mode) -> dict[str, Share]:
    network.train(mode == "training")
    if scope.ode is None:
        times = torch.linspace(0, 1, TIMES, device=x.device)
        return time_shares(network, x, times=times, per_sample=mode == "training")
    ode = network.get_submodule(path)
    assert isinstance(ode, ODE)
    times = torch.linspace(*scope.ode.t, TIMES, device=x.device)
    return time_shares(ode.field, *_entering(network, ode, x), times=times)


@torch.no_grad()
def _entering(network: Network, ode: ODE, x: Tensor) -> tuple[Tensor, ...]:
    """The state with which an ODE starts, in evaluation, so that nothing of the network moves."""
    entered: list[tuple[Tensor, ...]] = []
    hook = ode.field.register_forward_pre_hook(lambda _, given: entered.append(tuple(given[1:])))
    training, counts = network.training, dict(ode.counts)
    try:
        network.eval()(x)
    finally:
        hook.remove()
        network.train(training)
        ode.counts.update(counts)
    return entered[0]


def _row(scope: Scope, path: str, node: Node, prefix: str, found: Mapping[Mode, list[dict[str, Share]]]) -> Row:
    shares = {mode: tuple(draw[path].share for draw in draws) for mode, draws in found.items()}
    survival, expected = None, None
    effects = {below: effect for below, _, effect in scope.norms}
    before = scope.before(path)
    if path in effects and node.site is not None:
        if before in found["training"][0]:
            ratios = {mode: [_ratio(draw[path], draw[before]) for draw in draws] for mode, draws in found.items()}
            survival = {mode: mean(values) for mode, values in ratios.items()}
        states = scope.facts(edges=False).states.get(before, {})
        known = [kept(effects[path], state, node.site.x.channels) for state in states if isinstance(state, Affine)]
        fractions = [fraction for fraction in known if fraction is not None]
        expected = min(fractions) if fractions and len(fractions) == len(states) else None
    return Row(f"{prefix}{path}", node.title, time_words(scope, path), shares, survival, expected)


def _ratio(behind: Share, before: Share) -> float:
    return behind.share / before.share if before.share > 0 else 0.0
