"""The table of output formats.

A format is one file of this folder with a function `(report, *, color) -> str`, and one line here.
A format is imported when it is asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from tdspec.report.finding import Report

FORMATS = {
    "full": "tdspec.report.full:render_full",
    "concise": "tdspec.report.concise:render_concise",
    "json": "tdspec.report.json_format:render_json",
    "github": "tdspec.report.github:render_github",
    "sarif": "tdspec.report.sarif:render_sarif",
}


def render(report: Report, format: str, *, color: bool = False) -> str:
    """The report in one of `FORMATS`, without a line break at its end."""
    module, _, function = FORMATS[format].partition(":")
    renderer: Callable[..., str] = getattr(import_module(module), function)
    return renderer(report, color=color)
