"""An ODE as a node: its state, the graph that makes it, and its field."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tdspec.graph.builder import GraphBuilder
from tdspec.graph.graph import TIME, Graph, Node, Ode
from tdspec.language.structure import Field
from tdspec.language.structure import Ode as OdeSection
from tdspec.ops.shape import Shape
from tdspec.report.codes import finding
from tdspec.text.source import Span
from tdspec.text.syntax import Pipeline

if TYPE_CHECKING:
    from tdspec.graph.wire import Wirer


def ode_node(
    wirer: Wirer, ode: OdeSection, entry: str, shape: Shape | None, where: str, name: str, span: Span | None
) -> Node:
    """The node of an ODE that reads `entry`; inside its field t is one number for the batch."""
    parts = tuple(ode.state) or ("h",)
    init, state = _init(wirer, ode, shape, parts, where)
    if len(ode.t) != 2 or ode.t[0] == ode.t[1]:
        wirer.report([
            finding("TD024", "`t` should be a start and another end, such as `[0, 1]`", wirer.spec.span(f"{where}.t"), where=where)
        ])  # fmt: skip
    outer = wirer.timed, wirer.per_sample
    wirer.timed, wirer.per_sample = True, False
    field = _field(wirer, ode, state, parts, where)
    wirer.timed, wirer.per_sample = outer
    for part in parts:
        before, after = state[part], field[field.outputs[part]].shape
        if before is not None and after is not None and before != after:
            at = ode.field.span if isinstance(ode.field, Pipeline) else wirer.spec.span(f"{where}.field")
            of = f" of `{part}`" if len(parts) > 1 else ""
            wirer.report([
                finding(
                    "TD204", f"the field{of} gives {after}, but its state is {before}", at, where=where,
                    help="a derivative has the shape of its state: keep the channels, and use no stride",
                )
            ])  # fmt: skip
    read = ode.read if ode.read is not None else parts[0]
    if read not in parts:
        wirer.report([
            finding("TD040", f"`read` names `{read}`, but the state has {', '.join(parts)}", wirer.spec.span(f"{where}.read"), where=where)
        ])  # fmt: skip
        read = parts[0]
    t = (ode.t[0], ode.t[-1]) if ode.t else (0.0, 1.0)
    node = Ode(init, field, parts, read, t, ode.solver)
    return Node(name, "ode", (entry,), state[read], ode=node, span=span, where=where)


def _init(
    wirer: Wirer, ode: OdeSection, shape: Shape | None, parts: tuple[str, ...], where: str
) -> tuple[Graph | None, dict[str, Shape | None]]:
    """The graph that makes the state, and every part's shape."""
    from tdspec.graph.wire import Place

    timed, wirer.timed = wirer.timed, False  # before the solve there is no t
    graph: Graph | None = None
    state: dict[str, Shape | None]
    if ode.init is None:
        state = {part: shape for part in parts}
        if len(parts) > 1:
            wirer.report([
                finding(
                    "TD023", f"`ode` needs `init`: a state of {len(parts)} parts has to be made", wirer.spec.span(where),
                    where=where, help="give one pipeline for each part, `init: {h: [], m: [Conv(12)]}`",
                )
            ])  # fmt: skip
    else:
        builder = GraphBuilder("Init", {"input": shape})
        pipelines = ode.init if isinstance(ode.init, dict) else {parts[0]: ode.init}
        ends = {}
        for part in parts:
            pipeline = pipelines.get(part)
            prefix = f"{part}_" if len(parts) > 1 else ""
            place = Place(f"{where}.init" + (f".{part}" if isinstance(ode.init, dict) else ""), prefix=prefix)
            if pipeline is None:
                wirer.report([finding("TD023", f"`init` needs `{part}`", wirer.spec.span(f"{where}.init"), where=where)])
            ends[part] = wirer.pipeline(builder, pipeline, ("input",), place)
        graph = builder.finish(ends, where=f"{where}.init")
        state = {part: builder.shape(end) for part, end in ends.items()}
    wirer.timed = timed
    for part, channels in ode.state.items():
        found = state[part]
        if found is not None and found.channels != channels:
            wirer.report([
                finding(
                    "TD202", f"`{part}` is declared with {channels} channels, but starts with {found.channels}",
                    wirer.spec.span(f"{where}.state.{part}"), where=where,
                )
            ])  # fmt: skip
    return graph, state


def _field(wirer: Wirer, ode: OdeSection, state: dict[str, Shape | None], parts: tuple[str, ...], where: str) -> Graph:
    from tdspec.graph.wire import Place
    from tdspec.graph.wire_steps import wire_steps

    builder = GraphBuilder("Field", dict(state), scope="ode")
    builder.time_input(TIME)  # a solver hands t to every field, also to one that has no use for it
    place = Place(f"{where}.field")
    if isinstance(ode.field, Field):
        output = ode.field.output
        outputs = dict.fromkeys(parts, "") | output if isinstance(output, dict) else {parts[0]: output}
        ends = wire_steps(wirer, builder, ode.field.steps, outputs, place, None)
        ends = {part: ends.get(part, part) for part in parts}
        return builder.finish(ends, where=place.where)
    if len(parts) > 1:
        wirer.report([
            finding(
                "TD204", f"one pipeline cannot be the derivative of {len(parts)} parts", ode.field.span, where=where,
                help="write `field: {steps: …, output: {h: …, m: …}}`",
            )
        ])  # fmt: skip
    end = wirer.pipeline(builder, ode.field, (parts[0],), place)
    outputs = dict.fromkeys(parts, end)
    return builder.finish(outputs, span=ode.field.span, where=place.where)
