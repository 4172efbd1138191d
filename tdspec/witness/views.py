"""Under which assumptions a model is run: zero padding as written or as if circular, eps or none, float64.

The same views as `tdspec.facts.transfer.View` has, made by rewriting calls of torch while they happen.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from tdspec.witness.labels import writes
from tdspec.witness.norm_calls import SIGNATURES, with_eps
from tdspec.witness.share import PROOF_EPS

Call = tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]
CONVOLUTIONS = {F.conv1d: 1, F.conv2d: 2, F.conv3d: 3}
AVERAGES = {F.avg_pool1d: 1, F.avg_pool2d: 2, F.avg_pool3d: 3}
NARROW = (torch.float32, torch.float16, torch.bfloat16)
CASTS = (Tensor.float, Tensor.half, Tensor.bfloat16)
# Eps of a run "without", over the variance of the norm's input: small against that of every unit, large against
# the square of a constant's rounding.
SMALL_EPS = {torch.float64: 1e-12, torch.float32: 1e-7}
LEAST_EPS = 1e-30  # where all is constant


class View(NamedTuple):
    """What a run assumes.

    edges  zero padding is what it is; else circular
    eps    norms divide by sqrt(var + eps); else by sqrt(var)
    given  the weights are those of the model, and eps is what it says; else, in float64, that of proofs
    """

    edges: bool = True
    eps: bool = True
    given: bool = False


GIVEN = View(given=True)
WRITTEN, EXACT, STRICT = View(), View(eps=False), View(edges=False, eps=False)


def seen_through(view: View, dtype: torch.dtype, call: Call) -> Call:
    """A call of torch as it is made under a view, in a dtype."""
    func, args, kwargs = call
    if dtype is torch.float64:
        func, args, kwargs = widened(func, args, kwargs)
    if view.eps and not view.given and dtype is torch.float64 and func in SIGNATURES:
        args, kwargs = with_eps(func, args, kwargs, PROOF_EPS)
    if not view.eps and func in SIGNATURES:
        variance = (args[0] if args else kwargs["input"]).var().item()
        args, kwargs = with_eps(func, args, kwargs, max(SMALL_EPS[dtype] * variance, LEAST_EPS))
    if not view.edges:
        func, args, kwargs = circular(func, args, kwargs)
    return func, args, kwargs


def widened(func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Call:
    """Casts to a narrower dtype, which models write into their code, become casts to float64.

    What is written into stays the tensor that it is: into a copy, the write would be lost.
    """
    if func in CASTS:
        func = Tensor.double
    kept = 1 if writes(func) else 0
    wide = {name: value if name == "out" else _wide(value) for name, value in kwargs.items()}
    return func, (*args[:kept], *_wide(args[kept:])), wide


def _wide(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.double() if value.dtype in NARROW else value
    if isinstance(value, torch.dtype):
        return torch.float64 if value in NARROW else value
    if type(value) in (tuple, list):
        return type(value)(_wide(item) for item in value)
    if type(value) is dict:
        return {name: _wide(item) for name, item in value.items()}
    return value


def circular(func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Call:
    """Padding with zeros becomes circular, which leaves a constant channel constant."""
    if func in CONVOLUTIONS:
        rank = CONVOLUTIONS[func]
        given = _named(("input", "weight", "bias", "stride", "padding", "dilation", "groups"), args, kwargs)
        padding = _amounts(given, rank)
        given.update(input=wrapped(given["input"], padding), padding=0)
        return func, (given.pop("input"), given.pop("weight")), given
    if func in AVERAGES:
        rank = AVERAGES[func]
        names = ("input", "kernel_size", "stride", "padding", "ceil_mode", "count_include_pad", "divisor_override")
        given = _named(names, args, kwargs)
        amount = given.get("padding", 0)
        if given.get("count_include_pad", True) and amount not in (0, (0,) * rank):
            padding = [(item, item) for item in _each(amount, rank)]
            given.update(input=wrapped(given["input"], padding), padding=0)
        return func, (given.pop("input"), given.pop("kernel_size")), given
    if func is F.pad:
        given = _named(("input", "pad", "mode", "value"), args, kwargs)
        if given.get("mode", "constant") == "constant":
            return F.pad, (*_padded_channels(given["input"], list(given["pad"]), given.get("value")),), {}
    if func is torch.constant_pad_nd:
        given = _named(("input", "pad", "value"), args, kwargs)
        return F.pad, (*_padded_channels(given["input"], list(given["pad"]), given.get("value")),), {}
    return func, args, kwargs


def _named(names: tuple[str, ...], args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    return {**dict(zip(names, args, strict=False)), **kwargs}


def _each(value: Any, rank: int) -> list[int]:
    amounts = list(value) if isinstance(value, (tuple, list, torch.Size)) else [value]
    return amounts * rank if len(amounts) == 1 else amounts


def _amounts(given: dict[str, Any], rank: int) -> list[tuple[int, int]]:
    """Padding before and behind, for each spatial axis of a convolution."""
    padding = given.get("padding", 0)
    if padding == "valid":
        return [(0, 0)] * rank
    if padding == "same":
        sizes = given["weight"].shape[2:]
        totals = [d * (k - 1) for d, k in zip(_each(given.get("dilation", 1), rank), sizes, strict=True)]
        return [(total // 2, total - total // 2) for total in totals]
    return [(item, item) for item in _each(padding, rank)]


def _padded_channels(x: Tensor, pad: list[int], value: Any) -> tuple[Tensor, list[int], str, Any]:
    """Positions of a map are wrapped here; what is left to `F.pad` are other axes, such as channels."""
    pairs = [(pad[index], pad[index + 1]) for index in range(0, len(pad), 2)]  # the last axis first
    spatial = min(len(pairs), x.dim() - 2)
    x = wrapped(x, list(reversed(pairs[:spatial])))
    return x, [0] * (2 * spatial) + pad[2 * spatial :], "constant", value


def wrapped(x: Tensor, padding: list[tuple[int, int]]) -> Tensor:
    """The last axes continued periodically, however far; negative amounts cut.

    padding  before and behind, for each of the last axes in their order
    """
    for axis, (before, behind) in zip(range(-len(padding), 0), padding, strict=True):
        if before or behind:
            extent = x.shape[axis]
            places = torch.arange(-before, extent + behind, device=x.device) % extent
            x = x.index_select(axis if axis >= 0 else x.dim() + axis, places)
    return x
