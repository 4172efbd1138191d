"""What the README and the docs show is what the commands print, and what they call a spec holds."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import tdspec
from tests.conftest import Run

ROOT = Path(__file__).parents[2]
CONSOLE = re.compile(r"```console\n\$ tdspec ([^\n]*)\n(.*?)\n```", re.S)
SPEC = re.compile(r"```yaml passes\n(.*?)```", re.S)
DOCS = sorted((*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")))


def found(pattern: re.Pattern[str]) -> list[tuple[str, ...]]:
    return [(path.name, *match.groups()) for path in DOCS for match in pattern.finditer(path.read_text("utf-8"))]


@pytest.mark.parametrize(("document", "arguments", "output"), found(CONSOLE))
def test_commands_print_what_is_shown(
    document: str, arguments: str, output: str, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    assert run(*arguments.split()).out.rstrip() == output


@pytest.mark.parametrize(("document", "text"), found(SPEC))
def test_specs_that_should_pass_do(document: str, text: str) -> None:
    report = tdspec.validate(text)
    assert report.ok, str(tdspec.SpecError(report))


def test_there_is_something_to_test() -> None:
    assert found(CONSOLE) and len(found(SPEC)) >= 4


@pytest.mark.parametrize("path", DOCS, ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)|src=\"([^\"]+)\"", path.read_text("utf-8")):
        link = target[0] or target[1]
        assert link.startswith("http") or (path.parent / link).exists(), f"{path.name}: {link}"
