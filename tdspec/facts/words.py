"""What the analysis says of a node, in a word or two."""

from __future__ import annotations

from tdspec.facts.scope import Scope
from tdspec.facts.state import NONE, ONE, SPACE, Affine


def time_words(scope: Scope, path: str) -> str:
    """What the analysis says of one node in training, of all sources of t together.

    `free`: no t has come here; `erased`: t came and nothing is left; `border only`: what is left
    comes from zero padding. Else how t is in the result: `additive` (x + b), `affine` (a x + b),
    `mixed`; per channel if channels differ in it, over the map if positions do.
    """
    facts = scope.training
    if not facts.at(path):
        return "erased" if facts.arrived.get(path) else "free"
    states = scope.facts(edges=False).states.get(path)
    if not states:
        return "border only"
    affine = [state for state in states if isinstance(state, Affine)]
    if len(affine) < len(states):
        return "mixed"
    words = "additive" if all(state.additive for state in affine) else "affine"
    if any(label not in (NONE, ONE) for state in affine for label in (state.a, state.b)):
        words += " per channel"
    if any((state.a_axes | state.b_axes) & SPACE for state in affine):
        words += " over the map"
    return words
