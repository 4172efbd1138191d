"""What a run would be, without running it: `tdspec train --dry-run`."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from tdspec.language.training import Optimizer, Sgd
from tdspec.training.loop import Loop
from tdspec.training.ode_meter import OdeMeter

PROBE = 2  # images that the memory of one is estimated from


@dataclass(frozen=True)
class Plan:
    """A run as it is resolved.

    parameters       trainable ones
    shape            channels, height and width of what the network sees
    images           training, validation and test
    flops_per_image  of one forward pass with the weights' first values, an ODE's evaluations included
    memory_bytes     weights, gradients, optimizer, average, data, and what the backward pass needs of a batch
    """

    name: str
    device: str
    precision: str
    processes: int
    parameters: int
    shape: tuple[int, ...]
    classes: int
    images: dict[str, int]
    batch_size: int
    steps_per_epoch: int
    steps: int
    epochs: float
    flops_per_image: int
    nfe: float | None
    memory_bytes: int
    memory: dict[str, int]

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    def __str__(self) -> str:
        images = ", ".join(f"{count:,} {part}" for part, count in self.images.items())
        batches = f"{self.steps_per_epoch:,} batches of {self.batch_size}"
        arithmetic = f"{self.flops_per_image / 1e9:.3g} GFLOP for each image, forward"
        if self.nfe is not None:
            arithmetic += f", {self.nfe:g} evaluations of the ODE's field"
        memory = ", ".join(f"{_size(size)} {part}" for part, size in self.memory.items())
        rows = {
            "parameters": f"{self.parameters:,}",
            "input": f"{'x'.join(map(str, self.shape))}, {self.classes} classes",
            "images": images,
            "steps": f"{self.steps:,}: {self.epochs:g} epochs of {batches}",
            "arithmetic": arithmetic,
            "memory": f"about {_size(self.memory_bytes)}: {memory}",
            "device": f"{self.device}, {self.precision}, {self.processes} process{'es' * (self.processes > 1)}",
        }
        return f"{self.name}\n" + "\n".join(f"  {name:<11} {text}" for name, text in rows.items())


def make_plan(name: str, loop: Loop) -> Plan:
    """The plan of a run that is ready to start; the network sees a few images."""
    model, engine, splits = loop.model, loop.engine, loop.splits
    x, labels = loop.prepare(splits.train, slice(0, PROBE))
    meter = OdeMeter(model)
    state = {key: value.clone() for key, value in model.state_dict().items()}
    model.eval()
    with torch.no_grad(), FlopCounterMode(display=False) as flops:
        model(*loop.task.arguments(x))
    nfe = meter.means().get("nfe_forward")
    model.train()
    activations = _saved_bytes(lambda: loop.task.measure(model, x, labels)["loss"].sum(), model) // len(x)
    model.load_state_dict(state)
    meter.reset()

    weights = sum(p.numel() * p.element_size() for p in model.parameters())
    trained = sum(p.numel() * p.element_size() for p in model.parameters() if p.requires_grad)
    parts = [part for part in (splits.train, splits.validation, splits.test) if part is not None]
    at_once = -(-loop.order.batch_size // (engine.world * loop.train.accumulate))
    memory = {
        "weights and gradients": weights + trained,
        "optimizer": trained * optimizer_slots(loop.train.optimizer),
        "average": weights if loop.averaged is not None else 0,
        "activations": activations * at_once,
        "data": sum(part.images.nbytes + part.labels.nbytes for part in parts),
    }
    return Plan(
        name=name,
        device=str(engine.device),
        precision=engine.precision,
        processes=engine.world,
        parameters=sum(p.numel() for p in model.parameters() if p.requires_grad),
        shape=tuple(x.shape[1:]),
        classes=splits.train.classes,
        images=splits.sizes,
        batch_size=loop.order.batch_size,
        steps_per_epoch=loop.order.batches,
        steps=loop.steps,
        epochs=round(loop.steps / loop.order.batches, 2),
        flops_per_image=flops.get_total_flops() // len(x),
        nfe=nfe,
        memory_bytes=sum(memory.values()),
        memory={part: size for part, size in memory.items() if size},
    )


def optimizer_slots(section: Optimizer) -> int:
    """Tensors that an optimizer keeps for each parameter."""
    return int(section.momentum > 0) if isinstance(section, Sgd) else 2


def _saved_bytes(compute: Any, model: nn.Module) -> int:
    """Bytes that autograd keeps for the backward pass, weights left out, each storage once."""
    kept = {p.untyped_storage().data_ptr() for p in model.parameters()}
    sizes: dict[int, int] = {}

    def pack(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in kept:
            sizes[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        result = compute()
    del result
    return sum(sizes.values())


def _size(count: float) -> str:
    for unit in ("B", "KB", "MB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} GB"
