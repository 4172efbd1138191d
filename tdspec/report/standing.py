"""How a file stands, so that two texts of it can be compared."""

from __future__ import annotations

from collections import Counter

from tdspec.report.finding import Report, Severity

# Codes by the stage that finds them: where an early stage finds an error, later ones may see nothing.
STAGES = ("TD00", "TD01", "TD02", "TD03", "TD04", "TD2")


def standing(report: Report) -> tuple[int, ...]:
    """How a file stands, to be compared: errors by stage, then warnings, then notes; less is better.

    An early stage counts more, because its errors hide what later ones would find: a pipeline that
    can be read again may turn out to erase time.
    """
    errors = Counter(_stage(item.code) for item in report.findings if item.severity is Severity.ERROR)
    by_stage = (errors[stage] for stage in range(len(STAGES) + 1))
    return (*by_stage, report.count(Severity.WARNING), report.count(Severity.NOTE))


def _stage(code: str) -> int:
    return next((stage for stage, start in enumerate(STAGES) if code.startswith(start)), len(STAGES))


def helps(was: Report, now: Report, code: str) -> bool:
    """Whether a finding of this code has gone, and the file stands better."""
    fewer = sum(item.code == code for item in now.findings) < sum(item.code == code for item in was.findings)
    return fewer and standing(now) < standing(was)
