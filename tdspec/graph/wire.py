"""Wiring: from the spec to the graph, with the shapes that follow.

A block is instantiated where it is used, because what it becomes depends on the channels it meets:
the shortcut stands only where shapes differ, a width may be an expression of C. Every mistake is a
finding at the step that made it; behind it the shape is unknown and wiring goes on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tdspec.graph.arguments import Environment, bind, pair_up, rule_of
from tdspec.graph.builder import GraphBuilder, Scope
from tdspec.graph.graph import EMBEDDING, TIME, Graph, Node
from tdspec.language.build import BrokenPipeline
from tdspec.language.structure import Block, RoleInit
from tdspec.ops import OPS
from tdspec.ops.init import needs_fans
from tdspec.ops.op import Op, Role, Rule, Site, Weight
from tdspec.ops.shape import Shape, ShapeError
from tdspec.report.codes import finding
from tdspec.report.finding import Finding, Label
from tdspec.text.expression import ExpressionError, evaluate
from tdspec.text.source import Span
from tdspec.text.suggest import nearest
from tdspec.text.syntax import Expression, Pipeline, Step
from tdspec.text.yaml_node import Mapping as MappingNode
from tdspec.text.yaml_node import Scalar

if TYPE_CHECKING:
    from tdspec.language.spec import Spec


class Place:
    """What a pipeline needs to know of where it stands.

    where        dotted path of the pipeline in the spec
    environment  what expressions may name besides C: `in`, `out`, the block's parameters
    out          width of the block's first convolution, if it is not written
    role         role that takes `operand`'s place: `head`, or `time` inside the embedding
    classes      width of the last FC, in a head
    prefix       put before the names of nodes
    """

    def __init__(
        self,
        where: str,
        environment: Environment | None = None,
        *,
        out: int | None = None,
        role: Role = "operand",
        classes: int | None = None,
        prefix: str = "",
    ) -> None:
        self.where = where
        self.environment = environment or {}
        self.out = out
        self.role: Role = role
        self.classes = classes
        self.prefix = prefix


class Wirer:
    """Wires one spec; `findings` collects what does not hold."""

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self.found: list[Finding] = []
        self.seen: set[tuple[str, Span | None]] = set()
        self.stack: list[str] = []
        self.per_sample = True  # whether each sample has a t of its own, where the wirer stands
        self.timed = True  # whether there is a t where the wirer stands
        self.embedding: int | None = None  # width of the embedding
        self.defaults = self._defaults()

    # ---------------------------------------------------------------- findings

    def report(self, findings: Iterable[Finding]) -> None:
        """Add findings, each once: a block used twice has one text."""
        for item in findings:
            key = (item.code, item.span)
            if key not in self.seen:
                self.seen.add(key)
                self.found.append(item)

    def _defaults(self) -> dict[str, dict[str, Expression]]:
        """`defaults:` by op; a scalar sets the op's first parameter."""
        section = self.spec.tree.get("defaults")
        found: dict[str, dict[str, Expression]] = {}
        if not isinstance(section, MappingNode):
            return found
        from tdspec.report.finding import Report

        for entry in section.entries:
            op = OPS.get(str(entry.key.value))
            if op is None or not op.params:
                continue
            values: dict[str, Expression] = {}
            given = (
                [(str(item.key.value), item.value) for item in entry.value.entries]
                if isinstance(entry.value, MappingNode)
                else [(op.params[0].name, entry.value)]
            )
            report = Report()
            for name, node in given:
                if isinstance(node, Scalar) and op.param(name) is not None:
                    expression = self.spec.reading.expression(node, report)
                    if expression is not None:
                        values[name] = expression
            self.report(report.findings)
            found[op.name] = values
        return found

    # ---------------------------------------------------------------- pipelines

    def pipeline(self, builder: GraphBuilder, pipeline: Pipeline | None, inputs: tuple[str, ...], place: Place) -> str:
        """Add a pipeline's steps; gives the name of the node that leaves it.

        The first step reads all `inputs`, every later one the step before it.
        """
        if pipeline is None:
            return inputs[0]
        if isinstance(pipeline, BrokenPipeline):
            return self.unknown(builder, "unread", inputs, pipeline.span, place).name
        last_fc = self._last_fc(pipeline) if place.classes is not None else None
        first_width = True
        for step in pipeline.steps:
            for _ in range(step.repeat):
                block = self.spec.document.blocks.get(step.name)
                if block is not None:
                    node = self.block_use(builder, step, block, inputs, place)
                    first_width = False
                else:
                    op = OPS.get(step.name)
                    if op is None:
                        self.report([self._unknown_op(step, place)])
                        node = self.unknown(builder, step.name, inputs, step.span, place)
                    else:
                        width = place.out if first_width and op.width and op.kernel else None
                        classes = place.classes if step is last_fc else None
                        node = self.op_use(builder, op, step, inputs, place, width, classes)
                        first_width = first_width and not (op.width and op.kernel)
                inputs = (node.name,)
        return inputs[0]

    @staticmethod
    def _last_fc(pipeline: Pipeline) -> Step | None:
        for step in reversed(pipeline.steps):
            op = OPS.get(step.name)
            if op is not None and op.width and not op.kernel:
                return step
        return None

    def _unknown_op(self, step: Step, place: Place) -> Finding:
        near = nearest(step.name, (*self.spec.document.blocks, *OPS))
        return finding(
            "TD030",
            f"there is no op and no block `{step.name}`",
            step.name_span,
            where=place.where,
            help=f"did you mean `{near}`?" if near else "blocks of your own go under `blocks:`",
        )

    def unknown(self, builder: GraphBuilder, title: str, inputs: tuple[str, ...], span: Span, place: Place) -> Node:
        """A node of which nothing is known, so that wiring can go on."""
        return builder.add(
            Node(builder.name(title, place.prefix), "op", tuple(inputs), span=span, where=place.where)
        )

    def op_use(
        self, builder: GraphBuilder, op: Op, step: Step, inputs: tuple[str, ...], place: Place,
        width: int | None = None, classes: int | None = None, name: str | None = None,
    ) -> Node:  # fmt: skip
        """One use of an op: its arguments, its time input, its shape, its weights."""
        shapes = tuple(builder.shape(entry) for entry in inputs)
        known = tuple(shape for shape in shapes if shape is not None)
        environment = dict(place.environment)
        if shapes[0] is not None:
            environment["C"] = shapes[0].channels
            environment.setdefault("in", shapes[0].channels)
        mistakes: list[Finding] = []
        if shapes[0] is None and "C" not in environment:
            environment.update({"C": 1, "in": environment.get("in", 1)})
        bound = bind(step, op, self.defaults.get(op.name, {}), environment, mistakes, place.where)
        if shapes[0] is None:  # without C, what an expression gives means nothing
            mistakes = [item for item in mistakes if item.code != "TD032"]
        values = bound.values
        if op.width and values[op.width] is None:
            values[op.width] = width or classes or (shapes[0].channels if shapes[0] is not None else None)
        elif op.width and classes is not None and values[op.width] != classes:
            mistakes.append(
                finding(
                    "TD206",
                    f"the last `{op.name}` has {values[op.width]} outputs, but the data has {classes} classes",
                    bound.spans.get(op.width, step.span), where=place.where,
                    help=f"leave the width out, `{op.name}`, and it follows the data",
                )
            )  # fmt: skip
        if any(param.name == "act" for param in op.params) and values["act"] == "Act":
            values["act"] = self.activation(environment)
        name = name or builder.name(op.name, place.prefix)
        least, most = op.inputs
        if len(inputs) < least or (most is not None and len(inputs) > most):
            wants = f"{least}" if least == most else f"at least {least}"
            mistakes.append(
                finding("TD043", f"`{step.name}` takes {wants} input{'s' * (least != 1)}, but gets {len(inputs)}", step.span, where=place.where)
            )
        sources = tuple(inputs)
        embedding = self.embedding if op.takes == "embedding" else None
        if op.needs_time:
            if self.timed:
                sources = (*sources, self.time_source(builder, embedding is not None))
            else:
                mistakes.append(self._no_time(step, place))
        self.report(mistakes)
        failed = any(item.code != "TD206" for item in mistakes) or len(known) < len(shapes) or (
            op.width is not None and values[op.width] is None
        )
        node = Node(name, "op", sources, op=op, span=step.span, where=place.where)
        if failed:
            return builder.add(node)
        site = Site(values, known, embedding, per_sample=self.per_sample)
        try:
            shape = op.infer(site)
        except ShapeError as error:
            span = bound.spans.get(error.argument or "", step.span)
            self.report([finding(error.code, error.message, span, where=place.where, help=error.help)])
            return builder.add(replace(node, shape=error.shape))
        site = site._replace(output=shape)
        starts = tuple((weight, self.start(weight, site, place)) for weight in self.roles(op, site, place))
        return builder.add(
            Node(name, "op", sources, shape, op, site, starts, span=step.span, where=place.where)
        )

    def activation(self, environment: Environment) -> str:
        """The spec's `Act`."""
        from tdspec.graph.arguments import value_of

        act = OPS["Act"]
        written = self.defaults.get("Act", {}).get("kind")
        try:
            return str(value_of(act.params[0], written, environment)) if written is not None else str(act.params[0].default)
        except ExpressionError:
            return str(act.params[0].default)

    def _no_time(self, step: Step, place: Place) -> Finding:
        return finding(
            "TD042",
            f"`{step.name}` needs t, but there is none here",
            step.span,
            where=place.where,
            help="t exists inside an `ode`'s field, and in a model that takes t (a U-Net); move the step there",
        )

    def time_source(self, builder: GraphBuilder, embedded: bool) -> str:
        """Where a step of this graph reads t, or the embedding, from."""
        if not embedded:
            return builder.time_input(TIME)
        if EMBEDDING in builder or builder.scope is None:
            return builder.time_input(EMBEDDING)
        if "embed" not in builder:
            graph = self.embed_graph()
            builder.add(
                Node("embed", "block", (builder.time_input(TIME),), graph.output.shape, graph=graph, where="time.embed")
            )
        return "embed"

    # ---------------------------------------------------------------- weights

    @staticmethod
    def roles(op: Op, site: Site, place: Place) -> tuple[Weight, ...]:
        """The op's weights with the role that their place gives them."""
        weights = op.weights(site)
        if place.role == "operand":
            return weights
        return tuple(weight._replace(role=place.role) if weight.role == "operand" else weight for weight in weights)

    def start(self, weight: Weight, site: Site, place: Place) -> Rule:
        """How a weight starts: the step's argument, the spec's rule for its role, or the op's own."""
        given = site.arguments.get(weight.by) if weight.by else None
        span: Span | None = None
        if not isinstance(given, Rule):
            section: RoleInit = getattr(self.spec.init, weight.role)
            written = section.bias if weight.bias else section.weight
            if written is None:
                return weight.start
            span = written.span
            try:
                given = rule_of(written)
            except ExpressionError as error:
                self.report([finding("TD032", f"the rule {error.message}", error.span, where=f"init.{weight.role}", help=error.help)])
                return weight.start
        if weight.bias and needs_fans(given):
            message = f"`{given.kind}` asks for fan-in and fan-out, which a bias does not have"
            self.report([finding("TD032", message, span or self.spec.span(place.where), where=place.where, help="use `zeros`, `normal(…)` or `uniform(…)`")])
            return weight.start
        return given

    # ---------------------------------------------------------------- blocks

    def block_use(
        self, builder: GraphBuilder, step: Step, block: Block, inputs: tuple[str, ...], place: Place,
        out: int | None = None, name: str | None = None,
    ) -> Node:  # fmt: skip
        """One use of a block of the spec, as a nested graph."""
        where = f"blocks.{step.name}"
        name = name or builder.name(step.name, place.prefix)
        node = Node(name, "block", tuple(inputs), span=step.span, where=place.where)
        if step.name in self.stack:
            circle = " – ".join(f"`{title}`" for title in (*self.stack[self.stack.index(step.name) :], step.name))
            self.report([finding("TD034", f"a block contains itself: {circle}", step.span, where=place.where, help="use a repeat, `Res*4`, or another block")])
            return builder.add(node)
        mistakes: list[Finding] = []
        if step.kernel is not None:
            mistakes.append(finding("TD033", f"the block `{step.name}` takes no kernel suffix", step.name_span, where=place.where))
        shapes = tuple(builder.shape(entry) for entry in inputs)
        environment = self._parameters(step, block, shapes[0], place, mistakes, out)
        if len(inputs) != len(block.inputs):
            mistakes.append(
                finding("TD043", f"the block `{step.name}` takes {len(block.inputs)} inputs, but gets {len(inputs)}", step.span, where=place.where)
            )
        self.report(mistakes)
        if mistakes:
            return builder.add(node)
        self.stack.append(step.name)
        if block.ode is not None:
            from tdspec.graph.wire_ode import ode_node

            node = ode_node(self, block.ode, inputs[0], shapes[0], f"{where}.ode", name, step.span)
        else:
            graph = self.block_graph(step.name, block, shapes, environment, where, step.span, place.role)
            node = Node(
                name, "block", tuple(inputs) + self._time_for(builder, graph), graph.output.shape, graph=graph,
                span=step.span, where=place.where, share=step.name if block.share else None,
            )  # fmt: skip
        self.stack.pop()
        return builder.add(node)

    def _time_for(self, builder: GraphBuilder, graph: Graph) -> tuple[str, ...]:
        """The time inputs that a nested graph wants, from the graph around it."""
        return tuple(self.time_source(builder, name == EMBEDDING) for name in graph.time_inputs)

    def _parameters(
        self, step: Step, block: Block, shape: Shape | None, place: Place, mistakes: list[Finding], out: int | None
    ) -> dict[str, int | float]:
        """The environment inside a block: `in`, `out`, and its parameters."""
        outer = dict(place.environment)
        if shape is not None:
            outer["C"] = shape.channels
            outer.setdefault("in", shape.channels)
        given = pair_up(step, ("out", *block.params), f"the block `{step.name}`", mistakes, place.where)
        environment: dict[str, int | float] = {}
        if shape is not None:
            environment["in"] = shape.channels
            environment["out"] = out or shape.channels
        for name, default in block.params.items():
            if default is not None:
                environment[name] = int(default) if default.is_integer() else default
            elif name not in given:
                mistakes.append(finding("TD033", f"the block `{step.name}` needs `{name}`", step.span, where=place.where))
        for name, argument in given.items():
            try:
                value = evaluate(argument.value, outer)
            except ExpressionError as error:
                mistakes.append(finding("TD032", f"`{name}` of `{step.name}` {error.message}", error.span, where=place.where, help=error.help))
                continue
            if name == "out" and (not isinstance(value, int) or value < 1):
                mistakes.append(finding("TD032", f"`out` of `{step.name}` should be a whole number above 0, found {value}", argument.span, where=place.where))
                continue
            environment[name] = value
        return environment

    def block_graph(
        self, title: str, block: Block, shapes: tuple[Shape | None, ...], environment: Mapping[str, int | float],
        where: str, span: Span | None, role: Role = "operand",
    ) -> Graph:  # fmt: skip
        """The graph of one use of a block."""
        builder = GraphBuilder(title, dict(zip(block.inputs, shapes, strict=True)))
        out = environment.get("out")
        place = Place(where, environment, out=out if isinstance(out, int) else None, role=role)
        if block.steps:
            from tdspec.graph.wire_steps import wire_steps

            end = wire_steps(self, builder, block.steps, {"output": block.output or ""}, place, span)["output"]
            return builder.finish({"output": end}, span=span, where=where)
        if block.unet is not None:
            from tdspec.graph.wire_unet import wire_unet

            end = wire_unet(self, builder, block.unet, block.inputs[0], f"{where}.unet")
            return builder.finish({"output": end}, span=span, where=where)
        start = self.pipeline(builder, block.pre, block.inputs, self._at(place, "pre"))
        end = self.pipeline(builder, block.pipeline, (start,), self._at(place, "pipeline", out=place.out))
        if block.shortcut is not None or block.residual:
            end = self._shortcut(builder, block, start, end, self._at(place, "shortcut", out=place.out), span)
        return builder.finish({"output": end}, span=span, where=where)

    @staticmethod
    def _at(place: Place, key: str, out: int | None = None) -> Place:
        prefix = "shortcut_" if key == "shortcut" else ""
        return Place(f"{place.where}.{key}", place.environment, out=out, role=place.role, prefix=prefix)

    def _shortcut(self, builder: GraphBuilder, block: Block, start: str, end: str, place: Place, span: Span | None) -> str:
        """Add what went in to what came out, through the shortcut where their shapes differ."""
        # A residual block adds its own input; with a shortcut, both branches read what `pre` made,
        # and where shapes agree the input itself is added.
        entry = block.inputs[0]
        if builder.shape(entry) == builder.shape(end) or block.shortcut is None:
            side = entry
        else:
            side = self.pipeline(builder, block.shortcut, (start,), place)
        step = _synthetic("Add", block.shortcut.span if block.shortcut is not None else span)
        if builder.shape(side) is None or builder.shape(end) is None:
            return self.unknown(builder, "Add", (side, end), step.span, place).name
        if builder.shape(side) != builder.shape(end):
            help_ = "give the block a `shortcut`, such as `[Conv1x1]`" if block.shortcut is None else ""
            self.report([
                finding(
                    "TD202", f"what is added differs in shape: {builder.shape(side)} and {builder.shape(end)}",
                    step.span, where=place.where, help=help_,
                )
            ])  # fmt: skip
            return self.unknown(builder, "Add", (side, end), step.span, place).name
        total = self.op_use(builder, OPS["Add"], step, (side, end), Place(place.where, place.environment)).name
        if block.scale is None:
            return total
        try:
            by = evaluate(block.scale, place.environment)
        except ExpressionError as error:
            self.report([finding("TD032", f"`scale` {error.message}", error.span, where=place.where, help=error.help)])
            return total
        node = builder.nodes[total]
        scale = OPS["Scale"]
        assert node.shape is not None
        site = Site({"by": by, "learned": False, "squash": "none"}, (node.shape,), output=node.shape)
        return builder.add(
            Node(builder.name("Scale"), "op", (total,), node.shape, scale, site, span=step.span, where=place.where)
        ).name

    def embed_graph(self) -> Graph:
        """The graph of `time.embed`: from t to the embedding."""
        time = self.spec.time
        assert time is not None
        builder = GraphBuilder("TimeEmbed", {"t": Shape(1)})
        start = "t"
        place = Place("time.embed", role="time")
        if time.argument is not None:
            start = self._argument(builder, time.argument)
        # Inside its own pipeline there is no embedding to take.
        width, self.embedding = self.embedding, None
        end = self.pipeline(builder, time.embed, (start,), place)
        self.embedding = width
        return builder.finish({"output": end}, span=time.embed.span if time.embed else None, where="time.embed")

    def _argument(self, builder: GraphBuilder, argument: Expression) -> str:
        try:
            zero, one, two = (evaluate(argument, {"t": float(value)}) for value in (0, 1, 2))
        except ExpressionError as error:
            self.report([finding("TD032", f"`argument` {error.message}", error.span, where="time.argument", help=error.help)])
            return "t"
        if zero != 0 or abs(two - 2 * one) > 1e-9 * abs(two):
            self.report([
                finding("TD032", "`argument` should be a multiple of t, such as `1000*t`", argument.span, where="time.argument")
            ])  # fmt: skip
            return "t"
        site = Site({"by": one, "learned": False, "squash": "none"}, (Shape(1),), output=Shape(1))
        return builder.add(
            Node(builder.name("Scale"), "op", ("t",), Shape(1), OPS["Scale"], site, span=argument.span, where="time.argument")
        ).name

    # ---------------------------------------------------------------- the model

    def model(self) -> Graph:
        """The graph of the whole network."""
        model = self.spec.model
        time = self.spec.time
        if time is not None and time.embed is not None:
            graph = self.embed_graph()
            shape = graph.output.shape
            if shape is not None and shape.spatial:
                self.report([finding("TD203", f"the embedding should be a vector, but is {shape}", time.embed.span, where="time.embed")])
                shape = None
            self.embedding = shape.channels if shape is not None else 1
        # A model takes t if it is a U-Net, or holds steps of time outside any ODE.
        self.timed = self.per_sample = model.unet is not None or any(block.unet is not None for block in self.spec.document.blocks.values())
        scope: Scope | None = "model" if self.timed else None
        if not model.input or min(model.input) < 1:
            self.report([finding("TD024", "`input` should be channels and positions above 0, such as `[3, 32, 32]`", self.spec.span("model.input"), where="model.input")])
            shape = None
        else:
            shape = Shape(model.input[0], tuple(model.input[1:]))
        builder = GraphBuilder("Network", {"input": shape}, scope=scope)
        end = self._model_body(builder, shape)
        return builder.finish({"output": end}, where="model")

    def _model_body(self, builder: GraphBuilder, shape: Shape | None) -> str:
        from tdspec.graph.wire_ode import ode_node
        from tdspec.graph.wire_steps import wire_steps
        from tdspec.graph.wire_unet import wire_unet

        model = self.spec.model
        ways = [key for key in ("pipeline", "steps") if getattr(model, key)]
        parts = [key for key in ("stem", "ode", "unet", "head") if getattr(model, key) is not None]
        if len(ways) > 1 or (ways and parts) or (model.ode is not None and model.unet is not None):
            both = (*ways, *parts) if ways else ("ode", "unet")
            spans = [self.spec.span(f"model.{key}") for key in both]
            self.report([
                finding(
                    "TD025", f"a model has either `{both[0]}` or `{both[1]}`", spans[1], where="model",
                    labels=(Label(spans[0], f"`{both[0]}` stands here"),), help="keep one of them; for more, use `pipeline` and blocks",
                )
            ])  # fmt: skip
            return "input"
        if not ways and not parts:
            self.report([finding("TD023", "`model` needs a `pipeline`, `steps`, or a `stem`, `ode`, `unet` or `head`", self.spec.span("model"), where="model")])
            return "input"
        end = "input"
        if model.steps:
            inner = GraphBuilder("Body", {"input": builder.shape(end)})
            ends = wire_steps(self, inner, model.steps, {"output": model.output or ""}, Place("model.steps"), None)
            return self.nested(builder, "body", end, inner.finish(ends, where="model.steps"))
        if model.pipeline is not None:
            place = Place("model.pipeline", classes=self.spec.classes)
            return self.part(builder, "body", self._logits(model.pipeline), end, place)
        if model.stem is not None:
            end = self.part(builder, "stem", model.stem, end, Place("model.stem"))
        if model.ode is not None:
            node = ode_node(self, model.ode, end, builder.shape(end), "model.ode", "ode", model.ode.field.span if isinstance(model.ode.field, Pipeline) else None)
            end = builder.add(node).name
        if model.unet is not None:
            inner = GraphBuilder("UNet", {"input": builder.shape(end)})
            leaves = wire_unet(self, inner, model.unet, "input", "model.unet")
            end = self.nested(builder, "unet", end, inner.finish({"output": leaves}, where="model.unet"))
        if model.head is not None:
            classes = self.spec.classes
            end = self.part(builder, "head", self._logits(model.head), end, Place("model.head", role="head", classes=classes))
        return end

    def part(self, builder: GraphBuilder, name: str, pipeline: Pipeline, entry: str, place: Place) -> str:
        """A named part of the model as a graph of its own, so that its weights carry its name."""
        inner = GraphBuilder(name.capitalize(), {"input": builder.shape(entry)})
        end = self.pipeline(inner, pipeline, ("input",), place)
        return self.nested(builder, name, entry, inner.finish({"output": end}, span=pipeline.span, where=place.where))

    def nested(self, builder: GraphBuilder, name: str, entry: str, graph: Graph) -> str:
        """A finished graph as a node that reads `entry`, and time where the graph wants it."""
        inputs = (entry, *self._time_for(builder, graph))
        return builder.add(
            Node(name, "block", inputs, graph.output.shape, graph=graph, span=graph.span, where=graph.where)
        ).name

    @staticmethod
    def _logits(pipeline: Pipeline) -> Pipeline:
        """The pipeline without a final Softmax: the module gives logits, the loss applies it once."""
        if isinstance(pipeline, BrokenPipeline) or not pipeline.steps or pipeline.steps[-1].name != "Softmax":
            return pipeline
        return Pipeline(pipeline.steps[:-1], pipeline.span)


def _synthetic(name: str, span: Any) -> Step:
    """A step that the language implies, at the text that implies it."""
    return Step(name, None, (), 1, span, span)


def wire(spec: Spec) -> tuple[Graph, list[Finding]]:
    """The network's graph, and what does not hold about it."""
    wirer = Wirer(spec)
    return wirer.model(), wirer.found
