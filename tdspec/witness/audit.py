"""`tdspec.audit`: any module that takes time, measured and judged."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn

from tdspec.report.finding import Finding, Report
from tdspec.report.json_format import as_object
from tdspec.witness.calling import AuditError, Inputs
from tdspec.witness.comparison import OUTPUT
from tdspec.witness.fate import Mode, word
from tdspec.witness.moment import mean_square
from tdspec.witness.proof import Proof
from tdspec.witness.recording import Place
from tdspec.witness.share import Moments, Share
from tdspec.witness.subject import STILL, TIMES, Subject
from tdspec.witness.verdict import Evidence, Verdict
from tdspec.witness.views import GIVEN


@dataclass(frozen=True)
class NormRow:
    """A normalisation, in the order of the calls.

    name      qualified name of the module
    title     `GroupNorm(32, 128)`
    before    time share before it, with the weights as they are, in training; 0 to 1
    behind    and behind it
    survival  behind over before; None where no time arrives
    verdict   `free` (no time arrives), `alive`, `erased`, `faint` (but for eps), `border only`
    """

    name: str
    title: str
    channels: int
    groups: int
    before: float
    behind: float
    survival: float | None
    verdict: str


@dataclass(frozen=True)
class SourceRow:
    """A place where time enters.

    name   qualified name of the module in whose `forward` it does
    kind   `added`, `multiplied`, `concatenated`, ...
    end    at the output: `alive`, `erased`, `faint`, `edge`
    still  whether it does not move with the weights as they are
    """

    name: str
    kind: str
    end: str
    still: bool


@dataclass(frozen=True)
class Audit:
    """What was measured of a model, and what there is to say about it.

    model       the name it was given, or its class
    call        how it was called
    per_sample  whether each sample had a t of its own
    share       time share of the output with the weights as they are, by mode
    findings    as `validate` has them, without spans; `where` is a module's qualified name
    """

    model: str
    call: str
    per_sample: bool
    parameters: int
    share: dict[str, float]
    sources: tuple[SourceRow, ...]
    norms: tuple[NormRow, ...]
    findings: tuple[Finding, ...]

    @property
    def report(self) -> Report:
        return Report(list(self.findings), files=[self.model])

    @property
    def ok(self) -> bool:
        """Whether there is no error."""
        return self.report.ok

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON: the fields by their names."""
        plain = asdict(self)
        plain["findings"] = [as_object(item) for item in self.findings]
        return plain

    def __str__(self) -> str:
        from tdspec.witness.audit_text import render_audit

        return render_audit(self, color=False)


Shape = Sequence[int] | Sequence[Sequence[int]] | Tensor


def audit(
    model: nn.Module, input: Shape, *, kwargs: Mapping[str, Any] | None = None,
    time: tuple[float, float] | None = None, integer: bool | None = None, per_sample: bool | None = None,
    time_name: str | None = None, batch: int | None = None, seed: int = 0, name: str | None = None,
) -> Audit:  # fmt: skip
    """Measure where time dies in a module that takes time, whoever wrote it. The module is not changed.

    input       shape of the state without the batch, `(3, 32, 32)`; several for a state of several parts; or a batch
    kwargs      further arguments of `forward`; a number stands for a tensor with one entry per sample
    time        first and last t; by default what the argument's name says, 0 to 1 for `t`
    integer     whether t are integer steps; by default so for `timestep`
    per_sample  whether each sample has a t of its own; by default not if t is the first argument
    time_name   the argument of `forward` that is time, where its name does not say so
    batch       samples in a run
    name        what to call it in the findings

    Raises `tdspec.witness.calling.AuditError` where the model cannot be called.
    """
    if time is not None and not (math.isfinite(time[0]) and math.isfinite(time[1]) and time[0] != time[1]):
        raise AuditError(f"the first and the last t are two finite numbers, not {time[0]:g} and {time[1]:g}")
    inputs = Inputs(_shapes(input), kwargs or {}, time, integer, per_sample, time_name)
    with _half_the_threads():
        return _audited(Subject(model, inputs, batch=batch, seed=seed), name or type(model).__name__)


@contextmanager
def _half_the_threads() -> Iterator[None]:
    """Runs are short: where others use the cores as well, threads that wait for each other cost ten times the time."""
    threads = torch.get_num_threads()
    torch.set_num_threads(max(1, threads // 2))
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _audited(subject: Subject, title: str) -> Audit:
    subject.convention  # noqa: B018 - says first of all what cannot be called
    proofs = _proofs(subject)
    proof = proofs["training"]
    given = _given(subject, proof, training=True)
    shares = {"training": _clean(given[OUTPUT])}
    if "evaluation" in proofs:
        shares["evaluation"] = _clean(_given(subject, proof, training=False, only=OUTPUT)[OUTPUT])
    verdict = Verdict(Evidence(subject, proofs, given, title))
    findings = sorted(verdict.findings(), key=lambda item: item.code)
    return Audit(
        model=title,
        call=str(subject.convention),
        per_sample=subject.convention.per_sample,
        parameters=proof.parameters,
        share=shares,
        sources=tuple(
            SourceRow(source.name, source.kind, verdict.end(source), verdict.silent(source))
            for source in verdict.sources
            if not verdict.unused
        ),
        norms=tuple(
            _row(verdict.names[norm.key], norm.title, norm.call, given, norm.key, word(proof, norm))
            for norm in proof.norms
        ),
        findings=tuple(findings),
    )


def _shapes(given: Shape) -> tuple[tuple[int, ...], ...]:
    if isinstance(given, Tensor):
        return (tuple(given.shape[1:]),)
    parts = [(item,) if isinstance(item, int) else tuple(item) for item in given]
    return tuple(parts) if parts and not isinstance(given[0], int) else (sum(parts, ()),)


def _proofs(subject: Subject) -> dict[Mode, Proof]:
    """A proof for training, and one for evaluation where that is another function.

    Raises `AuditError` where the model is no function of its inputs.
    """
    first, again, evaluated = (_output(subject, training=training) for training in (True, True, False))
    if _differ(first, again):
        raise AuditError(
            "two calls with the same weights, x, t and random state give different outputs: what the model remembers, "
            "or draws elsewhere, cannot be told from t"
        )
    proof = _proof(subject, training=True)
    if not proof.sources or not proof.followed():
        subject.blind = True
        proof = _proof(subject, training=True)
    found: dict[Mode, Proof] = {"training": proof}
    if _differ(first, evaluated):
        found["evaluation"] = _proof(subject, training=False)
    return found


def _output(subject: Subject, *, training: bool) -> Tensor:
    """What the model gives at the first t, with redrawn weights."""
    found: list[Tensor] = []

    def keep(place: Place, value: Tensor) -> None:
        if place == OUTPUT:
            found.append(value.clone())

    subject.run(subject.redrawn(torch.float32, 0, training=training), 0, visit=keep)
    return found[0]


def _differ(one: Tensor, other: Tensor) -> bool:
    return one.shape != other.shape or mean_square(one - other) > STILL * mean_square(one)


def _proof(subject: Subject, *, training: bool) -> Proof:
    module = subject.redrawn(torch.float32, 0, training=training)
    return Proof(subject, subject.run(module, 0), training=training)


def _given(subject: Subject, proof: Proof, *, training: bool, only: Place | None = None) -> dict[Place, Share]:
    """Time shares with the weights as they are, at every place or at one."""
    moments: dict[Place, Moments] = {}

    def add(place: Place, value: Tensor) -> None:
        if only is None or place == only:
            value = value if value.is_floating_point() else value.double()
            moments.setdefault(place, Moments()).add(value[..., None] if value.dim() < 3 else value)

    module = subject.given(training=training, dtype=proof.screen)
    for step in range(TIMES):
        subject.run(module, step, view=GIVEN, visit=add)
    return {place: item.share() for place, item in moments.items()}


def _row(name: str, title: str, call: Any, given: Mapping[Place, Share], key: Any, verdict: str) -> NormRow:
    none = Share(0.0, 0.0, 0.0)
    before, behind = (_clean(given.get((side, key), none)) for side in ("before", "behind"))
    behind = 0.0 if verdict == "erased" else behind  # what is measured there is rounding
    survival = behind / before if before > 0 else None
    return NormRow(name, title, call.channels, call.groups, before, behind, survival, verdict)


def _clean(share: Share) -> float:
    """The share, zero where nothing but float32's rounding is left."""
    return 0.0 if share.rounding < STILL or math.isnan(share.share) else share.share


__all__ = ["Audit", "AuditError", "NormRow", "SourceRow", "audit"]
