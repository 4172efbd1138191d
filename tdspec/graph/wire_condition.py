"""What a network is told besides t, wired: labels join the embedding."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tdspec.graph.builder import GraphBuilder
from tdspec.graph.graph import LABELS, Node
from tdspec.graph.place import Place
from tdspec.language.diffusion import Diffuse
from tdspec.ops import OPS
from tdspec.ops.label import LABEL
from tdspec.ops.op import Op, Site
from tdspec.ops.shape import Shape

if TYPE_CHECKING:
    from tdspec.graph.wirer import Wirer

WHERE = "condition.labels"


def check_labels(wirer: Wirer) -> bool:
    """Whether the network takes labels; what of the spec does not go with them is reported."""
    spec = wirer.spec
    if spec.labels is None:
        return False
    message = help_ = ""
    if spec.time is None or spec.time.embed is None:
        message = "labels join the embedding of t, but there is no `time.embed`"
        help_ = "write `time: {embed: [Sinusoid(128)–FC(512)–Act–FC(512)]}`"
    elif not wirer.timed:
        message = "labels are given beside t, but this model is called with images alone"
        help_ = "use a `unet`, or remove `condition`"
    elif not isinstance(spec.task, Diffuse | None):
        message = f"a network that is told the class has nothing left to do for `{spec.task.kind}`"
        help_ = "remove `condition`"
    if message:
        wirer.say("TD025", message, spec.key_span(WHERE), WHERE, help=help_)
    elif spec.label_classes is None:
        help_ = "write `labels: {classes: 10}`"
        wirer.say("TD023", "the data do not say how many classes there are", spec.key_span(WHERE), WHERE, help=help_)
    else:
        return True
    return False


def join_labels(wirer: Wirer, builder: GraphBuilder, entry: str) -> str:
    """Add the label's vector to the embedding; gives the node of the sum."""
    from tdspec.graph.wire_op import start

    shape = builder.shape(entry)
    classes = wirer.spec.label_classes
    if shape is None or shape.spatial or classes is None:
        return entry  # reported elsewhere
    site = Site({"classes": classes, "dim": shape.channels}, (Shape(1),), output=shape, per_sample=True)
    span = wirer.spec.key_span(WHERE)

    def add(op: Op, inputs: tuple[str, ...], site: Site) -> str:
        starts = tuple((weight, start(wirer, weight, site, Place(WHERE))) for weight in op.weights(site))
        node = Node(builder.name(op.name), "op", inputs, shape, op, site, starts, span=span, where=WHERE)
        return builder.add(node).name

    vector = add(LABEL, (builder.time_input(LABELS, Shape(1)),), site)
    return add(OPS["Add"], (entry, vector), Site({}, (shape, shape), output=shape, per_sample=True))
