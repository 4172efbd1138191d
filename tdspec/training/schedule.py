"""The learning rate over a run: warm-up, then plateau, step, cosine or nothing."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from tdspec.language.training import Cosine, Plateau, Schedule, Step, Warmup


class Rate:
    """The factor on the learning rate, for a given step.

    steps            optimizer steps of the whole run
    steps_per_epoch  optimizer steps of an epoch
    """

    def __init__(self, section: Schedule | None, steps: int, steps_per_epoch: int) -> None:
        self.section = section
        self.steps = steps
        self.steps_per_epoch = steps_per_epoch
        self.warmup = 0
        if isinstance(section, Warmup):
            self.warmup = section.steps
        elif section is not None:
            self.warmup = section.warmup_steps or section.warmup_epochs * steps_per_epoch
        # Of a plateau only:
        self.reduced = 1.0
        self.best: float | None = None
        self.bad_epochs = 0

    def factor(self, step: int) -> float:
        """The factor for the step that follows `step` finished ones."""
        rise = min(1.0, (step + 1) / self.warmup) if self.warmup else 1.0
        return rise * self._after_warmup(step)

    def _after_warmup(self, step: int) -> float:
        match self.section:
            case Plateau():
                return self.reduced
            case Step(milestones=milestones, every=every, factor=factor):
                epoch = step // self.steps_per_epoch
                falls = epoch // every if every is not None else sum(epoch >= at for at in milestones or ())
                return factor**falls
            case Cosine(final=final):
                done = max(0, step - self.warmup) / max(1, self.steps - self.warmup)
                return final + (1 - final) * (1 + math.cos(math.pi * min(1.0, done))) / 2
            case _:
                return 1.0

    def epoch_ended(self, metrics: Mapping[str, float], lr: float) -> None:
        """Tell a plateau the epoch's metrics; `lr` is the rate before any factor."""
        if not isinstance(self.section, Plateau):
            return
        name = self.section.metric
        value = metrics[name] * (-1 if name == "accuracy" else 1)
        threshold = self.section.threshold
        if self.best is None or value < self.best - threshold * abs(self.best):
            self.best, self.bad_epochs = value, 0
        else:
            self.bad_epochs += 1
        if self.bad_epochs > self.section.patience:
            self.reduced = max(self.reduced * self.section.factor, self.section.min_lr / lr)
            self.bad_epochs = 0

    def state(self) -> dict[str, Any]:
        return {"reduced": self.reduced, "best": self.best, "bad_epochs": self.bad_epochs}

    def restore(self, state: Mapping[str, Any]) -> None:
        self.reduced, self.best, self.bad_epochs = state["reduced"], state["best"], state["bad_epochs"]
