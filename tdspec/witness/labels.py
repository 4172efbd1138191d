"""Which tensors depend on x, on t, and through which source: labels that travel along with a run.

A label is a set, the bits of an integer, kept on the tensor itself: `X`, `T`, and one bit for every source.
A tensor with `T` and without `X` is a signal of time alone; where it meets a tensor with `X`, time enters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor

X, T = 1, 2
FIRST_SOURCE = 4
ATTRIBUTE = "_tdspec_label"

# Functions that take no more than shape, dtype or device from one argument, by that argument's place.
SHAPE_ONLY: dict[Any, int] = {
    **dict.fromkeys(
        (
            torch.ones_like, torch.zeros_like, torch.empty_like, torch.full_like, torch.rand_like,
            torch.randn_like, torch.randint_like, Tensor.new_ones, Tensor.new_zeros, Tensor.new_empty,
            Tensor.new_full, Tensor.new_tensor,
        ),
        0,
    ),
    **dict.fromkeys(
        (Tensor.expand_as, Tensor.view_as, Tensor.reshape_as, Tensor.type_as, Tensor.to, Tensor.type), 1
    ),
}  # fmt: skip


def label_of(value: Any) -> int:
    """The label of a tensor, or of all tensors in a value."""
    found = 0
    for tensor in tensors(value):
        found |= getattr(tensor, ATTRIBUTE, 0)
    return found


def put_label(value: Any, label: int) -> None:
    """Label every tensor in a value."""
    for tensor in tensors(value):
        setattr(tensor, ATTRIBUTE, label)


def time_alone(tensor: Any) -> bool:
    """Whether a value is a tensor that depends on t, and not on x."""
    return isinstance(tensor, Tensor) and getattr(tensor, ATTRIBUTE, 0) & (X | T) == T


def tensors(value: Any) -> Iterator[Tensor]:
    """The tensors in nested tuples, lists and dictionaries."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, (tuple, list)):
        for item in value:
            yield from tensors(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from tensors(item)


def values_used(func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
    """The arguments whose values the result depends on."""
    place = SHAPE_ONLY.get(func)
    if place is None:
        return (*args, *kwargs.values())
    return (*args[:place], *args[place + 1 :], *kwargs.values())


def writes(func: Callable[..., Any]) -> bool:
    """Whether a function changes its first argument."""
    name = getattr(func, "__name__", "")
    if name.startswith("__"):
        return name == "__setitem__" or (
            name[2] == "i" and name[3:] in ("add__", "sub__", "mul__", "div__", "truediv__")
        )
    return name.endswith("_")


def relabel(func: Callable[..., Any], args: tuple[Any, ...], result: Any, label: int) -> None:
    """Put the label of a call on its result, and on what it has written into."""
    if writes(func) and args and isinstance(args[0], Tensor):
        label |= label_of(args[0])
        put_label(args[0], label)
        base = args[0]._base
        if base is not None:
            put_label(base, label | label_of(base))
    if label or label_of(result):
        put_label(result, label)
