"""One use of a block of the spec, as a nested graph: its parameters, its pipeline, its shortcut."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from tdspec.graph.arguments import pair_up
from tdspec.graph.builder import GraphBuilder
from tdspec.graph.graph import Graph, Node
from tdspec.graph.place import Place
from tdspec.graph.wire_op import environment_of
from tdspec.graph.wire_sum import wire_sum
from tdspec.language.structure import Block
from tdspec.ops.op import Role
from tdspec.ops.shape import Shape
from tdspec.report.codes import finding
from tdspec.report.finding import Finding
from tdspec.text.expression import ExpressionError, evaluate
from tdspec.text.source import Span
from tdspec.text.syntax import Step

if TYPE_CHECKING:
    from tdspec.graph.wirer import Wirer

Parameters = Mapping[str, "int | float"]


def block_node(
    wirer: Wirer, builder: GraphBuilder, step: Step, block: Block, inputs: tuple[str, ...], place: Place, *,
    out: int | None, name: str | None,
) -> Node:  # fmt: skip
    """Add one use of a block; `out` is the width that leaves it where the step does not say."""
    from tdspec.graph.wire_ode import ode_node

    where = f"blocks.{step.name}"
    name = name or builder.name(step.name, place.prefix)
    unknown = Node(name, "block", tuple(inputs), span=step.span, where=place.where)
    if step.name in wirer.stack:
        circle = " – ".join(f"`{title}`" for title in (*wirer.stack[wirer.stack.index(step.name) :], step.name))
        help_ = "use a repeat, `Res*4`, or another block"
        wirer.say("TD034", f"a block contains itself: {circle}", step.span, place.where, help=help_)
        return builder.add(unknown)
    mistakes: list[Finding] = []
    if step.kernel is not None:
        message = f"the block `{step.name}` takes no kernel suffix"
        mistakes.append(finding("TD033", message, step.name_span, where=place.where))
    shapes = tuple(builder.shape(entry) for entry in inputs)
    parameters = parameters_of(step, block, shapes[0], place, mistakes, out)
    if len(inputs) != len(block.inputs):
        message = f"the block `{step.name}` takes {len(block.inputs)} inputs, but gets {len(inputs)}"
        mistakes.append(finding("TD043", message, step.span, where=place.where))
    wirer.report(mistakes)
    if mistakes:
        return builder.add(unknown)
    wirer.stack.append(step.name)
    share = step.name if block.share else None
    if block.ode is not None:
        solved = ode_node(wirer, block.ode, inputs[0], shapes[0], f"{where}.ode", name, step.span, use=place.where)
        node = builder.add(replace(solved, share=share))
    else:
        graph = block_graph(wirer, step.name, block, shapes, parameters, where, step.span, place.role)
        node = wirer.nested(builder, name, inputs, graph, span=step.span, where=place.where, share=share)
    wirer.stack.pop()
    return node


def parameters_of(
    step: Step, block: Block, shape: Shape | None, place: Place, mistakes: list[Finding], out: int | None
) -> dict[str, int | float]:
    """What expressions inside the block may name: `in`, `out`, and its parameters."""
    what = f"the block `{step.name}`"
    known = () if block.ode is not None or block.unet is not None else ("out", *block.params)
    given = pair_up(step, known, what, mistakes, place.where)
    second = next((argument for argument in step.arguments[1:] if argument.name is None), None)
    if second is not None and not mistakes:  # the order of keys, those of `params` too, means nothing
        message = f"{what} takes `out` by position; its parameters go by name"
        names = " or ".join(f"`{name}={second.value.span.text}`" for name in block.params)
        mistakes.append(finding("TD033", message, second.span, where=place.where, help=f"write {names}"))
    parameters: dict[str, int | float] = {}
    if shape is not None:
        parameters["in"] = shape.channels
        parameters["out"] = out or shape.channels
    for name, default in block.params.items():
        if default is not None:
            parameters[name] = int(default) if default.is_integer() else default
        elif name not in given:
            mistakes.append(finding("TD033", f"{what} needs `{name}`", step.span, where=place.where))
    outer = environment_of(place, shape)
    for name, argument in given.items():
        try:
            value = evaluate(argument.value, outer)
        except ExpressionError as error:
            message = f"`{name}` of {what} {error.message}"
            mistakes.append(finding("TD032", message, error.span, where=place.where, help=error.help, fix=error.fix))
            continue
        if name == "out" and (not isinstance(value, int) or value < 1):
            message = f"`out` of {what} should be a whole number above 0, found {value}"
            mistakes.append(finding("TD032", message, argument.span, where=place.where))
            continue
        parameters[name] = value
    return parameters


def block_graph(
    wirer: Wirer, title: str, block: Block, shapes: tuple[Shape | None, ...], parameters: Parameters,
    where: str, span: Span | None, role: Role,
) -> Graph:  # fmt: skip
    """The graph of one use of a block."""
    from tdspec.graph.wire_steps import wire_steps
    from tdspec.graph.wire_unet import wire_unet

    builder = GraphBuilder(title, dict(zip(block.inputs, shapes, strict=True)))
    out = parameters.get("out")
    width = out if isinstance(out, int) else None
    entries = tuple(builder.sources.values())
    entry = entries[0]

    def at(key: str, width: int | None = None, prefix: str = "") -> Place:
        return Place(f"{where}.{key}", parameters, width, role, prefix=prefix)

    if block.steps:
        end = wire_steps(wirer, builder, block.steps, {"output": block.output or ""}, at("steps", width))["output"]
    elif block.unet is not None:
        end = wire_unet(wirer, builder, block.unet, entry, f"{where}.unet")
    else:
        start = wirer.pipeline(builder, block.pre, entries, at("pre"))
        end = wirer.pipeline(builder, block.pipeline, (start,), at("pipeline", width))
        if block.shortcut is not None or block.residual:
            # Both branches read what `pre` made; where shapes agree the input itself is added.
            side = entry
            if block.shortcut is not None and builder.shape(entry) != builder.shape(end):
                side = wirer.pipeline(builder, block.shortcut, (start,), at("shortcut", width, "shortcut_"))
            of = block.shortcut.span if block.shortcut is not None else span
            help_ = "give the block a `shortcut`, such as `[Conv1x1]`" if block.shortcut is None else ""
            end = wire_sum(wirer, builder, side, end, block.scale, at("shortcut"), of, help_)
    return builder.finish({"output": end}, span=span, where=where)
