"""Wired steps: named steps with `from`, in any order, as an acyclic graph."""

from __future__ import annotations

from dataclasses import replace
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

from tdspec.graph.builder import GraphBuilder
from tdspec.graph.names import node_name
from tdspec.graph.place import Place
from tdspec.language.structure import WiredStep
from tdspec.text.respell import respell
from tdspec.text.suggest import nearest

if TYPE_CHECKING:
    from tdspec.graph.wirer import Wirer

Reads = dict[str, tuple[str, ...]]


def wire_steps(
    wirer: Wirer, builder: GraphBuilder, steps: dict[str, WiredStep], outputs: dict[str, str], place: Place
) -> dict[str, str]:
    """Add all steps in an order that their `from` allows; gives the node of every output.

    place    stands at the mapping of the steps
    outputs  part -> step, empty where the spec does not say
    """
    entries = list(builder.sources)
    for name in steps:
        if name in entries:
            at = wirer.spec.key_span(f"{place.where}.{name}")
            message = f"`{name}` is the name of an input; a step cannot have it"
            wirer.say("TD039", message, at, f"{place.where}.{name}", help="give the step another name")
    reads = {name: _reads(wirer, name, step, steps, entries, place.where) for name, step in steps.items()}
    nodes = dict(builder.sources)
    for name in _order(wirer, reads, place.where):
        inputs = tuple(nodes[source] for source in reads[name] if source in nodes)
        if inputs:
            inner = replace(place, where=f"{place.where}.{name}", prefix=f"{name}_")
            nodes[name] = _one(wirer, builder, name, steps[name], inputs, inner)
    ends = {part: _end(wirer, source, reads, nodes, place.where) for part, source in outputs.items()}
    _report_unused(wirer, reads, ends, place.where)
    return {part: nodes.get(name, nodes[entries[0]]) for part, name in ends.items()}


def _reads(
    wirer: Wirer, name: str, step: WiredStep, steps: dict[str, WiredStep], entries: list[str], where: str
) -> tuple[str, ...]:
    """The steps and inputs that a step reads, those that exist."""
    found = []
    if not step.from_:
        at = wirer.spec.span(f"{where}.{name}.from")
        wirer.say("TD043", f"`{name}` reads nothing: `from` is empty", at, f"{where}.{name}")
    for source in (step.from_,) if isinstance(step.from_, str) else step.from_:
        if source in steps or source in entries:
            found.append(source)
            continue
        near = nearest(source, (*steps, *entries))
        help_ = f"did you mean `{near}`?" if near else f"inputs are {', '.join(f'`{entry}`' for entry in entries)}"
        at = wirer.spec.span(f"{where}.{name}.from")
        message = f"`{name}` reads `{source}`, but no step and no input has that name"
        fix = respell(at, source, (*steps, *entries))
        wirer.say("TD040", message, at, f"{where}.{name}", help=help_, fix=fix)
    return tuple(found) or (entries[0],)


def _order(wirer: Wirer, reads: Reads, where: str) -> list[str]:
    """The steps, each behind those it reads; by name where that leaves a choice, so that keys may move."""
    sorter = TopologicalSorter({name: [s for s in sources if s in reads] for name, sources in reads.items()})
    try:
        sorter.prepare()
    except CycleError as error:
        circle = error.args[1]
        waits = " <- ".join(f"`{name}`" for name in circle)
        help_ = "a step may read only what comes before it; for feedback over time, use an `ode`"
        at = wirer.spec.span(f"{where}.{circle[0]}")
        wirer.say("TD041", f"steps wait for each other: {waits}", at, where, help=help_)
        return []
    found: list[str] = []
    while sorter.is_active():
        ready = sorted(sorter.get_ready())
        found += ready
        sorter.done(*ready)
    return found


def _one(wirer: Wirer, builder: GraphBuilder, name: str, step: WiredStep, inputs: tuple[str, ...], place: Place) -> str:
    """One wired step; where it is a single op or block, its node has the step's own name."""
    if len(step.do.steps) == 1 and step.do.steps[0].repeat == 1:
        return wirer.step(builder, step.do.steps[0], inputs, place, width=place.out, name=node_name(name, builder)).name
    return wirer.pipeline(builder, step.do, inputs, place)


def _end(wirer: Wirer, source: str, reads: Reads, nodes: dict[str, str], where: str) -> str:
    """The step that an output names; without a name, the only one that no other reads."""
    if source in nodes or source in reads:
        return source
    if not source:
        read = {name for sources in reads.values() for name in sources}
        last = [name for name in reads if name not in read]
        if len(last) == 1:
            return last[0]
    near = nearest(source, tuple(reads)) if source else None
    at = wirer.spec.span(f"{where.removesuffix('.steps')}.output")
    message = f"`output` names `{source}`, but no step has that name" if source else "wired steps need an `output`"
    fix = respell(at, source, tuple(reads)) if source else None
    wirer.say("TD040", message, at, where, help=f"did you mean `{near}`?" if near else "", fix=fix)
    return ""


def _report_unused(wirer: Wirer, reads: Reads, ends: dict[str, str], where: str) -> None:
    """Report steps from which no path leads to an output."""
    used: set[str] = set()
    waiting = [name for name in ends.values() if name in reads]
    while waiting:
        name = waiting.pop()
        if name not in used:
            used.add(name)
            waiting += [source for source in reads[name] if source in reads]
    for name in reads if used else ():
        if name not in used:
            at = wirer.spec.span(f"{where}.{name}")
            help_ = "remove it, or read it with `from`"
            wirer.say("TD044", f"nothing reads the step `{name}`", at, f"{where}.{name}", help=help_)
