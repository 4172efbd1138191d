"""Processes and devices, through accelerate: launch, DDP, sums over processes; autocast is torch's.

`accelerate launch`, `torchrun` and plain `python` all work. accelerate's own checkpoints and
schedulers are not used: the first are pickles, the second step once for each process.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from accelerate.utils import gather_object
from torch import Tensor, nn

from tdspec.training.errors import TrainError


class Engine:
    """This process among all processes of a run.

    device     `auto`, or any device of torch
    precision  `fp32` or `bf16`
    """

    def __init__(self, device: str = "auto", precision: str = "fp32") -> None:
        if device != "auto":
            _require(torch.device(device))
        if not torch.distributed.is_initialized():
            # accelerate keeps the device of the first run in a process for all later ones.
            AcceleratorState._reset_state(reset_partial_state=True)
        self.accelerator = Accelerator(cpu=device == "cpu")
        self.device: torch.device = self.accelerator.device
        self.rank: int = self.accelerator.process_index
        self.world: int = self.accelerator.num_processes
        if device not in ("auto", "cpu") and self.world == 1:
            self.device = torch.device(device)
        self.main = self.rank == 0
        self.precision = precision
        self.half = torch.bfloat16 if precision == "bf16" else None
        if self.device.type == "cuda":
            torch.set_float32_matmul_precision("high")

    @property
    def slow_bf16(self) -> bool:
        """Whether bf16 was asked for on a CPU that has to imitate it."""
        return self.half is not None and self.device.type == "cpu" and not torch.ops.mkldnn._is_mkldnn_bf16_supported()

    def autocast(self) -> AbstractContextManager[Any]:
        return nullcontext() if self.half is None else torch.autocast(self.device.type, dtype=self.half)

    def wrap(self, model: nn.Module) -> nn.Module:
        """The model as it is called in training: DDP where there are several processes."""
        if self.world == 1:
            return model
        wrapped: nn.Module = self.accelerator.prepare_model(model)
        return wrapped

    @contextmanager
    def gradients(self, model: nn.Module, *, last: bool) -> Iterator[None]:
        """Keep gradients to this process unless this is the last part of a batch."""
        with nullcontext() if last or self.world == 1 else self.accelerator.no_sync(model):
            yield

    def sum(self, values: Tensor) -> Tensor:
        """The sum over all processes."""
        if self.world == 1:
            return values
        total: Tensor = self.accelerator.reduce(values, reduction="sum")
        return total

    def any(self, flag: bool) -> bool:
        """Whether any process says so; the same answer in all of them."""
        if self.world == 1:
            return flag
        return bool(self.sum(torch.tensor(float(flag), device=self.device)).item())

    def all_objects(self, item: Any) -> list[Any]:
        """Every process's object, in order."""
        return list(gather_object([item])) if self.world > 1 else [item]

    def main_first(self) -> AbstractContextManager[Any]:
        """Within it, the main process is done before the others begin."""
        context: AbstractContextManager[Any] = self.accelerator.main_process_first()
        return context

    def wait(self) -> None:
        if self.world > 1:
            self.accelerator.wait_for_everyone()


def _require(device: torch.device) -> None:
    available = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not available.get(device.type, True):
        have = ", ".join(name for name, there in available.items() if there)
        raise TrainError(f"device {device} was asked for, but torch finds {have} here")
