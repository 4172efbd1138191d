"""Softmax over the channels."""

from __future__ import annotations

from tdspec.ops.effects import Effect, Simplex
from tdspec.ops.op import Call, Lowered, Op, Site


def effects(site: Site) -> tuple[Effect, ...]:
    return (Simplex(),)


def lower(site: Site) -> Lowered:
    return Lowered(Call("torch.nn:Softmax", (), {"dim": 1}))


SOFTMAX = Op(
    "Softmax",
    """Softmax over the channels.

    Shape: unchanged. As a model's last step it is understood and left out: the module returns
    logits, and the loss applies it once.
    Time: takes out an offset that all channels share.
    Source: torch.nn.Softmax.""",
    (), effects, lower, left_to_loss=True,
)  # fmt: skip
