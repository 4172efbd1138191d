"""What a call of a normalisation says of itself: kind, groups, channels, unit, eps.

Modules, their subclasses and plain functions end in the same few functions of torch, so that reading these
is reading all of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch.nn import functional as F

GROUP = ("input", "groups", "weight", "bias", "eps")
LAYER = ("input", "shape", "weight", "bias", "eps")
RMS = ("input", "shape", "weight", "eps")
# Kind, and the names of the arguments in their order; torch's inner functions order them in another way.
SIGNATURES: dict[Any, tuple[str, tuple[str, ...]]] = {
    F.group_norm: ("group_norm", GROUP),
    torch.group_norm: ("group_norm", GROUP),
    F.layer_norm: ("layer_norm", LAYER),
    torch.layer_norm: ("layer_norm", LAYER),
    F.rms_norm: ("rms_norm", RMS),
    torch.rms_norm: ("rms_norm", RMS),
    F.batch_norm: (
        "batch_norm", ("input", "mean", "var", "weight", "bias", "training", "momentum", "eps"),
    ),
    torch.batch_norm: (
        "batch_norm", ("input", "weight", "bias", "mean", "var", "training", "momentum", "eps"),
    ),
    F.instance_norm: (
        "instance_norm", ("input", "mean", "var", "weight", "bias", "training", "momentum", "eps"),
    ),
    torch.instance_norm: (
        "instance_norm", ("input", "weight", "bias", "mean", "var", "training", "momentum", "eps"),
    ),
}  # fmt: skip
KEYWORDS = {
    "num_groups": "groups", "normalized_shape": "shape", "running_mean": "mean", "running_var": "var",
    "use_input_stats": "training",
}  # fmt: skip
EPS = 1e-5  # torch's default


class NormCall(NamedTuple):
    """One call of a normalisation.

    kind        `group_norm`, `batch_norm`, `instance_norm`, `layer_norm` or `rms_norm`
    channels    of the input: the second axis, or the first of those that a layer norm is over
    groups      of channels, each with a mean of its own
    over_batch  statistics are taken over the batch in this call
    over_map    and over positions
    """

    kind: str
    channels: int
    groups: int
    over_batch: bool
    over_map: bool

    @property
    def width(self) -> int:
        """Channels in each unit."""
        return self.channels // self.groups

    @property
    def centred(self) -> bool:
        """Whether a mean is subtracted."""
        return self.kind != "rms_norm"

    @property
    def channels_last(self) -> bool:
        """Whether channels are the last axis, as a norm over that alone takes them to be."""
        return self.kind in ("layer_norm", "rms_norm") and not self.over_map

    @property
    def arguments(self) -> str:
        """As a module of torch takes them."""
        return f"{self.groups}, {self.channels}" if self.kind == "group_norm" else str(self.channels)


def read(func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> NormCall | None:
    """The call of a normalisation, or None for any other function."""
    if func not in SIGNATURES:
        return None
    kind, names = SIGNATURES[func]
    given = dict(zip(names, args, strict=False))
    given.update({KEYWORDS.get(name, name): value for name, value in kwargs.items()})
    x = given["input"]
    if kind in ("layer_norm", "rms_norm"):
        shape = given["shape"]
        inner = tuple(shape) if isinstance(shape, (tuple, list, torch.Size)) else (shape,)
        return NormCall(kind, inner[0], 1, False, len(inner) > 1)
    channels = x.shape[1]
    if kind == "group_norm":
        return NormCall(kind, channels, int(given["groups"]), False, True)
    training = bool(given.get("training", kind == "instance_norm"))
    return NormCall(kind, channels, channels, kind == "batch_norm" and training, True)


def with_eps(
    func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], eps: float
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments of a normalisation with another eps."""
    place = SIGNATURES[func][1].index("eps")
    if len(args) > place:
        return (*args[:place], eps, *args[place + 1 :]), kwargs
    return args, {**kwargs, "eps": eps}
