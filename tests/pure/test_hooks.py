"""The hooks for pre-commit: that they start, and which files they get."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import yaml

from tests.conftest import Run

ROOT = Path(__file__).parents[2]
HOOKS = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
SPEC = "tdspec: 1\nmodel: {input: [4], pipeline: [act–FC(3)]}\n"


def test_there_is_one_that_checks_and_one_that_fixes() -> None:
    assert [hook["id"] for hook in HOOKS] == ["tdspec-validate", "tdspec-fix"]


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook["id"])
def test_hooks_run(hook: dict[str, str], run: Run, tmp_path: Path) -> None:
    """As pre-commit does: the entry, then the files. What changes a file has to pass the second time."""
    program, *arguments = shlex.split(hook["entry"])
    assert program == "tdspec" and hook["types"] == ["yaml"]
    path = tmp_path / "spec.yaml"
    path.write_text(SPEC, encoding="utf-8")
    first, second = (run(*arguments, str(path)).code for _ in range(2))
    fixes = "--fix" in arguments
    assert (first, second) == ((0, 0) if fixes else (1, 1))
    assert path.read_text(encoding="utf-8") == (SPEC.replace("act", "Act") if fixes else SPEC)


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook["id"])
def test_hooks_take_specs_by_their_place(hook: dict[str, str]) -> None:
    shipped = [str(path.relative_to(ROOT)) for path in (ROOT / "specs").rglob("*.yaml")]
    assert shipped and all(re.search(hook["files"], path) for path in [*shipped, "a/specs/b.yml"])
    assert not any(re.search(hook["files"], path) for path in (".github/workflows/ci.yaml", "myspecs/a.yaml"))
