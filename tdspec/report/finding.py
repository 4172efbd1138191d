"""What every stage reports, and how it is collected.

A stage never prints and never raises on the user's mistakes: it appends a `Finding`. Only the
public functions of `tdspec` raise, and only `SpecError`, which carries the whole report.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from tdspec.report.fix import FIXES, Applicability, Fix

if TYPE_CHECKING:
    from tdspec.text.source import Span


class Severity(Enum):
    """How bad a finding is; only errors make `validate` exit with 1."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class Region(NamedTuple):
    """A place as machines read it: 1-based, columns in characters, the end right behind the last one.

    What is about a file as a whole stands at its first character.
    """

    line: int
    column: int
    end_line: int
    end_column: int

    @classmethod
    def of(cls, span: Span | None) -> Region:
        return cls(*span.first, *span.last) if span is not None else cls(1, 1, 1, 1)


@dataclass(frozen=True, slots=True)
class Label:
    """A second place that explains a finding: where t enters, where a key was first given."""

    span: Span
    text: str

    @property
    def path(self) -> str:
        """Name of the file the label is in; `extends` can make it another than the finding's."""
        return self.span.source.name

    @property
    def region(self) -> Region:
        return Region.of(self.span)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing the user should know, with its place and its cure.

    code      rule code, `TD104`; never reused
    name      kebab-case name, `batch-norm-in-ode`; reads well after "allow"
    severity  see `Severity`
    message   one sentence: what was found; the offending word in backquotes
    span      the place; None only where there is no text at all (a file that cannot be read)
    caption   a few words under the caret, or empty
    labels    further places
    help      what to write instead, or empty
    notes     further facts: exactness, size of the effect
    where     dotted path in the spec, `model.ode.field`; what an allowance is matched against
    uses      dotted paths that it also belongs to: those of the ODE and the pipelines that use the block
    file      the source's name; taken from the span where there is one
    fix       a change of the text that may make the finding go away
    offered   whether that has been tried: the finding is gone, and nothing else is worse
    """

    code: str
    name: str
    severity: Severity
    message: str
    span: Span | None = None
    caption: str = ""
    labels: tuple[Label, ...] = ()
    help: str = ""
    notes: tuple[str, ...] = ()
    where: str = ""
    uses: tuple[str, ...] = ()
    file: str = ""
    fix: Fix | None = None
    offered: bool = False

    @property
    def path(self) -> str:
        """Name of the file the finding is in."""
        return self.span.source.name if self.span is not None else self.file

    @property
    def region(self) -> Region:
        return Region.of(self.span)

    @property
    def applicability(self) -> Applicability | None:
        """Whether the fix that is offered is a safe one; None without one."""
        return FIXES[self.code] if self.offered and self.fix is not None else None

    @property
    def order(self) -> tuple[str, int, int, str]:
        """Sort key: by place, then by code."""
        if self.span is None:
            return (self.path, -1, -1, self.code)
        return (self.path, self.span.start, self.span.end, self.code)


@dataclass(repr=False)
class Report:
    """The findings of one or several files.

    `allowed` are those that an allowance of the spec silences, each with the given reason.
    """

    findings: list[Finding] = field(default_factory=list)
    allowed: list[tuple[Finding, str]] = field(default_factory=list)
    files: list[str] = field(default_factory=list)

    def __repr__(self) -> str:
        counts = ", ".join(f"{severity.value}s: {self.count(severity)}" for severity in Severity)
        return f"<Report of {', '.join(self.files[:3]) or 'nothing'}; {counts}>"

    def add(self, finding: Finding) -> None:
        self.findings.append(finding)

    def extend(self, findings: Iterable[Finding]) -> None:
        self.findings.extend(findings)

    def merge(self, other: Report) -> None:
        self.findings.extend(other.findings)
        self.allowed.extend(other.allowed)
        self.files.extend(other.files)

    def drop_repeats(self) -> None:
        """Keep each finding once: several specs may extend the file that it is in."""
        found = {(item.code, item.path, item.region, item.message): item for item in reversed(self.findings)}
        self.findings = list(reversed(found.values()))

    def sort(self) -> None:
        self.findings.sort(key=lambda finding: finding.order)

    @property
    def fixable(self) -> list[Finding]:
        """Findings with a fix that has been tried and helps."""
        return [finding for finding in self.findings if finding.offered]

    def count(self, severity: Severity) -> int:
        return sum(finding.severity is severity for finding in self.findings)

    @property
    def ok(self) -> bool:
        """Whether there is no error; warnings and notes do not count."""
        return not any(finding.severity is Severity.ERROR for finding in self.findings)


class SpecError(Exception):
    """A spec does not hold. `report` has every finding; the message shows the errors."""

    def __init__(self, report: Report) -> None:
        self.report = report
        super().__init__(report)

    def __str__(self) -> str:
        from tdspec.report.full import render_full

        return "\n" + render_full(self.report, color=False)
