"""A loss or gradient that is infinite or not a number: skip the batch, or stop and name the layer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import torch
from torch import Tensor, nn

from tdspec.training.errors import NonFiniteError

CURE = "The last checkpoint is kept. Lower train.optimizer.lr, set train.clip_norm or a warm-up, or train in fp32"
SKIPPED_IN_A_ROW = 20  # batches after which `skip` gives up


class NonFinite:
    """What `train.on_nonfinite` says is done."""

    def __init__(self, policy: Literal["stop", "skip"]) -> None:
        self.policy = policy
        self.in_a_row = 0

    def met(self, what: str, step: int, place: Callable[[], str]) -> str:
        """A note that the batch is skipped; raises `NonFiniteError` where the run must stop.

        what   what is not finite
        place  finds the first place where it was made; see `first_nonfinite`
        """
        self.in_a_row += 1
        if self.policy == "skip" and self.in_a_row <= SKIPPED_IN_A_ROW:
            return f"step {step} skipped: {what}"
        again = f", {self.in_a_row} times in a row" if self.in_a_row > 1 else ""
        raise NonFiniteError(f"step {step}{again}: {what}; {place()}. {CURE}")

    def passed(self) -> None:
        """A step went well."""
        self.in_a_row = 0


def check_weights(model: nn.Module, step: int) -> None:
    """Raises `NonFiniteError` where a step has made weights that are not finite, before they are kept."""
    if (name := _lost(model)) is not None:
        raise NonFiniteError(
            f"step {step}: `{name}` is not finite any more, as a gradient was not. {CURE}; `train.on_nonfinite: skip` "
            "leaves such batches out"
        )


def _lost(model: nn.Module) -> str | None:
    """The first parameter that is not finite; a buffer may be so on purpose, such as a mask of -inf."""
    return next((name for name, value in model.named_parameters() if not _finite(value)), None)


def first_nonfinite(model: nn.Module, x: Tensor, compute: Callable[[], Any]) -> str:
    """The first place that is not finite, as a clause: an input, a weight, or a layer's output.

    compute  runs the network once more on x; it may fail
    """
    if not torch.isfinite(x).all():
        return "the images that went in are not finite"
    if (name := _lost(model)) is not None:
        return f"the weights `{name}` were not finite before this step, so an earlier gradient was not"
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
    return found[0] if found else "every layer's output is finite, so the backward pass made it"


def _finite(value: Any) -> bool:
    if isinstance(value, Tensor):
        return not value.is_floating_point() or bool(torch.isfinite(value).all())
    return all(_finite(item) for item in value) if isinstance(value, (tuple, list)) else True
