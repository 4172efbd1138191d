"""One use of an op as a node: its arguments, its time input, its shape, its weights."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tdspec.graph.arguments import bind, rule_of, value_of
from tdspec.graph.builder import GraphBuilder
from tdspec.graph.graph import Node
from tdspec.graph.place import Environment, Place
from tdspec.graph.wire_time import time_source
from tdspec.language.structure import RoleInit
from tdspec.ops import OPS
from tdspec.ops.init import needs_fans
from tdspec.ops.op import Op, Rule, Site, Weight
from tdspec.ops.shape import Shape, ShapeError
from tdspec.report.codes import finding
from tdspec.report.finding import Finding
from tdspec.text.expression import ExpressionError
from tdspec.text.source import Span
from tdspec.text.syntax import Step

if TYPE_CHECKING:
    from tdspec.graph.wirer import Wirer


def op_node(
    wirer: Wirer, builder: GraphBuilder, op: Op, step: Step, inputs: tuple[str, ...], place: Place, *,
    width: int | None = None, classes: int | None = None, name: str | None = None,
) -> Node:  # fmt: skip
    """Add one use of an op; `width`, `classes` and `name` as in `Wirer.step`."""
    shapes = tuple(builder.shape(entry) for entry in inputs)
    known = tuple(shape for shape in shapes if shape is not None)
    mistakes: list[Finding] = []
    environment = environment_of(place, shapes[0])
    defaults = wirer.defaults.get(op.name, {})
    bound = bind(step, op, defaults, environment, mistakes, place.where, known=shapes[0] is not None)
    values = bound.values
    if op.width and values[op.width] is None:
        kept = shapes[0].channels if shapes[0] is not None else None
        values[op.width] = (width if op.kernel else None) or classes or kept
        if classes == 0:
            message = f"the last `{op.name}` has no width, and the data do not say how many classes there are"
            help_ = f"write `data: {{…, classes: 10}}`, or the width, `{op.name}(10)`"
            wirer.say("TD206", message, step.span, place.where, help=help_)
    elif op.width and classes and values[op.width] != classes:
        message = f"the last `{op.name}` has {values[op.width]} outputs, but the data has {classes} classes"
        help_ = f"leave the width out, `{op.name}`, and it follows the data"
        wirer.say("TD206", message, bound.spans.get(op.width, step.span), place.where, help=help_)
    if values.get("act") == "Act":
        values["act"] = activation(wirer, environment)
    name = name or builder.name(op.name, place.prefix)
    least, most = op.inputs
    if len(inputs) < least or (most is not None and len(inputs) > most):
        wants = f"{least}" if least == most else f"at least {least}"
        message = f"`{step.name}` takes {wants} input{'s' * (least != 1)}, but gets {len(inputs)}"
        mistakes.append(finding("TD043", message, step.span, where=place.where))
    sources = tuple(inputs)
    embedding = wirer.embedding if op.takes == "embedding" else None
    if op.needs_time and wirer.timed:
        sources = (*sources, time_source(wirer, builder, embedding is not None))
    elif op.needs_time:
        help_ = "t exists inside an `ode`'s field, and in a model without ODEs that has a U-Net or `time.embed`"
        message = f"`{step.name}` needs t, but there is none here"
        mistakes.append(finding("TD042", message, step.span, where=place.where, help=help_))
    wirer.report(mistakes)
    node = Node(name, "op", sources, op=op, span=step.span, where=place.where)
    if mistakes or len(known) < len(shapes) or (op.width is not None and values[op.width] is None):
        return builder.add(node)
    site = Site(values, known, embedding, per_sample=wirer.per_sample)
    try:
        shape = op.infer(site)
    except ShapeError as error:
        span = bound.spans.get(error.argument or "", step.span)
        wirer.say(error.code, error.message, span, place.where, help=error.help)
        if error.code == "TD201":
            wirer.undivided.setdefault(span, []).append((step, values["groups"]))
        return builder.add(replace(node, shape=error.shape))
    site = replace(site, output=shape)
    starts = tuple((weight, start(wirer, weight, site, place)) for weight in roles(op, site, place))
    return builder.add(replace(node, shape=shape, site=site, starts=starts))


def implied(
    builder: GraphBuilder, op: Op, values: dict[str, object], entry: str, span: Span | None, where: str,
    prefix: str = "",
) -> Node:  # fmt: skip
    """An op of one input that the spec implies without writing it as a step."""
    shape = builder.shape(entry)
    assert shape is not None
    site = Site(values, (shape,), output=shape)
    return builder.add(Node(builder.name(op.name, prefix), "op", (entry,), shape, op, site, span=span, where=where))


def environment_of(place: Place, shape: Shape | None) -> dict[str, int | float]:
    """What the expressions of a step may name; 1 stands for channels that are not known."""
    environment = dict(place.environment)
    channels = shape.channels if shape is not None else 1
    environment["C"] = channels
    environment.setdefault("in", channels)
    return environment


def activation(wirer: Wirer, environment: Environment) -> str:
    """The spec's `Act`."""
    kind = OPS["Act"].params[0]
    written = wirer.defaults.get("Act", {}).get(kind.name)
    try:
        return str(value_of(kind, written, environment) if written is not None else kind.default)
    except ExpressionError:  # said where `defaults` are read
        return str(kind.default)


def roles(op: Op, site: Site, place: Place) -> tuple[Weight, ...]:
    """The op's weights with the role that their place gives them."""
    weights = op.weights(site)
    if place.role == "operand":
        return weights
    return tuple(weight._replace(role=place.role) if weight.role == "operand" else weight for weight in weights)


def start(wirer: Wirer, weight: Weight, site: Site, place: Place) -> Rule:
    """How a weight starts: by the step's argument, the spec's rule for its role, or the op's own."""
    given = site.arguments.get(weight.by) if weight.by else None
    span: Span | None = None
    if not isinstance(given, Rule):
        section: RoleInit = getattr(wirer.spec.init, weight.role)
        written = section.bias if weight.bias else section.weight
        if written is None:
            return weight.start
        span = written.span
        try:
            given = rule_of(written)
        except ExpressionError as error:
            where = f"init.{weight.role}"
            wirer.say("TD032", f"the rule {error.message}", error.span, where, help=error.help, fix=error.fix)
            return weight.start
    if weight.bias and needs_fans(given):
        message = f"`{given.kind}` asks for fan-in and fan-out, which a bias does not have"
        help_ = "use `zeros`, `normal(…)` or `uniform(…)`"
        wirer.say("TD032", message, span or wirer.spec.span(place.where), place.where, help=help_)
        return weight.start
    return given
