"""An editor's language server completes, explains and checks a spec by its modeline.

Set TDSPEC_YAML_LANGUAGE_SERVER to the folder `node_modules` of
`npm install --prefix FOLDER yaml-language-server`. What was seen stands in docs/editors.md.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tdspec.language.solver import METHODS
from tdspec.ops import OPS
from tests.peers import schema_cases
from tests.peers.language_client import Client, Completion

MODULES = os.environ.get("TDSPEC_YAML_LANGUAGE_SERVER", "")
NODE = shutil.which("node")
SERVER = Path(MODULES) / "yaml-language-server" / "bin" / "yaml-language-server"
MODELINE = "# yaml-language-server: $schema=schemas/tdspec.schema.json\n"
CURSOR = "|"

pytestmark = [
    pytest.mark.peer,
    pytest.mark.skipif(
        not MODULES or NODE is None,
        reason="set TDSPEC_YAML_LANGUAGE_SERVER to a node_modules with yaml-language-server",
    ),
]


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    folder = tmp_path_factory.mktemp("workspace")
    (folder / "schemas").mkdir()
    shutil.copy(schema_cases.SCHEMA, folder / "schemas")
    client = Client([str(NODE), str(SERVER), "--stdio"], folder)
    yield client
    client.close()


def place(marked: str) -> tuple[str, int, int]:
    """The document behind its modeline, and the line and column of the cursor in it."""
    before, _, after = (MODELINE + marked).partition(CURSOR)
    return before + after, before.count("\n"), len(before) - before.rfind("\n") - 1


def offered(client: Client, marked: str) -> dict[str, Completion]:
    return {item.label: item for item in client.complete(*place(marked))}


SECTIONS = {
    "": ("model", "name", "extends", "init", "time", "blocks", "task", "data", "train", "allow", "defaults"),
    "model:\n  ": ("input", "stem", "ode", "unet", "head", "pipeline", "steps", "output", "allow"),
    "model:\n  ode:\n    ": ("field", "t", "solver", "state", "init", "read", "time", "allow"),
    "model:\n  ode:\n    solver:\n      ": ("method", "rtol", "atol", "gradient", "steps", "max_evaluations"),
    "model:\n  steps:\n    one:\n      ": ("do", "from", "allow"),
    "blocks:\n  Res:\n    ": ("pipeline", "pre", "shortcut", "residual", "params", "ode"),
    "time:\n  ": ("embed", "argument"),
    "init:\n  operand:\n    ": ("weight", "bias"),
    "defaults:\n  GN:\n    ": ("groups", "eps", "affine"),
    "train:\n  optimizer:\n    kind: sgd\n    ": ("lr", "momentum", "nesterov", "weight_decay"),
    "train:\n  schedule:\n    kind: plateau\n    ": ("patience", "factor"),
    "data:\n  ": ("name", "root", "augment"),
    "model:\n  allow:\n    ": ("TD104", "batch-norm-in-ode"),
}


@pytest.mark.parametrize("section", SECTIONS, ids=lambda text: ".".join(text.replace(":", " ").split()) or "top")
def test_offers_the_keys_of_a_section(client: Client, section: str) -> None:
    """All of them, each once, and each with its documentation."""
    found = client.complete(*place(f"tdspec: 1\n{section}{CURSOR}\n"))
    keys = [item.label for item in found if item.documentation and "```" not in item.documentation]
    assert set(SECTIONS[section]) <= set(keys)
    assert len(keys) == len(set(keys))


CHOICES = {
    "model:\n  ode:\n    solver:\n      method: ": set(METHODS),
    "train:\n  optimizer:\n    kind: ": {"sgd", "adam", "adamw"},
    "train:\n  precision: ": {"fp32", "bf16"},
    "data:\n  name: ": {"digits", "cifar10", "parquet"},
    "time: ": {"none"},
    "defaults:\n  Act: ": {"SiLU", "ReLU"},
    "init:\n  operand:\n    bias: ": {"zeros"},
}


@pytest.mark.parametrize("key", CHOICES, ids=lambda text: text.split(":")[-2].strip())
def test_offers_the_values_of_a_key(client: Client, key: str) -> None:
    assert CHOICES[key] <= set(offered(client, f"tdspec: 1\n{key}{CURSOR}\n"))


def test_offers_the_ops_under_defaults(client: Client) -> None:
    assert {op.name for op in OPS.values() if op.params} <= set(offered(client, f"tdspec: 1\ndefaults:\n  {CURSOR}\n"))


def test_inserts_the_default(client: Client) -> None:
    found = offered(client, f"tdspec: 1\nmodel:\n  ode:\n    solver:\n      {CURSOR}\n")
    assert found["rtol"].text == "rtol: ${1:0.001}"
    assert found["rtol"].documentation == ("Relative tolerance of each element of the state.\n\nDefault: `0.001`.")


HOVERS = {
    "mod|el: {ode: {}}": "The network.",
    "model: {ode: {solver: {rt|ol: 1e-3}}}": "Relative tolerance of each element of the state.\n\nDefault: `0.001`.",
    "model: {ode: {solver: {met|hod: dopri5}}}": "Allowed Values:\n\n* `dopri5`",
    "model: {ode: {fi|eld: [GN–Act]}}": "The right-hand side: one pipeline, or wired steps",
    "blocks: {Res: {shor|tcut: [Conv1x1]}}": "used where shapes differ",
    "train: {optimizer: {kind: sgd, mom|entum: 0.9}}": "Share of the last update that is kept.",
    "defaults: {G|N: {groups: 1}}": "Group normalisation",
    "defaults: {GN: {gro|ups: 1}}": "Number of groups G",
    "allow: {TD1|04: an ablation}": "batch-norm-in-ode (error)",
}


@pytest.mark.parametrize("marked", HOVERS)
def test_explains_a_key(client: Client, marked: str) -> None:
    assert HOVERS[marked] in client.hover(*place(f"tdspec: 1\n{marked}\n"))


@pytest.mark.parametrize("title", schema_cases.passed())
def test_passes(client: Client, title: str) -> None:
    text = schema_cases.passed()[title]
    text = "\n".join(line for line in text.splitlines() if "$schema=" not in line)
    assert client.diagnose(MODELINE + text + "\n") == []


@pytest.mark.parametrize("title", schema_cases.refused())
def test_refuses_the_direct_case(client: Client, title: str) -> None:
    assert any(
        "BN erases the time signal" in said for said in client.diagnose(MODELINE + schema_cases.refused()[title])
    )


def test_marks_what_does_not_hold(client: Client) -> None:
    text = """\
tdspec: 1
model: {input: [1, 8, 8], pipeline: [Conv], haed: [FC]}
defaults: {Act: Relu, GN: {group: 1}}
train: {epochs: 0, optimizer: {kind: sgdd}}
data: {}
"""
    said = client.diagnose(MODELINE + text)
    assert [line.partition(":")[0] for line in said] == ["2", "3", "3", "4", "4", "5"]
    assert [line.partition(": ")[2].split(".")[0] for line in said] == [
        "Property haed is not allowed", "Value is not accepted", "Property group is not allowed",
        "Value is below the minimum of 1", "Value is not accepted", 'Missing property "name"',
    ]  # fmt: skip
