"""A mistake in the pipeline notation, raised where it is met and made a finding by the reader."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tdspec.report.codes import finding
from tdspec.report.finding import Finding, Label

if TYPE_CHECKING:
    from tdspec.report.fix import Fix
    from tdspec.text.source import Span


class Mistake(Exception):
    """What was expected and what was found, with its code, its place and its cure.

    resume  offset in the reader's text from which the next step can be read; None where the
            reader has to look for the next separator
    """

    def __init__(
        self,
        code: str,
        message: str,
        span: Span,
        help: str = "",
        labels: tuple[Label, ...] = (),
        resume: int | None = None,
        fix: Fix | None = None,
    ) -> None:
        self.code = code
        self.message = message
        self.span = span
        self.help = help
        self.labels = labels
        self.resume = resume
        self.fix = fix
        super().__init__(message)

    def finding(self, where: str = "") -> Finding:
        return finding(
            self.code, self.message, self.span, help=self.help, labels=self.labels, where=where, fix=self.fix
        )
