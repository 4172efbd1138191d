"""The wirer: what all parts of wiring share, and pipelines, from which everything is made.

A block is instantiated where it is used, because what it becomes depends on the channels it meets:
the shortcut stands only where shapes differ, a width may be an expression of C. Every mistake is a
finding at the step that made it; behind it the shape is unknown and wiring goes on.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from tdspec.graph.arguments import refused
from tdspec.graph.builder import GraphBuilder
from tdspec.graph.graph import EMBEDDING, Graph, Node
from tdspec.graph.place import Place
from tdspec.graph.wire_block import block_node
from tdspec.graph.wire_op import op_node
from tdspec.graph.wire_time import time_source
from tdspec.language.build import BrokenPipeline
from tdspec.ops import OPS, TORCH_NAMES, UNCLEAR_TORCH_NAMES
from tdspec.report.codes import finding
from tdspec.report.finding import Finding, Label, Report
from tdspec.text.respell import respell, write
from tdspec.text.source import Span
from tdspec.text.suggest import nearest
from tdspec.text.syntax import Expression, Pipeline, Step
from tdspec.text.yaml_node import Mapping, Scalar

if TYPE_CHECKING:
    from tdspec.language.spec import Spec
    from tdspec.report.fix import Fix


class Wirer:
    """The state of wiring one spec.

    found       what does not hold
    stack       blocks being instantiated, from the outside in
    timed       whether there is a t where the wirer stands
    per_sample  whether each sample has a t of its own there
    embedding   width of the embedding; None where steps take t itself
    labelled    whether labels join the model's embedding
    defaults    `defaults:` by op
    undivided   steps whose groups do not divide their channels, with these groups, by the finding's place
    """

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self.found: list[Finding] = []
        self.seen: set[tuple[str, Span | None]] = set()
        self.stack: list[str] = []
        self.timed = True
        self.per_sample = True
        self.embedding: int | None = None
        self.labelled = False
        self.defaults = self._defaults()
        self.undivided: dict[Span, list[tuple[Step, int]]] = {}

    # ------------------------------------------------------------ findings

    def say(
        self, code: str, message: str, span: Span | None, where: str, *, help: str = "",
        labels: tuple[Label, ...] = (), fix: Fix | None = None,
    ) -> None:  # fmt: skip
        """Report a mistake."""
        self.report([finding(code, message, span, where=where, help=help, labels=labels, fix=fix)])

    def report(self, findings: Iterable[Finding]) -> None:
        """Add findings, each place once: a block used twice has one text."""
        for item in findings:
            key = (item.code, item.span)
            if key not in self.seen:
                self.seen.add(key)
                self.found.append(item)

    def _defaults(self) -> dict[str, dict[str, Expression]]:
        """`defaults:` by op; a scalar sets the op's first parameter."""
        section = self.spec.tree.get("defaults")
        found: dict[str, dict[str, Expression]] = {}
        if not isinstance(section, Mapping):
            return found
        for entry in section.entries:
            op = OPS.get(str(entry.key.value))
            if op is None or not op.params:
                continue
            given = (
                [(str(item.key.value), item.value) for item in entry.value.entries]
                if isinstance(entry.value, Mapping)
                else [(op.params[0].name, entry.value)]
            )
            report = Report()
            values = {
                name: expression
                for name, node in given
                if isinstance(node, Scalar) and (param := op.param(name)) is not None
                if (expression := self.spec.reading.expression(node, report)) is not None
                if not refused(param, expression)
            }
            self.report(report.findings)
            found[op.name] = values
        return found

    # ------------------------------------------------------------ pipelines

    def pipeline(self, builder: GraphBuilder, pipeline: Pipeline | None, inputs: tuple[str, ...], place: Place) -> str:
        """Add a pipeline's steps; gives the name of the node that leaves it.

        The first step reads all `inputs`, every later one the step before it.
        """
        if pipeline is None:
            return inputs[0]
        if isinstance(pipeline, BrokenPipeline):
            return self.unknown(builder, "unread", inputs, pipeline.span, place).name
        last_fc = self._last_fc(pipeline) if place.classes is not None else None
        width = place.out
        for step in pipeline.steps:
            classes = place.classes if step is last_fc else None
            for _ in range(step.repeat):
                node = self.step(builder, step, inputs, place, width=width, classes=classes)
                if (
                    node.graph is not None
                    or node.ode is not None
                    or (node.op is not None and node.op.kernel is not None and node.op.width)
                ):
                    width = None  # only the first convolution goes to the block's `out`
                inputs = (node.name,)
        return inputs[0]

    def step(
        self, builder: GraphBuilder, step: Step, inputs: tuple[str, ...], place: Place, *,
        width: int | None = None, classes: int | None = None, name: str | None = None,
    ) -> Node:  # fmt: skip
        """One step: a use of a block of the spec, or of an op.

        width    output channels of a convolution that does not say
        classes  output channels of the FC that ends a classifier
        name     of the node, instead of the k-th use of its op
        """
        block = self.spec.document.blocks.get(step.name)
        if block is not None:
            return block_node(self, builder, step, block, inputs, place, out=None, name=name)
        op = OPS.get(step.name)
        if op is not None:
            return op_node(self, builder, op, step, inputs, place, width=width, classes=classes, name=name)
        near = TORCH_NAMES.get(step.name) or nearest(step.name, (*self.spec.document.blocks, *OPS))
        help_ = f"did you mean `{near}`?" if near else "blocks of your own go under `blocks:`"
        message = f"there is no op and no block `{step.name}`"
        self.say("TD030", message, step.name_span, place.where, help=help_, fix=self._meant(step))
        return self.unknown(builder, step.name, inputs, step.span, place)

    def _meant(self, step: Step) -> Fix | None:
        """The op or the block whose name is misspelt; of torch's names those that stand without arguments of torch."""
        if step.name in TORCH_NAMES:
            plain = not step.arguments and step.kernel is None and step.name not in UNCLEAR_TORCH_NAMES
            return write(step.name_span, TORCH_NAMES[step.name]) if plain else None
        return respell(step.name_span, step.name, (*self.spec.document.blocks, *OPS))

    @staticmethod
    def _last_fc(pipeline: Pipeline) -> Step | None:
        """The last step whose op has a width and no kernel."""
        for step in reversed(pipeline.steps):
            op = OPS.get(step.name)
            if op is not None and op.width and not op.kernel:
                return step
        return None

    def unknown(
        self, builder: GraphBuilder, title: str, inputs: tuple[str, ...], span: Span | None, place: Place
    ) -> Node:
        """A node of which nothing is known, so that wiring can go on."""
        return builder.add(Node(builder.name(title, place.prefix), "op", tuple(inputs), span=span, where=place.where))

    # ------------------------------------------------------------ nested graphs

    def nested(self, builder: GraphBuilder, name: str, inputs: tuple[str, ...], graph: Graph, **more: object) -> Node:
        """A finished graph as a node that reads `inputs`, and time where the graph wants it."""
        times = tuple(time_source(self, builder, name == EMBEDDING) for name in graph.time_inputs)
        about: dict[str, object] = {"span": graph.span, "where": graph.where, **more}
        return builder.add(Node(name, "block", (*inputs, *times), graph.output.shape, graph=graph, **about))  # type: ignore[arg-type]
