"""Dropout: random zeros in training."""

from __future__ import annotations

from tdspec.ops.effects import Effect, Mask
from tdspec.ops.op import Call, Lowered, Op, Param, Site

# At 1 nothing would be left of the input.
P = Param("p", "number", 0.5, "Probability that an element is zeroed.", minimum=0, maximum=0.999)


def effects(site: Site) -> tuple[Effect, ...]:
    return (Mask(),) if site["p"] else ()


def lower(site: Site) -> Lowered:
    return Lowered(Call("torch.nn:Dropout", (site["p"],)))


DROPOUT = Op(
    "Dropout",
    """Zeroes elements at random in training and scales the rest by 1/(1 - p).

    Shape: unchanged.
    Time: passes; the mask makes an offset differ from element to element, so that a norm behind
    it no longer takes it out in training.
    Source: Srivastava et al., JMLR 15 (2014).""",
    (P,), effects, lower,
)  # fmt: skip


def channel_effects(site: Site) -> tuple[Effect, ...]:
    return (Mask(per_channel=True),) if site["p"] else ()


def channel_lower(site: Site) -> Lowered:
    rank = len(site.x.spatial)
    return Lowered(Call(f"torch.nn:Dropout{rank}d" if rank else "torch.nn:Dropout", (site["p"],)))


CHANNEL_DROPOUT = Op(
    "ChannelDropout",
    """Zeroes whole channels of a sample at random in training.

    Shape: unchanged.
    Time: passes; samples differ in which channels carry it.
    Source: torch.nn.Dropout2d; arXiv 1411.4280.""",
    (P._replace(doc="Probability that a channel of a sample is zeroed."),), channel_effects, channel_lower,
)  # fmt: skip
