"""What must not creep in: torch in a verdict, heavy imports, commands and codes nobody listed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import click
import pytest

import tdspec
from tdspec.cli.app import app
from tdspec.report.codes import CODES

ROOT = Path(__file__).parents[2]
HEAVY = ("torch", "torchdiffeq", "torchvision", "accelerate", "kornia", "numpy", "rich", "networkx", "matplotlib")


def loaded_after(code: str) -> set[str]:
    """Top-level modules in a fresh process that ran `code`."""
    program = f"{code}\nimport sys, json\nprint(json.dumps(sorted({{name.split('.')[0] for name in sys.modules}})))"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize(
    "code",
    [
        "import tdspec",
        "from tdspec.cli.app import main\nmain(['validate', 'specs/node/node-cifar10.yaml'])",
        "from tdspec.cli.app import main\nmain(['explain', 'TD104'])",
        "from tdspec.cli.app import main\nmain(['schema'])",
    ],
    ids=["import", "validate", "explain", "schema"],
)
def test_a_verdict_needs_none_of_the_heavy(code: str) -> None:
    assert loaded_after(code) & set(HEAVY) == set()


def test_commands_and_their_options_are_these() -> None:
    found = {}
    with click.Context(app) as context:
        for name in app.list_commands(context):
            command = app.get_command(context, name)
            assert command is not None
            found[name] = sorted(
                option
                for param in command.params
                for option in param.opts
                if option.startswith("--") and option != "--debug"
            )
    assert found == {
        "audit": [
            "--at", "--batch", "--config", "--input", "--integer", "--json", "--kwargs", "--seed", "--shared", "--time",
            "--time-name",
        ],
        "build": ["--emit", "--graph", "--json", "--set"],
        "eval": [
            "--batch", "--cache", "--corrections", "--count", "--device", "--eta", "--guidance", "--json", "--labels",
            "--metric", "--order", "--raw", "--require", "--sampler", "--samples", "--seed", "--singlestep", "--snr",
            "--spacing", "--steps", "--tolerance", "--variance", "--weights",
        ],
        "explain": ["--all", "--json", "--markdown"],
        "init": ["--kind"],
        "probe": ["--batch", "--data", "--graph", "--json", "--seeds", "--set"],
        "sample": [
            "--batch", "--corrections", "--count", "--device", "--eta", "--guidance", "--labels", "--order", "--out",
            "--raw", "--sampler", "--seed", "--singlestep", "--snr", "--spacing", "--steps", "--tolerance",
            "--variance",
        ],
        "schema": ["--check", "--write"],
        "train": [
            "--device", "--dry-run", "--json", "--out", "--precision", "--resume", "--seed", "--seeds", "--set",
        ],
        "validate": ["--diff", "--fix", "--format", "--ignore", "--select", "--set", "--unsafe-fixes"],
    }  # fmt: skip


def test_codes_are_these() -> None:
    """A code is never reused and never goes: this list only grows."""
    assert sorted(CODES) == [
        *(f"TD00{digit}" for digit in range(1, 9)),
        *(f"TD01{digit}" for digit in range(7)),
        *(f"TD02{digit}" for digit in range(7)),
        *(f"TD03{digit}" for digit in range(10)),
        *(f"TD04{digit}" for digit in range(7)),
        *(f"TD10{digit}" for digit in range(1, 10)),
        *(f"TD11{digit}" for digit in range(7)),
        *(f"TD20{digit}" for digit in range(1, 8)),
        "TD301",
        "TD302",
    ]


def test_no_rule_asks_for_an_ops_name() -> None:
    for path in (ROOT / "tdspec/rules").glob("td*.py"):
        code = path.read_text(encoding="utf-8").split('"""', 2)[2]
        assert "op.name" not in code and ".title ==" not in code, path.name


def test_no_package_hides_a_public_function() -> None:
    """Importing `tdspec.train`, were it a package, would put a module in the function's place."""
    folders = {path.stem for path in (ROOT / "tdspec").iterdir()}
    assert not folders & set(tdspec.__all__)
