"""Findings about a measured model, under the codes that `validate` gives to specs, with cures in torch's terms."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import NamedTuple

from tdspec.report.codes import finding
from tdspec.report.finding import Finding, Severity
from tdspec.witness.comparison import OUTPUT
from tdspec.witness.coupling import coupled_places, equal_times
from tdspec.witness.cures import SCORE_SDE_BOUND, cure
from tdspec.witness.fate import ENDS, Fate, Mode, Source, ending, fate, loss, names_of, sources_of
from tdspec.witness.proof import Proof
from tdspec.witness.recording import Key, Norm, Place
from tdspec.witness.share import Share
from tdspec.witness.subject import STILL, Subject
from tdspec.witness.views import STRICT, WRITTEN

SCALES = ("multiplied", "scale and shift", "modulated")


class Evidence(NamedTuple):
    """What was measured of one model.

    proofs  by mode; evaluation only where it differs
    given   shares with the weights as they are, in training, by place
    """

    subject: Subject
    proofs: Mapping[Mode, Proof]
    given: Mapping[Place, Share]
    model: str


class Verdict:
    """Judges the evidence about one model."""

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence
        self.proof = evidence.proofs["training"]
        self.shared = not evidence.subject.convention.per_sample
        self.names = names_of(self.proof.norms)
        self.over_batch = {norm.key for norm in self.proof.norms if norm.call.over_batch}

    @cached_property
    def sources(self) -> list[Source]:
        return sources_of(self.proof)

    @cached_property
    def fates(self) -> dict[int, tuple[Fate, ...]]:
        """How each source ends, in every mode that makes a difference."""
        return {
            source.number: tuple(fate(proof, source, mode) for mode, proof in self.evidence.proofs.items())
            for source in self.sources
        }

    @cached_property
    def endings(self) -> dict[int, Fate]:
        return {
            number: ending(fates, shared=self.shared, over_batch=self.over_batch)
            for number, fates in self.fates.items()
        }

    def end(self, source: Source) -> str:
        """The worst end of a source at the output, whatever rule it falls under."""
        return min((item.end for item in self.fates[source.number]), key=ENDS.index)

    def findings(self) -> tuple[Finding, ...]:
        """All findings, those of one code and place as one."""
        found = (
            *self._unused(), *self._endings(), *self._routes(), *self._in_ode(), *self._coupled(), *self._narrow(),
            *self._silent(),
        )  # fmt: skip
        return tuple({(item.code, item.where, item.message): item for item in found}.values())

    def _say(self, code: str, where: str, message: str, **more: object) -> Finding:
        return finding(code, message, where=where, file=self.evidence.model, **more)

    # ------------------------------------------------------------ sources

    @cached_property
    def unused(self) -> bool:
        """Whether no source was found, and nothing moves with t anywhere."""
        return self.proof.sources == [-1] and all(
            item.end == "erased" and not item.killers and not self._moves() for item in self.fates[-1]
        )

    def _moves(self) -> bool:
        """Whether what leaves some module moves with t, where t cannot be followed."""
        return bool(loss(self.proof, self.sources[0]).alive)

    def _unused(self) -> Iterator[Finding]:
        if self.unused:
            yield self._say(
                "TD107", "", f"t reaches nothing: the output of `{self.evidence.model}` is the same at every t",
                help="add an embedding of t, or concatenate t as a channel",
            )  # fmt: skip
            return
        for source in self.sources:
            if not self.proof.reaches(source.number, self.proof.recording.label):
                yield self._say(
                    "TD107", source.name, f"t enters at {_at(source)}, which does not lead to the output",
                    help="use its result, or remove it",
                )  # fmt: skip

    def _endings(self) -> Iterator[Finding]:
        """Sources of which nothing is left at the output, by the norm at which they end."""
        met: dict[tuple[str, Key | None], list[tuple[Source, Fate]]] = {}
        for source in self.sources:
            end = self.endings[source.number]
            if self.unused or end.end == "alive" or not self.proof.reaches(source.number, self.proof.recording.label):
                continue
            last = end.killers[-1].key if end.killers else None
            met.setdefault((_code(source, end), last), []).append((source, end))
        for (code, key), cases in met.items():
            (source, end), sources = cases[0], [case[0] for case in cases]
            notes: tuple[str, ...] = ("so in evaluation only",) if end.mode == "evaluation" else ()
            if key is None:
                yield from self._otherwise(code, cases, notes)
                continue
            norm = end.killers[-1]
            name, entered = f"`{self.names[key]}`, {norm.title},", _listed(sources)
            but = " but for its eps" if end.end == "faint" else ""
            message = {
                "TD101": f"{name} erases the time that enters at {entered}{but}",
                "TD103": f"behind {name} the time that enters at {entered} lives at the border only",
                "TD108": f"{name} erases the positional time embedding that enters at {entered}{but}",
                "TD116": f"{name} divides out the factor by which time multiplies at {entered}, but for its eps",
            }[code]
            more = {"severity": Severity.ERROR if self.shared else Severity.WARNING} if code == "TD103" else {}
            if code == "TD103":
                notes += ("exact without padding: what is left comes from padded zeros", *self._measured(norm))
            else:
                notes += ("no other path leads from there to the output",)
            yield self._say(code, self.names[key], message, help=cure(norm, code), notes=notes, **more)

    def _otherwise(self, code: str, cases: list[tuple[Source, Fate]], notes: tuple[str, ...]) -> Iterator[Finding]:
        """What is lost at no normalisation of torch, or where the input is lost as well."""
        for source, item in cases:
            proof = self.evidence.proofs[item.mode]
            dead = [norm for norm in proof.lost(WRITTEN, source.number) if proof.makes_constant(norm)]
            if dead:
                name = self.names[dead[0].key]
                yield self._say("TD205", name, f"`{name}`, {dead[0].title}, makes a constant of whatever comes in")
                continue
            alive, after, constant = loss(proof, source)
            place = f"between `{alive}` and `{after}`" if after else f"behind `{alive}`" if alive else "on the way"
            if constant:
                yield self._say("TD205", after or alive, f"the input is lost {place}, and time with it")
                continue
            yield self._say(
                code, after or alive, f"the time that enters at {_at(source)} is lost {place}",
                help="look there for a mean that is subtracted: no normalisation of torch does it",
                notes=notes,
            )  # fmt: skip

    def _routes(self) -> Iterator[Finding]:
        met: dict[Key, list[Source]] = {}
        norms = {norm.key: norm for norm in self.proof.norms}
        for source in self.sources:
            for item in self.fates[source.number]:
                if item.end not in ("alive", "edge"):
                    continue
                for norm in self.evidence.proofs[item.mode].killers(WRITTEN, source.number):
                    if not (self.shared and norm.key in self.over_batch) and source not in met.setdefault(norm.key, []):
                        met[norm.key].append(source)
        for key, sources in met.items():
            yield self._say(
                "TD102", self.names[key],
                f"`{self.names[key]}`, {norms[key].title}, erases on one of its routes the time that enters at "
                f"{_listed(sources)}",
                help=cure(norms[key], "TD102"),
                notes=("the signal reaches the output on another route",),
            )  # fmt: skip

    # ------------------------------------------------------------ norms

    def _in_ode(self) -> Iterator[Finding]:
        if not self.shared:
            return
        moved: tuple[str, ...] = ()
        if "evaluation" in self.evidence.proofs:
            moved = ("in evaluation it is another function: running statistics, moved by every evaluation",)
        for norm in self.proof.norms:
            if not norm.call.over_batch:
                continue
            written = [s for s in self.sources if norm in self.proof.lost(WRITTEN, s.number)]
            edge = [s for s in self.sources if norm in self.proof.lost(STRICT, s.number) and s not in written]
            name = f"`{self.names[norm.key]}`, {norm.title},"
            does = (
                f"{name} erases while training the time that enters at {_listed([*written, *edge])}"
                if written or edge
                else f"{name} differs between training and evaluation of an ODE"
            )
            notes = ("exact without padding; zero padding leaves a trace", *self._measured(norm)) if edge else ()
            yield self._say(
                "TD104", self.names[norm.key], does, help=cure(norm, "TD104"),
                notes=(*notes, *moved),
            )  # fmt: skip

    def _coupled(self) -> Iterator[Finding]:
        if self.shared or not self.sources:
            return
        subject = self.evidence.subject
        coupled, equal = coupled_places(subject, self.over_batch), None
        for norm in self.proof.norms:
            if not norm.call.over_batch or ("behind", norm.key) not in coupled:
                continue
            equal = equal or equal_times(subject, self.over_batch)
            kept = equal[("behind", norm.key)].share
            yield self._say(
                "TD105", self.names[norm.key],
                f"`{self.names[norm.key]}`, {norm.title}, couples the times of the samples of a batch",
                help=cure(norm, "TD105"),
                notes=(
                    "training mode only: another sample's t changes this sample's result",
                    f"sampled in training mode, with one t for all, a share of {kept:.1g} is left behind it",
                ),
            )  # fmt: skip
        if OUTPUT in coupled and not self.over_batch:
            yield self._say("TD105", "", "in training one sample's result depends on the t of the others")

    def _narrow(self) -> Iterator[Finding]:
        for norm in self.proof.norms:
            width = norm.call.width
            if not any(self.proof.offset(source.number, norm) for source in self.sources):
                continue
            yield self._say(
                "TD106", self.names[norm.key],
                f"`{self.names[norm.key]}`, {norm.title}, keeps {1 - 1 / width:.0%} of an embedding's energy: "
                f"{width} channels in each group",
                severity=Severity.WARNING if width < SCORE_SDE_BOUND else Severity.NOTE,
                help=cure(norm, "TD106"),
                notes=("1 - G/C, in expectation over independent offsets", *self._measured(norm)),
            )  # fmt: skip

    def _measured(self, norm: Norm) -> tuple[str, ...]:
        before, behind = (self.evidence.given.get((side, norm.key)) for side in ("before", "behind"))
        if before is None or behind is None or before.rounding < STILL:
            return ()
        return (
            f"measured with the weights as they are: share {before.share:.1e} before it, {behind.share:.1e} behind",
        )

    # ------------------------------------------------------------ the weights as they are

    def silent(self, source: Source) -> bool:
        """Whether what a source brings does not move with the weights as they are, though it would with others."""
        places = self.proof.operands(source.number)
        return bool(places) and all(
            place in self.evidence.given
            and self.evidence.given[place].rounding < STILL
            and self.proof.alive(WRITTEN, source.number, place)
            for place in places
        )

    def _silent(self) -> Iterator[Finding]:
        alive = [source for source in self.sources if self.fates[source.number][0].end == "alive"]
        if not alive:
            return
        quiet = [source for source in alive if self.silent(source)]
        if self.evidence.given[OUTPUT].rounding < STILL:
            yield self._say(
                "TD111", "", "with the weights as they are the output does not depend on t; with others it does",
                notes=(f"what brings time is constant at {_listed(quiet)}",) if quiet else (),
            )  # fmt: skip
        elif quiet:
            yield self._say(
                "TD111", quiet[0].name, f"with the weights as they are time does not move at {_listed(quiet)}"
            )


def _code(source: Source, end: Fate) -> str:
    if end.end == "edge":
        return "TD103"
    if end.killers and (-1 if end.killers[-1].call.channels_last else 1) in source.along:
        return "TD108"
    scale = source.kind in SCALES
    return "TD116" if end.end == "faint" and scale and end.killers else "TD101"


def _at(source: Source) -> str:
    return f"`{source.name}`"


def _listed(sources: list[Source], most: int = 4) -> str:
    names = list(dict.fromkeys(map(_at, sources)))
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
