"""Whether what is said of the task fits together, with the noise, the data and the training."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tdspec.language.augmentation import bind
from tdspec.language.diffusion import (
    NOISES,
    Diffuse,
    ImportanceTimes,
    Likelihood,
    LognormalTimes,
    SigmoidNoise,
    VpNoise,
)  # fmt: skip
from tdspec.language.training import Plateau
from tdspec.report.codes import finding
from tdspec.report.finding import Finding

if TYPE_CHECKING:
    from tdspec.language.spec import Spec

FLAT = 20  # from 0, in units of the temperature: from here on a sigmoid is a constant
RISES = {
    "vp": ("beta_min", "beta_max", "DDPM has 0.1, 20 and 1000"),
    "sub-vp": ("beta_min", "beta_max", "published are 0.1 and 20"),
    "ve": ("sigma_min", "sigma_max", "published are 0.01 and 50 for images in [0, 1], here 0.02 and 100"),
    "edm": ("sigma_min", "sigma_max", "published are 0.002 and 80"),
    "sigmoid": ("start", "end", "published are -3 and 3"),
}
"""Of each noise the options of which the second is the greater, and what is published."""


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
    yield from _rates(spec, task)
    yield from _kind_of_time(spec, task)
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


def _kind_of_time(spec: Spec, task: Diffuse) -> Iterator[Finding]:
    """What needs continuous time, and what needs steps."""
    steps = getattr(task.noise, "steps", None)
    if task.variance == "learned" and steps is None:
        where = "task.variance"
        message = "`variance: learned` is about the steps of discrete time, and here time is continuous"
        able = [noise.kind for noise in NOISES if "steps" in noise.__dataclass_fields__]
        help_ = f"write `steps: 1000` at the noise, which is one of {', '.join(able)}"
        yield finding("TD025", message, spec.span(where), where=where, help=help_)
    for section, key in ((task.weighting, "weighting"), (task.times, "times")):
        if steps is not None and isinstance(section, Likelihood | LognormalTimes | ImportanceTimes):
            where = f"task.{key}"
            message = f"`{section.kind}` needs continuous time, and the noise has `steps`"
            yield finding("TD025", message, spec.span(where), where=where, help="remove `steps` from the noise")


def _rates(spec: Spec, task: Diffuse) -> Iterator[Finding]:
    """Numbers that make no noise schedule: noise that gets less, or a step that takes away all there is."""
    noise = task.noise
    rises = RISES.get(noise.kind)
    if rises is None:
        return
    low, high, published = rises
    least, greatest = getattr(noise, low), getattr(noise, high)
    constant = low == "beta_min"  # a rate may be constant, a level may not
    steps = getattr(noise, "steps", None)
    if greatest < least or (greatest == least and not constant):
        than = f"{least:g} (`{low}`) or more" if constant else f"more than {least:g} (`{low}`)"
        message = f"`{high}` should be {than}, found {greatest:g}"
        where = f"task.noise.{high}"
    elif isinstance(noise, VpNoise) and steps is not None and steps <= noise.beta_max:
        message = f"`steps` should be more than {noise.beta_max:g} (`beta_max`), found {steps}"
        where = "task.noise.steps"
    elif isinstance(noise, SigmoidNoise) and max(abs(least), abs(greatest)) > FLAT * noise.temperature:
        steep = max(abs(least), abs(greatest)) / FLAT
        message = f"`temperature` should be {steep:g} or more, found {noise.temperature:g}: there the sigmoid is flat"
        where = "task.noise.temperature"
    else:
        return
    yield finding("TD024", message, spec.span(where), where=where, help=published)
