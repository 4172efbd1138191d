"""An ODE as a node: its state, the graph that makes it, and its field."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from tdspec.graph.builder import GraphBuilder
from tdspec.graph.graph import TIME, Graph, Node, Ode
from tdspec.graph.place import Place
from tdspec.graph.wire_steps import wire_steps
from tdspec.language.solver import conflict
from tdspec.language.structure import Field
from tdspec.language.structure import Ode as OdeSection
from tdspec.ops.shape import Shape
from tdspec.text.respell import respell
from tdspec.text.source import Span
from tdspec.text.suggest import nearest
from tdspec.text.syntax import Pipeline

if TYPE_CHECKING:
    from tdspec.graph.wirer import Wirer

State = dict[str, "Shape | None"]


def ode_node(
    wirer: Wirer, ode: OdeSection, entry: str, shape: Shape | None, where: str, name: str, span: Span | None,
    *, use: str = "",
) -> Node:  # fmt: skip
    """The node of an ODE that reads `entry`; inside its field t is one number for the batch.

    where  dotted path of the ODE's section
    use    that of the pipeline in which it stands, if it is a block
    """
    parts = tuple(sorted(ode.state)) or ("h",)  # the order of keys means nothing
    timed, per_sample = wirer.timed, wirer.per_sample
    wirer.timed = False  # before the solve there is no t
    init, state = _init(wirer, ode, shape, parts, where)
    wirer.timed, wirer.per_sample = True, False
    field = _field(wirer, ode, state, where)
    wirer.timed, wirer.per_sample = timed, per_sample
    _check(wirer, ode, state, field, where)
    t = (ode.t[0], ode.t[-1]) if ode.t else (0.0, 1.0)
    read = ode.read if ode.read in parts else parts[0]
    made = Ode(init, field, parts, read, t, ode.solver, where, ode.time == "none")
    return Node(name, "ode", (entry,), state[read], ode=made, span=span, where=use or where)


def _init(
    wirer: Wirer, ode: OdeSection, shape: Shape | None, parts: tuple[str, ...], where: str
) -> tuple[Graph | None, State]:
    """The graph that makes the state, None if it is what comes in, and every part's shape."""
    if ode.init is None:
        if len(parts) > 1:
            message = f"`ode` needs `init`: a state of {len(parts)} parts has to be made"
            help_ = "give one pipeline for each part, `init: {h: [], m: [Conv(12)]}`"
            wirer.say("TD023", message, wirer.spec.span(where), where, help=help_)
        return None, dict.fromkeys(parts, shape)
    builder = GraphBuilder("Init", {"input": shape})
    named = isinstance(ode.init, dict)
    pipelines = ode.init if isinstance(ode.init, dict) else {parts[0]: ode.init}
    ends = {}
    _known(wirer, pipelines, parts, f"{where}.init")
    for part in parts:
        place = Place(f"{where}.init.{part}" if named else f"{where}.init", prefix=f"{part}_" if named else "")
        if part not in pipelines:
            wirer.say("TD023", f"`init` needs `{part}`", wirer.spec.span(f"{where}.init"), where)
        ends[part] = wirer.pipeline(builder, pipelines.get(part), ("input",), place)
    return builder.finish(ends, where=f"{where}.init"), {part: builder.shape(end) for part, end in ends.items()}


def _field(wirer: Wirer, ode: OdeSection, state: State, where: str) -> Graph:
    """The graph of the right-hand side, with an input and an output for each part of the state."""
    builder = GraphBuilder("Field", state, scope="ode")
    builder.time_input(TIME)  # a solver hands t to every field, also to one that has no use for it
    parts = tuple(state)
    if isinstance(ode.field, Field):
        given = ode.field.output
        if isinstance(given, dict):
            _known(wirer, given, parts, f"{where}.field.output")
        outputs = dict.fromkeys(parts, "") | (given if isinstance(given, dict) else {parts[0]: given})
        ends = wire_steps(wirer, builder, ode.field.steps, outputs, Place(f"{where}.field.steps"))
        return builder.finish({part: ends[part] for part in parts}, where=f"{where}.field")
    if len(parts) > 1:
        message = f"one pipeline cannot be the derivative of {len(parts)} parts"
        help_ = "write `field: {steps: …, output: {h: …, m: …}}`"
        wirer.say("TD204", message, ode.field.span, where, help=help_)
    end = wirer.pipeline(builder, ode.field, (builder.sources[parts[0]],), Place(f"{where}.field"))
    return builder.finish(dict.fromkeys(parts, end), span=ode.field.span, where=f"{where}.field")


def _fault(field: Graph, name: str, *, sizes: bool) -> Node | None:
    """The last step on the way to a node that changes the sizes of the map, or else the channels."""
    while field[name].kind != "input":
        node = field[name]
        before, after = field[node.inputs[0]].shape, node.shape
        if before is None or after is None:
            return None
        if before.spatial != after.spatial if sizes else before.channels != after.channels:
            return node
        name = node.inputs[0]
    return None


def _kernel_or_stride(node: Node) -> str:
    """What to write where a stride may have been meant as a kernel, `ConcatConv(64, 3)`; else nothing."""
    text = node.span.text if node.span is not None else ""
    if node.op is None or node.op.kernel is None or not node.op.width or node.site is None or "," not in text:
        return ""
    stride, name = node.site["stride"], node.title
    if "stride" in text or stride == 1:
        return ""
    return f"the second argument is the stride; the kernel is a suffix: `{name}{stride}x{stride}({node.site['out']})`"


def _known(wirer: Wirer, given: Iterable[str], parts: tuple[str, ...], where: str) -> None:
    """Report what is given for parts that the state does not have."""
    key = where.rpartition(".")[2]
    for name in given:
        if name not in parts:
            message = f"`{key}` names `{name}`, but the state has {', '.join(f'`{part}`' for part in parts)}"
            near = nearest(name, parts)
            help_ = f"did you mean `{near}`?" if near else ""
            wirer.say("TD040", message, wirer.spec.key_span(f"{where}.{name}"), where, help=help_)


def _check(wirer: Wirer, ode: OdeSection, state: State, field: Graph, where: str) -> None:
    """Whether times, channels, derivatives and the part to read fit the state."""
    if len(ode.t) != 2 or ode.t[0] == ode.t[1]:
        message = "`t` should be a start and another end, such as `[0, 1]`"
        wirer.say("TD024", message, wirer.spec.span(f"{where}.t"), where)
    clash = conflict(ode.solver)
    if clash is not None:
        key, reason = clash
        missing = getattr(ode.solver, key) is None
        at = wirer.spec.span(f"{where}.solver" if missing else f"{where}.solver.{key}")
        message = f"`solver` needs `{key}`: {reason}" if missing else f"`{key}` does not go with the method: {reason}"
        wirer.say("TD023" if missing else "TD025", message, at, f"{where}.solver")
    for part, channels in ode.state.items():
        shape = state[part]
        if shape is not None and shape.channels != channels:
            message = f"`{part}` is declared with {channels} channels, but starts with {shape.channels}"
            wirer.say("TD202", message, wirer.spec.span(f"{where}.state.{part}"), where)
    for part, before in state.items():
        after = field[field.outputs[part]].shape
        if before is not None and after is not None and before != after:
            at = ode.field.span if isinstance(ode.field, Pipeline) else wirer.spec.span(f"{where}.field")
            of = f" of `{part}`" if len(state) > 1 else ""
            help_ = "a derivative has the shape of its state: keep the channels, and use no stride"
            fault = _fault(field, field.outputs[part], sizes=before.spatial != after.spatial)
            if fault is not None and fault.span is not None:
                at = fault.span
                help_ = _kernel_or_stride(fault) or help_
            wirer.say("TD204", f"the field{of} gives {after}, but its state is {before}", at, where, help=help_)
    if ode.read is None and len(state) > 1:
        message = f"`ode` needs `read`: which of {', '.join(f'`{part}`' for part in state)} leaves"
        wirer.say("TD023", message, wirer.spec.span(where), where)
    if ode.read is not None and ode.read not in state:
        message = f"`read` names `{ode.read}`, but the state has {', '.join(f'`{part}`' for part in state)}"
        at = wirer.spec.span(f"{where}.read")
        wirer.say("TD040", message, at, where, fix=respell(at, ode.read, state))
