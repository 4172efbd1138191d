"""Which layer made a loss that is infinite or not a number."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn


def first_nonfinite(model: nn.Module, x: Tensor, compute: Callable[[], Any]) -> str:
    """A sentence that names the first place: an input, a weight, or the first layer.

    compute  runs the network once more on x; it may fail
    """
    if not torch.isfinite(x).all():
        return "the images that went in are not finite"
    for name, parameter in model.named_parameters():
        if not torch.isfinite(parameter).all():
            return f"the weights `{name}` were not finite before this step: the gradient of an earlier one was not"
    found: list[str] = []
    hooks = []
    for name, module in model.named_modules():
        if next(module.children(), None) is not None:
            continue

        def look(module: nn.Module, inputs: Any, output: Any, name: str = name) -> None:
            if not found and _finite(inputs) and not _finite(output):
                found.append(f"`{name}` ({type(module).__name__}) is the first layer whose output is not finite")

        hooks.append(module.register_forward_hook(look))
    try:
        with torch.no_grad():
            compute()
    except RuntimeError:
        pass
    finally:
        for hook in hooks:
            hook.remove()
    return found[0] if found else "every layer's output is finite, so the loss itself, or the gradient, is not"


def _finite(value: Any) -> bool:
    if isinstance(value, Tensor):
        return not value.is_floating_point() or bool(torch.isfinite(value).all())
    return all(_finite(item) for item in value) if isinstance(value, (tuple, list)) else True
