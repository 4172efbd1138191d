"""Wiring: from the spec to the graph of its network, with the shapes that follow."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tdspec.graph.builder import GraphBuilder
from tdspec.graph.fix_groups import fix_groups
from tdspec.graph.graph import TIME, Graph
from tdspec.graph.keys import check_block_keys, check_model_keys
from tdspec.graph.place import Place
from tdspec.graph.share import check_shares
from tdspec.graph.uses import reached, unused_blocks
from tdspec.graph.wire_block import block_node
from tdspec.graph.wire_condition import check_labels
from tdspec.graph.wire_denoiser import check_denoiser
from tdspec.graph.wire_ode import ode_node
from tdspec.graph.wire_steps import wire_steps
from tdspec.graph.wire_time import embedding_width
from tdspec.graph.wire_unet import wire_unet
from tdspec.graph.wirer import Wirer
from tdspec.language.build import BrokenPipeline
from tdspec.language.diffusion import Diffuse
from tdspec.language.structure import Model, Ode, UNet
from tdspec.ops import OPS
from tdspec.ops.shape import Shape
from tdspec.report.finding import Finding, Severity
from tdspec.text.syntax import Pipeline, Step
from tdspec.text.yaml_node import Mapping

if TYPE_CHECKING:
    from tdspec.language.spec import Spec

LARGEST = 1 << 20  # of any extent: beyond, a number is a slip, and the analysis would write out its labels


def wire(spec: Spec) -> tuple[Graph, list[Finding]]:
    """The network's graph, and what does not hold about it.

    Its nodes are the parts of the model, `stem`, `ode`, `unet`, `head`, or `body` for a model that is
    one pipeline or wired steps.
    """
    wirer = Wirer(spec)
    _check_names(wirer)
    check_block_keys(wirer)
    wirer.embedding = embedding_width(wirer)
    wirer.timed = wirer.per_sample = takes_time(spec)
    wirer.labelled = check_labels(wirer)
    shape = None
    if len(spec.input) > 4:
        message = f"`input` should have at most 3 axes of positions, found {len(spec.input) - 1}"
        help_ = "torch convolves and pools lines, maps and volumes; put other axes into the channels"
        wirer.say("TD203", message, spec.span("model.input"), "model.input", help=help_)
    elif spec.input and min(spec.input) > 0 and max(spec.input) <= LARGEST:
        shape = Shape(spec.input[0], spec.input[1:])
    else:
        message = f"`input` should be channels and positions from 1 to {LARGEST:,}, such as `[3, 32, 32]`"
        wirer.say("TD024", message, spec.span("model.input"), "model.input")
    builder = GraphBuilder("Network", {"input": shape}, scope="model" if wirer.timed else None)
    if wirer.timed:
        builder.time_input(TIME)  # whoever runs a model that takes t hands it over, also where nothing reads it
    end = _body(wirer, builder, spec.model)
    _check_end(wirer, builder.shape(end))
    graph = builder.finish({"output": end}, where="model")
    if not any(item.severity is Severity.ERROR for item in wirer.found):
        check_shares(wirer, graph)
    _check_unused(wirer)
    return graph, fix_groups(wirer, graph) if wirer.undivided else wirer.found


def _check_end(wirer: Wirer, shape: Shape | None) -> None:
    """What leaves the network is what its task needs, as far as that can be told."""
    spec = wirer.spec
    if shape is None or any(item.severity is Severity.ERROR for item in wirer.found):
        return
    parts = ("head", "pipeline", "output", "unet", "ode", "stem")
    last = next((part for part in parts if getattr(spec.model, part)), "input")
    if isinstance(spec.task, Diffuse):
        check_denoiser(wirer, shape, f"model.{last}")
    elif spec.classifies:
        classes = spec.classes or shape.channels
        if shape.spatial or shape.channels != classes:
            message = f"the network ends in {shape}, but a classifier gives one number for each of {classes} classes"
            wirer.say("TD206", message, spec.span(f"model.{last}"), "model", help="end it with `head: [GAP–FC]`")


def _check_unused(wirer: Wirer) -> None:
    """Report blocks of this file that nothing uses, and what is wrong in them whatever shapes they would meet."""
    spec = wirer.spec
    sound = not any(item.severity is Severity.ERROR for item in wirer.found)  # else what would use them may be broken
    for name in unused_blocks(spec.document):
        key = spec.key_span(f"blocks.{name}")
        if key.source is not spec.tree.span.source:
            continue
        if sound:
            help_ = "use it in a pipeline, or remove it"
            wirer.say("TD045", f"nothing uses the block `{name}`", key, f"blocks.{name}", help=help_)
        block = spec.document.blocks[name]
        builder = GraphBuilder("Unused", dict.fromkeys(block.inputs))
        inputs = tuple(builder.sources.values())
        if inputs and len(inputs) == len(block.inputs):  # else said already
            wirer.timed, wirer.per_sample = True, False
            given = replace(block, params={name: value or 1.0 for name, value in block.params.items()})
            step = Step(name, None, (), 1, key, key)
            block_node(wirer, builder, step, given, inputs, Place(f"blocks.{name}"), out=None, name=None)


def takes_time(spec: Spec) -> bool:
    """Whether the model itself takes t, one for each sample: with a U-Net, or an embedding and no ODE to use it.

    What counts is what the model uses, not what is declared; a U-Net in an ODE's field has the solver's t.
    """
    found = reached(spec.document, spec.model, through_odes=False)
    if any(isinstance(section, UNet) for section in found):
        return True
    ode = any(isinstance(section, Ode) for section in found)
    return spec.time is not None and spec.time.embed is not None and not ode


def _check_names(wirer: Wirer) -> None:
    """No name may hide one of the language: the notation would read as one thing and mean another."""
    section = wirer.spec.tree.get("blocks")
    for entry in section.entries if isinstance(section, Mapping) else ():
        name = str(entry.key.value)
        if name in OPS:
            help_ = f"give it another name, such as `{name}Block`"
            wirer.say("TD039", f"`{name}` is an op; a block cannot have its name", entry.key.span, "blocks", help=help_)
    for block, declared in wirer.spec.document.blocks.items():
        for name in declared.params:
            if name in ("C", "in"):
                where = f"blocks.{block}.params.{name}"
                means = "the channels that enter a step" if name == "C" else "the channels that enter the block"
                message = f"`{name}` is {means}; a parameter cannot have its name"
                wirer.say("TD039", message, wirer.spec.key_span(where), where, help="give it another name")


def _body(wirer: Wirer, builder: GraphBuilder, model: Model) -> str:
    """Add the parts of the model in their order; gives the last."""
    if not check_model_keys(wirer, model):
        return "input"
    end = "input"
    if model.steps:
        inner = GraphBuilder("Body", {"input": builder.shape(end)})
        ends = wire_steps(wirer, inner, model.steps, {"output": model.output or ""}, Place("model.steps"))
        return wirer.nested(builder, "body", (end,), inner.finish(ends, where="model.steps")).name
    classes = wirer.spec.classes or 0 if wirer.spec.classifies else None
    if model.pipeline is not None:
        pipeline = _logits(wirer, model.pipeline)
        return _part(wirer, builder, "body", pipeline, end, Place("model.pipeline", classes=classes))
    if model.stem is not None:
        end = _part(wirer, builder, "stem", model.stem, end, Place("model.stem"))
    if model.ode is not None:
        span = model.ode.field.span if isinstance(model.ode.field, Pipeline) else None
        end = builder.add(ode_node(wirer, model.ode, end, builder.shape(end), "model.ode", "ode", span)).name
    if model.unet is not None:
        inner = GraphBuilder("UNet", {"input": builder.shape(end)})
        leaves = wire_unet(wirer, inner, model.unet, "input", "model.unet")
        end = wirer.nested(builder, "unet", (end,), inner.finish({"output": leaves}, where="model.unet")).name
    if model.head is not None:
        place = Place("model.head", role="head", classes=classes)
        end = _part(wirer, builder, "head", _logits(wirer, model.head), end, place)
    return end


def _part(wirer: Wirer, builder: GraphBuilder, name: str, pipeline: Pipeline, entry: str, place: Place) -> str:
    """A named part of the model as a graph of its own, so that its weights carry its name."""
    inner = GraphBuilder(name.capitalize(), {"input": builder.shape(entry)})
    end = wirer.pipeline(inner, pipeline, ("input",), place)
    graph = inner.finish({"output": end}, span=pipeline.span, where=place.where)
    return wirer.nested(builder, name, (entry,), graph).name


def _logits(wirer: Wirer, pipeline: Pipeline) -> Pipeline:
    """The pipeline without a classifier's final softmax: the module gives logits, the loss applies it once."""
    if isinstance(pipeline, BrokenPipeline) or not pipeline.steps or isinstance(wirer.spec.task, Diffuse):
        return pipeline
    last = OPS.get(pipeline.steps[-1].name)
    return Pipeline(pipeline.steps[:-1], pipeline.span) if last is not None and last.left_to_loss else pipeline
