"""SelfAttn: attention among the positions of a map."""

from __future__ import annotations

from tdspec.ops.convolution import need_map
from tdspec.ops.effects import Effect, Mixed
from tdspec.ops.op import Call, Lowered, Op, Param, Site, Weight
from tdspec.ops.shape import Shape, ShapeError


def infer(site: Site) -> Shape:
    need_map(site, "SelfAttn")
    if site.x.channels % site["heads"]:
        raise ShapeError("TD202", f"{site['heads']} heads do not divide {site.x.channels} channels", argument="heads")
    return site.x


def effects(site: Site) -> tuple[Effect, ...]:
    return (Mixed(),)


def lower(site: Site) -> Lowered:
    return Lowered(
        Call(
            "tdspec.backend.modules.attention:SelfAttention",
            (site.x.channels,),
            {"heads": site["heads"]} if site["heads"] != 1 else {},
        )
    )


def weights(site: Site) -> tuple[Weight, ...]:
    return tuple(
        Weight(
            f"{part}.{name}",
            "operand",
            bias=name == "bias",
            by={"out.weight": "init", "out.bias": "bias_init"}.get(
                f"{part}.{name}", "qkv_init" if name == "weight" else ""
            ),
        )
        for part in ("query", "key", "value", "out")
        for name in ("weight", "bias")
    )


SELF_ATTN = Op(
    "SelfAttn",
    """Scaled dot-product attention among positions; query, key, value and output are 1x1 maps.

    Shape: f32[B,C,H,W], unchanged. `init` starts the output map, as papers zero it.
    Time: through the queries an offset mixes in; through the keys alone softmax takes it out.
    Source: arXiv 1706.03762; in U-Nets arXiv 2006.11239, appendix B.""",
    (
        Param("heads", "count", 1, "Number of heads; must divide the channels.", minimum=1),
        Param("init", "init", None, "How the output map's weight starts."),
        Param("bias_init", "init", None, "How the output map's bias starts."),
        Param("qkv_init", "init", None, "How the weights of query, key and value start."),
    ),
    effects, lower, infer, weights,
)  # fmt: skip
