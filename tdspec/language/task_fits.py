"""Whether what is said of the task fits together, with the noise, the data and the training."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tdspec.language.augmentation import bind
from tdspec.language.diffusion import NOISES, Diffuse, VpNoise
from tdspec.language.training import Plateau
from tdspec.report.codes import finding
from tdspec.report.finding import Finding

if TYPE_CHECKING:
    from tdspec.language.spec import Spec


def check_task(spec: Spec) -> Iterator[Finding]:
    """What a diffusion task says that cannot be meant together; a classifier's needs no look."""
    task = spec.task
    if not isinstance(task, Diffuse):
        return
    if task.predicts not in task.noise.fits:
        able = " or ".join(f"`{noise.kind}`" for noise in NOISES if task.predicts in noise.fits)
        where = "task.predict"
        yield finding(
            "TD025",
            f"`predict: {task.predicts}` does not go with `{task.noise.kind}` noise",
            spec.span(where),
            where=where,
            help=f"predict {' or '.join(f'`{word}`' for word in task.noise.fits)}, or use {able} noise",
        )
    if isinstance(task.noise, VpNoise):
        yield from _rates(spec, task.noise)
    if spec.data is not None and any(step.name == "Normalize" for step in bind(spec.data.augment)[0]):
        yield finding(
            "TD025",
            "`Normalize` does not go with `diffuse`, which scales images to [-1, 1] and samples to the same",
            spec.span("data.augment"),
            where="data.augment",
            help="remove `Normalize`",
        )
    schedule = spec.train.schedule
    if isinstance(schedule, Plateau) and schedule.metric == "accuracy":
        where = "train.schedule.metric"
        message = "`diffuse` has no accuracy that could improve"
        yield finding("TD025", message, spec.span(where), where=where, help="write `metric: loss`")


def _rates(spec: Spec, noise: VpNoise) -> Iterator[Finding]:
    """Rates that make no noise schedule: beta falls, or one step takes away all there is."""
    if noise.beta_min > noise.beta_max:
        message = f"`beta_max` should be {noise.beta_min:g} (`beta_min`) or more, found {noise.beta_max:g}"
        where = "task.noise.beta_max"
    elif noise.steps is not None and noise.steps <= noise.beta_max:
        message = f"`steps` should be more than {noise.beta_max:g} (`beta_max`), found {noise.steps}"
        where = "task.noise.steps"
    else:
        return
    yield finding("TD024", message, spec.span(where), where=where, help="DDPM has 0.1, 20 and 1000")
