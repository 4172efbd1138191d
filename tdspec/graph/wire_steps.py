"""Wired steps: named steps with `from`, in any order, as an acyclic graph."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

from tdspec.graph.builder import GraphBuilder
from tdspec.language.build import BrokenPipeline
from tdspec.language.structure import WiredStep
from tdspec.ops import OPS
from tdspec.report.codes import finding
from tdspec.text.source import Span
from tdspec.text.suggest import nearest

if TYPE_CHECKING:
    from tdspec.graph.wire import Place, Wirer


def wire_steps(
    wirer: Wirer, builder: GraphBuilder, steps: dict[str, WiredStep], outputs: dict[str, str], place: Place, span: Span | None
) -> dict[str, str]:
    """Add all steps in an order that their `from` allows; gives the node of every output."""
    from tdspec.graph.wire import Place

    entries = {node.name for node in builder.entries}
    where = place.where if place.where.endswith("steps") else f"{place.where}.steps"
    reads: dict[str, tuple[str, ...]] = {}
    for name, step in steps.items():
        wanted = (step.from_,) if isinstance(step.from_, str) else step.from_
        known = []
        for source in wanted:
            if source in steps or source in entries:
                known.append(source)
                continue
            near = nearest(source, (*steps, *sorted(entries)))
            at = wirer.spec.span(f"{where}.{name}.from")
            wirer.report([
                finding(
                    "TD040", f"`{name}` reads `{source}`, but no step and no input has that name", at,
                    where=f"{where}.{name}", help=f"did you mean `{near}`?" if near else f"inputs are {', '.join(sorted(entries))}",
                )
            ])  # fmt: skip
        reads[name] = tuple(known) or tuple(sorted(entries))[:1]
    order = _order(wirer, reads, entries, where)
    nodes = {name: name for name in entries}
    for name in order:
        step = steps[name]
        inputs = tuple(nodes[source] for source in reads[name] if source in nodes)
        if not inputs:
            continue
        inner = Place(f"{where}.{name}", place.environment, out=place.out, role=place.role, prefix=f"{name}_")
        nodes[name] = _one(wirer, builder, name, step, inputs, inner)
    _unused(wirer, reads, outputs, where)
    fallback = nodes[order[-1]] if order and order[-1] in nodes else next(iter(sorted(entries)))
    found = {}
    for part, source in outputs.items():
        if source in nodes:
            found[part] = nodes[source]
            continue
        found[part] = fallback
        if not source and len(outputs) == 1 and len(set(reads) - {s for r in reads.values() for s in r}) == 1:
            (last,) = set(reads) - {s for r in reads.values() for s in r}
            found[part] = nodes.get(last, fallback)
            continue
        near = nearest(source, tuple(steps))
        at = wirer.spec.span(f"{where.removesuffix('.steps')}.output")
        message = f"`output` names `{source}`, but no step has that name" if source else "wired steps need an `output`"
        wirer.report([finding("TD040", message, at, where=where, help=f"did you mean `{near}`?" if near else "")])
    return found


def _one(wirer: Wirer, builder: GraphBuilder, name: str, step: WiredStep, inputs: tuple[str, ...], place: Place) -> str:
    """One wired step; a single op takes the step's own name."""
    from tdspec.graph.wire import Place

    if not isinstance(step.do, BrokenPipeline) and len(step.do.steps) == 1 and step.do.steps[0].repeat == 1:
        (only,) = step.do.steps
        block = wirer.spec.document.blocks.get(only.name)
        if block is not None:
            return wirer.block_use(builder, only, block, inputs, place, name=name).name
        op = OPS.get(only.name)
        if op is not None:
            return wirer.op_use(builder, op, only, inputs, place, place.out if op.width and op.kernel else None, name=name).name
    return wirer.pipeline(
        builder, step.do, inputs, Place(place.where, place.environment, out=place.out, role=place.role, prefix=f"{name}_")
    )


def _order(wirer: Wirer, reads: dict[str, tuple[str, ...]], entries: set[str], where: str) -> list[str]:
    sorter = TopologicalSorter({name: [source for source in sources if source not in entries] for name, sources in reads.items()})
    try:
        return list(sorter.static_order())
    except CycleError as error:
        circle = error.args[1]
        at = wirer.spec.span(f"{where}.{circle[0]}")
        wirer.report([
            finding(
                "TD041", f"steps wait for each other: {' <- '.join(f'`{name}`' for name in circle)}", at,
                where=where, help="a step may read only what comes before it; for feedback over time, use an `ode`",
            )
        ])  # fmt: skip
        return []


def _unused(wirer: Wirer, reads: dict[str, tuple[str, ...]], outputs: dict[str, str], where: str) -> None:
    """Report steps from which no path leads to an output."""
    used: set[str] = set()
    waiting = [source for source in outputs.values() if source in reads]
    while waiting:
        name = waiting.pop()
        if name not in used:
            used.add(name)
            waiting += [source for source in reads[name] if source in reads]
    if not used:
        return
    for name in reads:
        if name not in used:
            at = wirer.spec.span(f"{where}.{name}")
            wirer.report([
                finding("TD044", f"nothing reads the step `{name}`", at, where=f"{where}.{name}", help="remove it, or read it with `from`")
            ])  # fmt: skip
