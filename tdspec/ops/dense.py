"""FC: what a classifier ends with, and what an embedding is made of."""

from __future__ import annotations

from tdspec.ops.convolution import BIAS, BIAS_INIT, INIT, OUT, weight_and_bias
from tdspec.ops.effects import Effect, Linear
from tdspec.ops.op import Call, Lowered, Op, Site, Weight
from tdspec.ops.shape import Shape, ShapeError


def infer(site: Site) -> Shape:
    if site.x.spatial:
        raise ShapeError(
            "TD203",
            f"`FC` needs a vector, but gets the map {site.x}",
            help="put `GAP` or `Flatten` before it, or use `Conv1x1`",
        )
    return Shape(site["out"])


def effects(site: Site) -> tuple[Effect, ...]:
    return (Linear(window=False, bias=site["bias"], terms=site.x.channels),)


def weights(site: Site) -> tuple[Weight, ...]:
    return weight_and_bias(site, (site.x.channels, site["out"]))


def lower(site: Site) -> Lowered:
    return Lowered(Call("torch.nn:Linear", (site.x.channels, site.y.channels), {} if site["bias"] else {"bias": False}))


FC = Op(
    "FC",
    """Fully connected layer.

    Shape: f32[B,C] -> f32[B,out]. The last one of a classifier takes its width from the data's classes.
    Time: linear over channels.
    Source: torch.nn.Linear.""",
    (OUT._replace(doc="Output channels; a classifier's last FC follows the data's classes."), BIAS, INIT, BIAS_INIT),
    effects, lower, infer, weights, width="out",
)  # fmt: skip
