"""Runs of a model at two times, compared: what moves with one source of time while all others are frozen."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cached_property

import torch
from torch import Tensor

from tdspec.witness.labels import FIRST_SOURCE, T, X
from tdspec.witness.moment import Moment, per_channel
from tdspec.witness.norm_calls import NormCall
from tdspec.witness.recording import Key, Norm, Place, Recording, kind_of
from tdspec.witness.share import Share
from tdspec.witness.subject import STILL, TIMES, Subject
from tdspec.witness.views import WRITTEN, View

ROUNDED = 1e-14  # variance over the samples, of E[z^2], of a constant behind a norm in float64
WIDE = 8  # channels per unit from which a mean takes little out
TINY, TINY_BATCH = 200_000, 16  # parameters; where a sign alone may carry t, more samples see it

OUTPUT: Place = ("output", "")
Shares = dict[Place, Share]
Group = frozenset[int]
ALL: Group = frozenset({-1})  # every source together: a model whose use of t cannot be followed


class Comparison:
    """One mode of a model, its sources, and what can be seen of them.

    recording  one run of it, in the same mode
    training   the mode: training or evaluation
    offsets    sources and normalisations that they reach as one number per channel, edges aside
    negative   sources that multiply by a factor below zero
    """

    def __init__(self, subject: Subject, recording: Recording, *, training: bool = True) -> None:
        self.subject = subject
        self.recording = recording
        self.training = training
        self.entries = dict(recording.sources)
        self.norms: list[Norm] = recording.norms
        self.parameters = sum(item.numel() for item in subject.model.parameters())
        self.tiny = self.parameters < TINY
        over_batch = any(norm.call.over_batch for norm in self.norms)
        self.batch = subject.size(TINY_BATCH if self.tiny else subject.batch if over_batch else 2)
        self.offsets: set[tuple[int, Key]] = set()
        self.negative: set[int] = set()
        self._moving: set[Place] = set()  # places at which samples differ

    @cached_property
    def sources(self) -> list[int]:
        """Their numbers, in the order in which they enter; `[-1]` where t cannot be followed."""
        return [-1] if self.subject.blind else sorted(set(self.entries.values()))

    def followed(self) -> bool:
        """Whether t comes in by the sources alone, not also as a number that Python computes with, and labels hold.

        A label is lost where torch does not see a call, as in TorchScript and NumPy. Then what moves with a source
        has not its label.
        """
        none: Group = frozenset()
        (frozen,) = self.compare([none], WRITTEN, torch.float32, 0)
        if frozen[OUTPUT].rounding >= STILL or self._unlabelled():
            return False
        lost = [source for source in self.sources if not self.reaches(source, self.recording.label)]
        groups = [*(frozenset({source}) for source in lost), frozenset(self.sources)]
        measured = self.compare(groups, WRITTEN, torch.float32, 0, everything=True)
        return not any(self._beyond(group, shares) for group, shares in zip(groups, measured, strict=True))

    def _unlabelled(self) -> bool:
        """Whether samples differ where no label says that x arrives."""
        found: dict[Place, Moment] = {}

        def keep(place: Place, value: Tensor) -> None:
            found[place] = Moment.of(value, self.batch)

        module = self.subject.redrawn(torch.float32, 0, training=self.training)
        run = self.subject.run(module, 0, batch=self.batch, visit=keep, sources=dict(self.entries), everything=True)
        labels: dict[Place, int] = {("before", norm.key): norm.label for norm in run.norms} | {OUTPUT: run.label}
        return any(not label & (X | T) and found[at].spread > STILL * found[at].power for at, label in labels.items())

    def _beyond(self, group: Group, shares: Shares) -> bool:
        """Whether sources move what their labels have not reached."""
        labels: dict[Place, int] = {("before", norm.key): norm.label for norm in self.norms}
        labels[OUTPUT] = self.recording.label
        return any(
            shares[place].rounding >= STILL and not any(self.reaches(source, label) for source in group)
            for place, label in labels.items()
            if place in shares and label & (X | T) != T  # of t alone no source has entered yet
        )

    def reaches(self, source: int, label: int) -> bool:
        """Whether the data flow leads from a source to what has a label."""
        return source == -1 or bool(label & FIRST_SOURCE << source)

    def places(self, source: int) -> set[Place]:
        """Where a source could be found: what it adds, norms on the way, the output. Norms of t alone belong to all."""
        found: set[Place] = {
            (side, norm.key)
            for norm in self.norms
            if self.reaches(source, norm.label) or norm.label & (X | T) == T
            for side in ("before", "behind")
        }
        if self.reaches(source, self.recording.label):
            found.add(OUTPUT)
        return found | self.operands(source)

    def operands(self, source: int) -> set[Place]:
        """What a source adds, at all of its entries."""
        return {
            ("operand", (key, index))
            for key, number in self.entries.items()
            if number == source or source == -1
            for index in range(len(self.recording.operands[key]))
        }

    def makes_constant(self, norm: Norm) -> bool:
        """Whether at a normalisation the input is lost, too; one of t alone has none."""
        return bool(norm.label & X) and self.constant(("behind", norm.key))

    def constant(self, place: Place) -> bool:
        """Whether at a place that was measured in float64 all samples are the same: the input is dead, too."""
        return place not in self._moving

    def labels(self, stops: Mapping[Key, int]) -> dict[Place, int]:
        """Labels by place, where normalisations let some bits not through."""
        module = self.subject.redrawn(torch.float32, 0, training=self.training)
        again = self.subject.run(module, 0, batch=self.batch, sources=dict(self.entries), stops=stops)
        found: dict[Place, int] = {
            (side, norm.key): norm.label for norm in again.norms for side in ("before", "behind")
        }
        return {**found, OUTPUT: again.label}

    def _look(self, group: Group, place: Place, first: Tensor, second: Tensor) -> None:
        """Note whether a source reaches a normalisation as one number per channel."""
        if place[0] == "before" and place[1] in self._few:
            change = second - first
            if self._few[place[1]].channels_last:
                change = change.movedim(-1, 1)
            if per_channel(change, self.subject.convention.per_sample):
                self.offsets.add((*group, place[1]))

    @cached_property
    def _few(self) -> dict[Key, NormCall]:
        """Normalisations whose units hold few channels, within a sample."""
        calls = {norm.key: norm.call for norm in self.norms}
        return {
            key: call for key, call in calls.items() if 1 < call.width < WIDE and call.centred and not call.over_batch
        }

    def compare(
        self, groups: Collection[Group], view: View, dtype: torch.dtype, draw: int, *, modules: bool = False,
        everything: bool = False,
    ) -> list[Shares]:  # fmt: skip
        """For each group of sources the share of two times everywhere, all other sources being frozen.

        modules     behind every module, too
        everything  at every normalisation, whether labels say that a source reaches it or not
        """
        module = self.subject.redrawn(dtype, draw, training=self.training)
        base: dict[Place, Moment] = {}
        sources = dict(self.entries)

        def keep(place: Place, value: Tensor) -> None:
            base[place] = Moment.of(value, self.batch)

        first = self.subject.run(
            module, 0, batch=self.batch, view=view, visit=keep, sources=sources, modules=modules,
            everything=everything,
        )  # fmt: skip
        for key, operands in first.operands.items():
            if kind_of(key) == "multiplied" and any(bool((factor < 0).any()) for factor in operands):
                self.negative.add(sources[key])
        if dtype is torch.float64:
            self._moving |= {place for place, value in base.items() if value.spread > ROUNDED * value.power > 0}
        found = []
        for group in groups:
            shares: Shares = {}
            places = (
                None
                if modules or everything or group == ALL
                else {OUTPUT}.union(*(self.places(source) for source in group))
            )

            def measure(
                place: Place, value: Tensor, shares: Shares = shares, group: Group = group,
                places: set[Place] | None = places,
            ) -> None:  # fmt: skip
                if place in base and base[place].value.shape == value.shape and (places is None or place in places):
                    shares[place] = base[place].share(value)
                    if not view.edges and len(group) == 1:
                        self._look(group, place, base[place].value, value)

            frozen = {key: kept for key, kept in first.operands.items() if group != ALL and sources[key] not in group}
            self.subject.run(
                module, 1 + draw % (TIMES - 1), batch=self.batch, view=view, visit=measure, sources=sources,
                frozen=frozen, modules=modules, everything=everything,
            )  # fmt: skip
            found.append(shares)
        return found
