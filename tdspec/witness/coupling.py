"""Whether one sample's result depends on another sample's t, and what is left if all have the same."""

from __future__ import annotations

from collections.abc import Collection

import torch
from torch import Tensor

from tdspec.witness.comparison import OUTPUT
from tdspec.witness.moment import Moment
from tdspec.witness.recording import Key, Place
from tdspec.witness.share import Share
from tdspec.witness.subject import STILL, Subject


def coupled_places(subject: Subject, norms: Collection[Key]) -> set[Place]:
    """Of these normalisations and the output, where the first sample changes with the times of the others."""
    times, others = subject.times(0, subject.batch), subject.times(1, subject.batch)
    others[0] = times[0]
    first, second = _values(subject, norms, times), _values(subject, norms, others)
    return {
        place
        for place, value in second.items()
        if (first[place][0] - value[0]).square().mean() > STILL * value[0].square().mean()
    }


def equal_times(subject: Subject, norms: Collection[Key]) -> dict[Place, Share]:
    """Time shares behind these normalisations where all samples have the same t, as while sampling."""
    one, two = subject.convention.times(2)
    first = _values(subject, norms, one.repeat(subject.batch))
    second = _values(subject, norms, two.repeat(subject.batch))
    return {place: Moment.of(first[place], subject.batch).share(value) for place, value in second.items()}


def _values(subject: Subject, norms: Collection[Key], times: Tensor) -> dict[Place, Tensor]:
    """What is there with redrawn weights, in training."""
    found: dict[Place, Tensor] = {}
    wanted = {OUTPUT, *(("behind", key) for key in norms)}

    def keep(place: Place, value: Tensor) -> None:
        if place in wanted:
            found[place] = value.clone()

    subject.run(subject.redrawn(torch.float32, 0, training=True), 0, visit=keep, times=times)
    return found
