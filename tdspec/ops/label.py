"""The embedding of a label. It is no step of a pipeline: `condition:` puts it beside the embedding of t."""

from __future__ import annotations

from tdspec.ops.effects import Effect
from tdspec.ops.op import Call, Lowered, Op, Param, Site, Weight
from tdspec.ops.shape import Shape


def infer(site: Site) -> Shape:
    return Shape(site["dim"])


def effects(site: Site) -> tuple[Effect, ...]:
    return ()  # it holds nothing of t


def lower(site: Site) -> Lowered:
    return Lowered(Call("tdspec.backend.modules.label:LabelEmbedding", (site["classes"], site["dim"])))


def weights(site: Site) -> tuple[Weight, ...]:
    return (Weight("weight", "time", by=""),)  # it starts as the embedding that it joins


LABEL = Op(
    "LabelEmbedding",
    """A learned vector for each class, and one for none.

    Shape: labels, i64[B] -> f32[B,dim].
    Time: holds none.
    Source: torch.nn.Embedding; the vector for none is that of arXiv 2207.12598.""",
    (
        Param("classes", "count", ..., "Number of classes.", minimum=1),
        Param("dim", "count", ..., "Length of a vector.", minimum=1),
    ),
    effects, lower, infer, weights,
)  # fmt: skip
