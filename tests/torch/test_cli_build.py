"""`tdspec build` and `tdspec train` from the command line: what they print, write and exit with."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import tdspec
from tests.conftest import Run

SPEC = """\
tdspec: 1
name: small
init: {operand: {bias: zeros}}
blocks:
  Res:
    pipeline: [GN(1)–Act–Conv]
    residual: true
    share: true
model:
  input: [1, 8, 8]
  stem: [Conv(16)–Res*2]
  ode:
    field: [GN(1)–Act–ConcatConv–PosEmb–GN(1)]
    solver: {method: euler, steps: 2}
  head: [GAP–FC]
task: {kind: classify}
data: {name: digits}
train: {iterations: 2, batch_size: 32}
"""
BAD = SPEC.replace("PosEmb–GN(1)", "BN")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "spec.yaml").write_text(SPEC, encoding="utf-8")
    (tmp_path / "bad.yaml").write_text(BAD, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_nodes_are_those_of_the_network(run: Run, folder: Path) -> None:
    ran = run("build", "spec.yaml", "--json")
    assert ran.code == 0
    built = json.loads(ran.out)
    network = tdspec.compile(folder / "spec.yaml")
    total = sum(item.numel() for item in network.parameters())
    assert (built["name"], built["parameters"], built["process_parameters"]) == ("small", total, 0)
    # Both uses of the shared block are listed; its weights count once.
    assert [node["op"] for node in built["nodes"]].count("Add") == 2
    assert sum(node["parameters"] for node in built["nodes"]) == total
    nodes = {node["name"]: node for node in built["nodes"]}
    assert nodes["ode.field.concat_conv_1"]["shape"] == [16, 8, 8]
    assert nodes["head.fc_1"] == {"name": "head.fc_1", "op": "FC", "shape": [10], "parameters": 170, "time": None}
    assert [nodes[f"ode.field.{name}_1"]["time"] for name in ("act", "concat_conv", "pos_emb")] == [
        "free",
        "additive per channel",
        "additive per channel over the map",
    ]


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ("[ConcatConv–IN–Act]", "border only"),
        ("[Conv–Emb–IN–Act]", "erased"),
        ("[ConcatConv–Act]", "additive per channel"),
        ("[Conv–Emb–Act–Conv]", "mixed"),
    ],
)
def test_what_is_said_of_time(run: Run, folder: Path, field: str, said: str) -> None:
    # These do not hold as specs of an ODE; what is said of their nodes is the same.
    allow = 'model.ode.allow={TD101: "a test", TD103: "a test"}'
    ran = run("build", "spec.yaml", "--json", "--set", f"model.ode.field={field}", "--set", allow)
    times = [node["time"] for node in json.loads(ran.out)["nodes"] if node["name"].startswith("ode.")]
    assert said in times


def test_a_table_for_people(run: Run, folder: Path) -> None:
    lines = run("build", "spec.yaml").out.splitlines()
    assert lines[0].split() == ["node", "op", "shape", "parameters", "time"]
    assert "16x8x8" in lines[1] and lines[-1].startswith("small: ")
    ends = {line.index("10") for line in lines if "head.fc_1" in line}
    assert len(ends) == 1


def test_a_spec_that_does_not_hold_is_not_built(run: Run, folder: Path) -> None:
    for command in (("build", "bad.yaml", "--emit", "model.py"), ("train", "bad.yaml")):
        ran = run(*command)
        assert ran.code == 1 and "error[TD104]" in ran.out
    ran = run("build", "bad.yaml", "--json")
    assert (ran.code, ran.out) == (1, "") and "error[TD104]" in ran.err
    assert not (folder / "model.py").exists() and not (folder / "runs").exists()


def test_nothing_is_written_or_said_before_all_is_made(run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("no table")

    with monkeypatch.context() as patch:
        patch.setattr("tdspec.cli.nodes.node_rows", broken)
        ran = run("build", "spec.yaml", "--emit", "model.py", "--graph", "g.svg")
    assert ran.code == 2 and "no table" in ran.err and "wrote" not in ran.err
    assert not (folder / "model.py").exists() and not (folder / "g.svg").exists()
    ran = run("build", "spec.yaml", "--emit", "model.py", "--graph", "nowhere/g.svg")
    assert ran.code == 2 and ran.out == "" and "wrote" not in ran.err


def test_emitted_source_needs_no_tdspec(run: Run, folder: Path) -> None:
    assert run("build", "spec.yaml", "--emit", "model.py").code == 0
    code = (
        "import sys; sys.modules['tdspec'] = None; import model; "
        "print(sum(p.numel() for p in model.Network().parameters()))"
    )
    counted = subprocess.check_output([sys.executable, "-c", code], cwd=folder, text=True)
    assert int(counted) == json.loads(run("build", "spec.yaml", "--json").out)["parameters"]


@pytest.mark.parametrize(("name", "start"), [("g.svg", "<svg"), ("g.mmd", "flowchart"), ("g.txt", "Network(")])
def test_the_graph_is_drawn(run: Run, folder: Path, name: str, start: str) -> None:
    assert run("build", "spec.yaml", "--graph", name).code == 0
    text = (folder / name).read_text(encoding="utf-8")
    assert text.startswith(start) and "ConcatConv" in text


def test_building_leaves_the_random_state_alone(run: Run, folder: Path) -> None:
    before = torch.get_rng_state()
    run("build", "spec.yaml")
    assert torch.equal(before, torch.get_rng_state())


def test_training_ends_with_a_report(run: Run, folder: Path) -> None:
    plan = json.loads(run("train", "spec.yaml", "--dry-run", "--json").out)
    assert plan["steps"] == 2 and not (folder / "runs").exists()
    ran = run("train", "spec.yaml", "--seed", "3", "--seeds", "2", "--out", "there")
    reports = [line.removeprefix("report: ") for line in ran.out.splitlines() if line.startswith("report: ")]
    assert ran.code == 0 and len(reports) == 2
    assert all(Path(report).is_file() for report in reports)
    assert [Path(report).parent.name for report in reports] == ["seed-3", "seed-4"]


def test_a_run_that_cannot_start(run: Run, folder: Path) -> None:
    ran = run("train", "spec.yaml", "--resume", "nowhere")
    assert (ran.code, ran.out) == (1, "") and ran.err.startswith("tdspec: no run at nowhere")


def test_a_dry_run_resumes_nothing(run: Run, folder: Path) -> None:
    ran = run("train", "spec.yaml", "--resume", "last", "--dry-run")
    assert ran.code == 1 and "a dry run is of a new run" in ran.err
