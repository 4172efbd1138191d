"""What all tests share: a plain environment, and the command line as a function."""

from __future__ import annotations

import os
from typing import NamedTuple, Protocol

import pytest
from hypothesis import settings

from tdspec.cli.app import main

# Many small modules, in this process and in those that tests start: threads only wait for each other.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# Machines differ in speed and are shared; a property does not hold less when it is slow to show.
settings.register_profile("tdspec", deadline=None, derandomize=True)
settings.load_profile("tdspec")


class Ran(NamedTuple):
    """How a command line ended."""

    code: int
    out: str
    err: str


class Run(Protocol):
    def __call__(self, *arguments: str) -> Ran: ...


@pytest.fixture(autouse=True)
def plain_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the caller's wish for colour nor the width of the window decides a test."""
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "100")


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run `tdspec` with arguments, in this process."""

    def run(*arguments: str) -> Ran:
        capsys.readouterr()
        code = main(list(arguments))
        return Ran(code, *capsys.readouterr())

    return run
