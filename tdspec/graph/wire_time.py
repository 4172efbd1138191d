"""Where the steps of a graph read t, or its embedding, from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tdspec.graph.builder import GraphBuilder
from tdspec.graph.graph import EMBEDDING, TIME, Graph, Node
from tdspec.graph.place import Place
from tdspec.graph.wire_condition import join_labels
from tdspec.language.time_argument import time_argument
from tdspec.ops import OPS
from tdspec.ops.effects import Channelwise, Constant, Fixed, Mask, Normalise, Pointwise, Product, Sum
from tdspec.ops.features import FEATURES
from tdspec.ops.label import LABEL
from tdspec.ops.shape import Shape
from tdspec.text.expression import ExpressionError
from tdspec.text.syntax import Expression

if TYPE_CHECKING:
    from tdspec.graph.wirer import Wirer

ELEMENTWISE = (Pointwise, Channelwise, Fixed, Constant, Mask, Sum, Product)


def time_source(wirer: Wirer, builder: GraphBuilder, embedded: bool) -> str:
    """The node that a step reads t, or the embedding, from.

    The embedding is made once in the graph where t enters, by the node `embed`; every graph below
    takes it as an input.
    """
    if not embedded:
        return builder.time_input(TIME)
    if EMBEDDING in builder or builder.scope is None:
        return builder.time_input(EMBEDDING)
    if "embed" not in builder:
        graph = embed_graph(wirer, labelled=wirer.labelled and builder.scope == "model")
        inputs = tuple(builder.time_input(entry.name) for entry in graph.inputs)
        builder.add(Node("embed", "block", inputs, graph.output.shape, graph=graph, where="time.embed"))
    return "embed"


def embedding_width(wirer: Wirer) -> int | None:
    """The width of the spec's embedding; None if it has none."""
    time = wirer.spec.time
    if time is None:
        return None
    if time.embed is None:
        if time.argument is not None:
            message = "`argument` is what `embed` is fed with, but there is no `embed`"
            help_ = "write `embed: [Sinusoid(128)–FC(512)–Act–FC(512)]`, or remove `argument`"
            wirer.say("TD025", message, wirer.spec.key_span("time.argument"), "time.argument", help=help_)
        return None
    shape = embed_graph(wirer).output.shape
    if shape is None:
        return 1  # an error has been reported
    if shape.spatial:
        wirer.say("TD203", f"the embedding should be a vector, but is {shape}", time.embed.span, "time.embed")
        return 1
    return shape.channels


def embed_graph(wirer: Wirer, *, labelled: bool = False) -> Graph:
    """The graph of `time.embed`: from t, and with `labelled` from labels too, to the embedding."""
    time = wirer.spec.time
    assert time is not None and time.embed is not None
    builder = GraphBuilder("TimeEmbed", {})
    builder.time_input(TIME, Shape(1))
    start = _argument(wirer, builder, time.argument) if time.argument is not None else TIME
    width, wirer.embedding = wirer.embedding, None  # inside its own pipeline there is no embedding to take
    end = wirer.pipeline(builder, time.embed, (start,), Place("time.embed", role="time"))
    wirer.embedding = width
    if labelled:
        end = join_labels(wirer, builder, end)
    graph = builder.finish({"output": end}, span=time.embed.span, where="time.embed")
    _check_numbers(wirer, graph, {TIME})
    if not wirer.per_sample:
        _check_batch(wirer, graph)
    return graph


def _check_numbers(wirer: Wirer, graph: Graph, numbers: set[str]) -> bool:
    """Whether a number leaves, given the inputs that are; t is one until features make a vector of it."""
    for node in graph:
        if node.graph is not None:
            given = {entry.name for entry, name in zip(node.graph.inputs, node.inputs, strict=False) if name in numbers}
            if _check_numbers(wirer, node.graph, given):
                numbers.add(node.name)
        elif node.op is not None and node.site is not None and node.op not in (*FEATURES, LABEL):
            sources = [name in numbers for name in node.inputs[: len(node.site.inputs)]]
            if all(sources) and all(isinstance(effect, ELEMENTWISE) for effect in node.op.effects(node.site)):
                numbers.add(node.name)
            elif any(sources):
                message = f"`{node.title}` takes a vector, but gets t itself, which is a number"
                help_ = "begin `embed` with `Sinusoid(128)` or `Fourier(256)`, which make a vector of it"
                wirer.say("TD203", message, node.span, node.where, help=help_)
    return graph.output.name in numbers


def _check_batch(wirer: Wirer, graph: Graph) -> None:
    """Report norms over the batch where t, and with it the embedding, is one for all samples."""
    for _, node in graph.walk():
        effects = node.op.effects(node.site) if node.op is not None and node.site is not None else ()
        if any(isinstance(effect, Normalise) and effect.batch for effect in effects):
            message = f"`{node.title}` takes a mean over samples, but an ODE has one embedding for all of them"
            wirer.say("TD203", message, node.span, node.where, help="use `LN` or `RMSN`, or no norm")


def _argument(wirer: Wirer, builder: GraphBuilder, argument: Expression) -> str:
    """The node that holds `time.argument`, which is affine in t."""
    from tdspec.graph.wire_op import implied

    where = "time.argument"
    try:
        affine = time_argument(wirer.spec)
    except ExpressionError as error:
        wirer.say("TD032", f"`argument` {error.message}", error.span, where, help=error.help, fix=error.fix)
        return TIME
    values: dict[str, object] = {"by": affine.slope, "learned": False, "squash": "none"}
    end = TIME
    if affine.slope != 1:
        end = implied(builder, OPS["Scale"], values, end, argument.span, where).name
    if affine.start != 0:
        end = implied(builder, OPS["Shift"], {"by": affine.start}, end, argument.span, where).name
    return end
