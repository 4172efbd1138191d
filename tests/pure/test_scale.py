"""Large specs and many specs: time grows with size and no faster."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from time import process_time

import pytest

from tdspec.check import check_path, check_text

ROOT = Path(__file__).parents[2]
HEAD = "tdspec: 1\nmodel:\n  input: [8, 8, 8]\n  ode:\n    field:"


def ops(count: int) -> list[str]:
    """Mostly activations, and a few steps that the analysis of time has to follow."""
    few = {1: "ConcatConv", 2: "GN(1)", 3: "PosEmb"}
    return [few.get(index % (count // 4), "Act") for index in range(count)]


def piped(steps: Iterable[str]) -> str:
    return f'{HEAD} "[{"–".join(steps)}]"\n'


def wired(steps: Iterable[str]) -> str:
    lines, source = [f"{HEAD}\n      steps:"], "h"
    for index, step in enumerate(steps):
        lines.append(f"        s{index}: {{from: {source}, do: [{step}]}}")
        source = f"s{index}"
    return "\n".join([*lines, f"      output: {source}\n"])


def residual(steps: Iterable[str]) -> str:
    """Wired steps of which each fifth joins two branches."""
    lines, source = [f"{HEAD}\n      steps:"], "h"
    for index, step in enumerate(steps):
        reads, does = (f"[{source}, h]", "Add") if index % 5 == 4 else (source, step)
        lines.append(f"        s{index}: {{from: {reads}, do: [{does}]}}")
        source = f"s{index}"
    return "\n".join([*lines, f"      output: {source}\n"])


def deep(steps: Iterable[str]) -> str:
    """Blocks that use each other, each of a hundred steps."""
    every = list(steps)
    parts = [every[start : start + 100] for start in range(0, len(every), 100)]
    blocks = [f'  B{index}: {{pipeline: "[{"–".join(part)}]"}}' for index, part in enumerate(parts)]
    uses = "–".join(f"B{index}" for index in range(len(parts)))
    return "\n".join(["blocks:", *blocks, f"{HEAD} [{uses}]\n"])


def children_time() -> float:
    """Processor time of all subprocesses that have ended."""
    times = os.times()
    return times.children_user + times.children_system


def seconds(text: str) -> float:
    """The processor time one check takes; the spec holds."""
    start = process_time()
    report = check_text(text).report
    took = process_time() - start
    assert report.ok, [item.message for item in report.findings][:3]
    return took


@pytest.mark.parametrize("form", [piped, wired, residual, deep])
def test_ten_thousand_steps(form: Callable[[Iterable[str]], str]) -> None:
    half = min(seconds(form(ops(5_000))) for _ in range(2))
    whole = min(seconds(form(ops(10_000))) for _ in range(2))
    assert whole < 5
    # Twice the steps take twice the time; square growth would take four times.
    assert whole < 3 * half + 0.2


def test_ten_thousand_steps_with_findings() -> None:
    """Mistakes are no slower than what holds: each is found, named and placed."""
    steps = [step if index % 10 else "Akt" for index, step in enumerate(ops(10_000))]
    start = process_time()
    found = check_text(wired(steps)).report.findings
    assert process_time() - start < 10
    assert sum(item.code == "TD030" for item in found) == 1_000


def test_a_hundred_specs() -> None:
    (path,) = ROOT.rglob("specs/**/node-cifar10.yaml")
    start = process_time()
    for _ in range(100):
        assert check_path(str(path)).report.ok
    assert process_time() - start < 3


def test_a_folder_of_a_hundred_specs(tmp_path: Path) -> None:
    (path,) = ROOT.rglob("specs/**/node-cifar10.yaml")
    for index in range(100):
        (tmp_path / f"{index}.yaml").write_bytes(path.read_bytes())
    start = children_time()
    command = [sys.executable, "-m", "tdspec", "validate", str(tmp_path)]
    ran = subprocess.run(command, capture_output=True, encoding="utf-8", cwd=ROOT, check=False)
    assert children_time() - start < 3
    assert (ran.returncode, ran.stderr) == (0, "")
