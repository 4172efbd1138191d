"""The sections `task` and `train`; `data` and `solver` have files of their own."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import ClassVar, Literal

from tdspec.language.data import Data
from tdspec.language.diffusion import Diffuse
from tdspec.language.fields import option
from tdspec.language.solver import Solver

__all__ = ["Adam", "AdamW", "Classify", "Cosine", "Data", "Diffuse", "Ema", "Optimizer", "Plateau", "Schedule", "Sgd",
           "Solver", "Step", "Task", "Train", "Warmup"]  # fmt: skip

LEARNING_RATE = "Learning rate, before schedule and warm-up."
BETAS = "Decay of the running means of the gradient and of its square."
EPS = "Added to the root of the second moment."
WARMUP_STEPS = "Optimizer steps over which the rate first rises linearly from near 0."
WARMUP_EPOCHS = "The same in epochs; give one of the two."


@dataclass(frozen=True)
class Classify:
    """Tell classes apart: cross-entropy on the network's logits, accuracy in per cent."""

    kind: ClassVar[str] = "classify"

    label_smoothing: float = option(0.0, "Share of the target spread evenly over all classes.", minimum=0, below=1)


Task = Classify | Diffuse


@dataclass(frozen=True)
class Sgd:
    """Stochastic gradient descent. Source: torch.optim.SGD."""

    kind: ClassVar[str] = "sgd"

    lr: float = option(doc=LEARNING_RATE, above=0)
    momentum: float = option(0.0, "Share of the last update that is kept.", minimum=0, below=1)
    nesterov: bool = option(False, "Look ahead along the momentum; needs `momentum`.")
    weight_decay: float = option(0.0, "L2 penalty, added to the gradient.", minimum=0)


@dataclass(frozen=True)
class Adam:
    """Adam with its L2 penalty inside the gradient. Source: torch.optim.Adam, arXiv 1412.6980."""

    kind: ClassVar[str] = "adam"

    lr: float = option(doc=LEARNING_RATE, above=0)
    betas: tuple[float, ...] = option((0.9, 0.999), BETAS)
    eps: float = option(1e-8, EPS, above=0)
    weight_decay: float = option(0.0, "L2 penalty, added to the gradient.", minimum=0)


@dataclass(frozen=True)
class AdamW:
    """Adam with decoupled weight decay. Source: torch.optim.AdamW, arXiv 1711.05101."""

    kind: ClassVar[str] = "adamw"

    lr: float = option(doc=LEARNING_RATE, above=0)
    betas: tuple[float, ...] = option((0.9, 0.999), BETAS)
    eps: float = option(1e-8, EPS, above=0)
    weight_decay: float = option(0.01, "Share of each weight removed in a step, times the rate.", minimum=0)


Optimizer = Sgd | Adam | AdamW


@dataclass(frozen=True)
class Plateau:
    """Lower the rate when a metric has stopped improving, looked at once an epoch."""

    kind: ClassVar[str] = "plateau"

    patience: int = option(10, "Epochs without improvement that are borne.", minimum=0)
    factor: float = option(0.1, "The rate is multiplied by this.", above=0, below=1)
    metric: Literal["loss", "accuracy", "train_loss"] = option(
        "loss",
        "What should improve: `loss` and `accuracy` (of a classifier) are those of the validation set (the test set "
        "without one).",
    )
    threshold: float = option(1e-4, "Relative change that counts as an improvement.", minimum=0)
    min_lr: float = option(0.0, "The rate never falls below this.", minimum=0)
    warmup_steps: int = option(0, WARMUP_STEPS, minimum=0)
    warmup_epochs: int = option(0, WARMUP_EPOCHS, minimum=0)


@dataclass(frozen=True)
class Step:
    """Lower the rate at given epochs, or every so many."""

    kind: ClassVar[str] = "step"
    exactly_one: ClassVar[tuple[tuple[str, ...], ...]] = (("milestones", "every"),)

    milestones: tuple[int, ...] | None = option(None, "Epochs after which the rate falls.", examples=([60, 100, 140],))
    every: int | None = option(None, "Epochs between falls.", minimum=1)
    factor: float = option(0.1, "The rate is multiplied by this at each fall.", above=0, below=1)
    warmup_steps: int = option(0, WARMUP_STEPS, minimum=0)
    warmup_epochs: int = option(0, WARMUP_EPOCHS, minimum=0)


@dataclass(frozen=True)
class Cosine:
    """Lower the rate along half a cosine, step by step to the end of the run. Source: arXiv 1608.03983."""

    kind: ClassVar[str] = "cosine"

    final: float = option(0.0, "What is left of the rate at the end, as a fraction.", minimum=0, maximum=1)
    warmup_steps: int = option(0, WARMUP_STEPS, minimum=0)
    warmup_epochs: int = option(0, WARMUP_EPOCHS, minimum=0)


@dataclass(frozen=True)
class Warmup:
    """Raise the rate linearly from near 0, then keep it."""

    kind: ClassVar[str] = "warmup"

    steps: int = option(doc="Optimizer steps until the full rate is reached.", minimum=1)


Schedule = Plateau | Step | Cosine | Warmup


@dataclass(frozen=True)
class Ema:
    """Keep an exponential moving average of the weights, and evaluate that."""

    decay: float = option(0.9999, "Share of the average that each step keeps.", above=0, below=1)


@dataclass(frozen=True)
class Train:
    """How the network is trained. Give `epochs` or `iterations`."""

    exactly_one: ClassVar[tuple[tuple[str, ...], ...]] = (("epochs", "iterations"),)

    optimizer: Optimizer = option(factory=partial(Adam, lr=1e-3), doc="What turns gradients into steps.")
    schedule: Schedule | None = option(None, "How the learning rate changes; by default it does not.")
    epochs: int | None = option(None, "Passes through the training images.", minimum=1)
    iterations: int | None = option(None, "Optimizer steps.", minimum=1)
    batch_size: int = option(
        128, "Images in an optimizer step, over all devices and accumulated batches together.", minimum=1
    )
    accumulate: int = option(1, "Parts that each batch is computed in, one after the other, to save memory.", minimum=1)
    clip_norm: float | None = option(None, "Greatest norm of all gradients together.", above=0)
    seed: int = option(0, "Seed of weights, order, augmentation and dropout.", minimum=0)
    precision: Literal["fp32", "bf16"] = option(
        "fp32",
        "`bf16` computes convolutions and matrix products in bfloat16; an ODE's state stays in float32.",
    )
    ema: Ema | None = option(None, "Average of the weights; none by default.")
    on_nonfinite: Literal["stop", "skip"] = option(
        "stop",
        "At a loss that is infinite or not a number: end the run with the first layer that made it, or skip the step.",
    )
    evaluate_every: int = option(
        1, "Epochs between two evaluations, each with a record of its own; there is always one at the end.", minimum=1
    )
    log_every: int = option(50, "Optimizer steps between two lines of progress within an epoch.", minimum=1)
    checkpoint_every: int = option(
        1, "Epochs between two checkpoints; there is always one at the end and when interrupted.", minimum=1
    )
    checkpoint_steps: int | None = option(None, "Optimizer steps between two checkpoints, in addition.", minimum=1)
