"""Every page is a test: its bad example yields its code, its good one nothing."""

from __future__ import annotations

import re

import pytest

import tdspec
from tdspec.report.codes import CODES
from tdspec.report.finding import Report, Severity
from tdspec.rules.page import FOLDER, Example, load_page, path_of

# What a page's YAML cannot show: a file that is not there, one that is no text, or one of megabytes.
WITHOUT_EXAMPLES = {"TD001", "TD007"}

PAGES = [code for code in CODES if path_of(code).is_file()]
EXAMPLES = [
    pytest.param(code, example, id=f"{code}-{example.kind}-{index}")
    for code in PAGES
    for index, example in enumerate(load_page(code).examples)
]


def test_the_folder_is_the_table() -> None:
    assert {path.name for path in FOLDER.glob("td*.py")} == {path_of(code).name for code in CODES}


@pytest.mark.parametrize("code", PAGES)
def test_a_page_is_whole(code: str) -> None:
    page = load_page(code)
    assert page.headline.endswith(".") and len(page.headline) < 110
    assert {"## What", "## Why", "## Cure"} <= set(page.body.splitlines())
    kinds = {example.kind for example in page.examples}
    assert kinds == (set() if code in WITHOUT_EXAMPLES else {"bad", "good"})
    # A fence that the page's grammar does not know would be an example that is never run.
    assert len(re.findall(r"^```\w", page.body, re.MULTILINE)) == len(page.examples)


@pytest.mark.parametrize(("code", "example"), EXAMPLES)
def test_examples(code: str, example: Example) -> None:
    report = tdspec.validate(example.text, overrides=example.settings)
    found = troubles(report, code)
    assert found == ({code} if example.kind == "bad" else set()), str(tdspec.SpecError(report))
    if example.kind == "good":
        assert code not in {item.code for item in report.findings}


def troubles(report: Report, code: str) -> set[str]:
    """Codes of errors and warnings, and the page's own, which may be a note."""
    return {item.code for item in report.findings if item.severity is not Severity.NOTE or item.code == code}
