"""Which tensors are constants: free of the input, and with it of everything else.

There are four ways: a norm whose unit holds one value, a softmax over one channel, a factor of zero, and a mean
over positions that a norm has removed (`IN–GAP`); a 1x1 convolution between the two does not bring it back.
"""

from __future__ import annotations

from typing import NamedTuple

from tdspec.graph.graph import BESIDE, Graph, Node
from tdspec.ops.effects import (
    Channelwise,
    Constant,
    Cut,
    Fixed,
    Joined,
    Linear,
    Mask,
    Normalise,
    Padded,
    Pool,
    Resize,
    Simplex,
    Sum,
)  # fmt: skip


class Constants(NamedTuple):
    """Dotted paths of nodes.

    made  nodes that make a constant of whatever comes in, t included
    dead  these, and those behind them that read nothing else; t may enter them again, the input not
    """

    made: set[str]
    dead: set[str]


def constants(graph: Graph) -> Constants:
    """Where the graph loses its input."""
    found = Constants(set(), set())
    _visit(graph, {}, "", found)
    return found


class Held(NamedTuple):
    """What is known of a tensor.

    dead   it is free of the input
    still  the mean over positions of each channel of each sample is a number that nothing changes
    """

    dead: bool = False
    still: bool = False


def _visit(graph: Graph, incoming: dict[str, Held], prefix: str, found: Constants) -> dict[str, Held]:
    held: dict[str, Held] = {}
    for node in graph:
        if node.kind == "input":
            held[node.name] = incoming.get(node.name, Held())
            continue
        given = [held[name] for name in node.inputs if name not in BESIDE]
        dead = bool(given) and all(item.dead for item in given)
        path = f"{prefix}{node.name}"
        if node.graph is not None:
            names = [entry.name for entry in node.graph.data_inputs]
            inner = _visit(node.graph, dict(zip(names, given, strict=False)), f"{path}.", found)
            held[node.name] = Held(*(all(values) for values in zip(*inner.values(), strict=True)))
        elif node.ode is not None:
            # The flow of any field maps what comes in one to one; only the init can lose it.
            state = {part: Held(dead) for part in node.ode.parts}
            if node.ode.init is not None:
                state = _visit(node.ode.init, {"input": Held(dead)}, f"{path}.init.", found)
            _visit(node.ode.field, {}, f"{path}.field.", found)
            held[node.name] = Held(all(item.dead for item in state.values()))
        else:
            still = bool(given) and all(item.still for item in given)
            kills = _kills(node, still)
            if kills:
                found.made.add(path)
            held[node.name] = Held(kills or (dead and not _random(node)), _stays(node, still))
        if held[node.name].dead:
            found.dead.add(path)
    return {part: held[name] for part, name in graph.outputs.items()}


def _random(node: Node) -> bool:
    return (
        node.site is not None
        and node.op is not None
        and any(isinstance(effect, Mask) for effect in node.op.effects(node.site))
    )


def _kills(node: Node, still: bool) -> bool:
    """Whether a node makes a constant of what comes in, whose means over positions are `still`."""
    if node.op is None or node.site is None:
        return False
    for effect in node.op.effects(node.site):
        if isinstance(effect, Constant):
            return True
        if isinstance(effect, Normalise) and not effect.batch and effect.single(node.site.x):
            return True
        if isinstance(effect, Simplex) and node.site.x.channels == 1:
            return True
        if isinstance(effect, Pool) and effect.kind == "mean" and effect.whole and still:
            return True
    return False


def _stays(node: Node, still: bool) -> bool:
    """Whether means over positions are constants behind a node; `still` whether they are before it."""
    if node.op is None or node.site is None:
        return False
    for effect in node.op.effects(node.site):
        match effect:
            case Normalise():
                each = effect.groups == node.site.x.channels
                still = effect.centre and effect.space and not effect.batch and each
            case Linear() | Pool():
                still = still and effect.even
            case Resize():
                still = still and effect.copies
            case Channelwise() | Fixed() | Sum() | Joined() | Cut() | Padded():
                pass
            case _:
                still = False
    return still
