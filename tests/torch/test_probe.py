"""The probe measures what the analysis says, on a spec, a run, noise or images, and training says when time dies."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

import tdspec
from tdspec.training.time_meter import DEAD, deaths
from tdspec.witness.probe import Probe, Row
from tests.conftest import Run

SPEC = """
tdspec: 1
name: probed
{extra}
model:
  input: [1, 8, 8]
  stem: [Conv(16)]
  ode: {{field: "[{field}]", solver: {{method: rk4, steps: 2, gradient: direct}}}}
  head: [GAP–FC]
task: {{kind: classify}}
data: {{name: digits}}
train: {{epochs: 1, batch_size: 256, optimizer: {{kind: sgd, lr: 0.01}}}}
"""


def probed(field: str, extra: str = "", **options: bool | int) -> Probe:
    return tdspec.probe(SPEC.format(field=field, extra=extra), **options)


def row(found: Probe, path: str) -> Row:
    return next(row for row in found.rows if row.path == path)


def records(folder: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (Path(folder) / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]


def test_survival_is_near_its_expectation() -> None:
    found = row(probed("GN(1)–Act–ConcatConv(pad_mode=circular)–GN(4)", seeds=8), "ode.field.gn_2")
    assert found.expected == 1 - 4 / 16
    assert found.survival is not None
    assert found.survival["training"] == pytest.approx(found.expected, abs=0.2)


def test_what_is_erased_measures_zero_and_says_so() -> None:
    found = probed("GN(1)–Act–Conv–Emb–IN", seeds=2)  # an error to `validate`, and here to be seen
    assert row(found, "ode.field.emb_1").share("training") > 1e-6
    dead = row(found, "ode.field.in_1")
    assert (dead.said, dead.expected) == ("erased", 0)
    assert max(*dead.shares["training"], *dead.shares["evaluation"]) < 1e-20


def test_training_and_evaluation_are_two_measurements() -> None:
    found = row(
        probed("GN(1)–Act–Conv(pad_mode=circular)–Emb–BN", "allow: {TD104: to be seen}", seeds=1), "ode.field.bn_1"
    )
    assert found.share("training") < 1e-20 < 1e-6 < found.share("evaluation")


def test_seeds_differ_and_repeat() -> None:
    first, again = (probed("GN(1)–Act–ConcatConv–GN(1)", seeds=2, data=True) for _ in range(2))
    assert first == again
    shares = row(first, "ode.field.gn_2").shares["training"]
    assert len(set(shares)) == 2
    assert "test images of digits" in first.inputs


def test_a_model_that_takes_t_is_measured_whole() -> None:
    text = """
tdspec: 1
time: {argument: 1000*t, embed: "[Sinusoid(16)–FC(16)]"}
model:
  input: [3, 8, 8]
  pipeline: "[Conv(8)–Emb–GN(1)–PosEmb–Act–Conv(3)]"
"""
    found = tdspec.probe(text, seeds=1)
    assert row(found, "body.conv_1").share("training") == 0
    assert row(found, "body.conv_2").share("training") > 1e-6


def test_command(run: Run, tmp_path: Path) -> None:
    spec, drawing = tmp_path / "s.yaml", tmp_path / "s.svg"
    spec.write_text(SPEC.format(field="GN(1)–Act–ConcatConv–GN(1)", extra=""), encoding="utf-8")
    code, out, err = run("probe", str(spec), "--json", "--seeds", "1", "--graph", str(drawing))
    nodes = json.loads(out)["nodes"]
    assert (code, err) == (0, f"wrote {drawing}\n")
    assert [node["name"] for node in nodes] == [
        f"ode.field.{name}" for name in ("gn_1", "act_1", "concat_conv_1", "gn_2")
    ]
    assert "time 0" in "".join(ElementTree.parse(drawing).getroot().itertext())
    table = run("probe", str(spec), "--seeds", "1").out
    assert table.splitlines()[0].split() == ["node", "op", "time", "training", "evaluation", "keeps", "expected"]
    assert run("probe", str(tmp_path)).code == 2  # a folder, but of no run
    spec.write_text(SPEC.format(field="GN(1)–Act–Conv–Emb–IN", extra=""), encoding="utf-8")
    dead = run("probe", str(spec), "--seeds", "1")
    assert dead.code == 0 and "TD101" in dead.err and "erased" in dead.out
    spec.write_text(SPEC.format(field="GN(3)–Act–Conv–Emb–IN", extra=""), encoding="utf-8")
    assert run("probe", str(spec)).code == 1


def test_a_run_is_probed_with_its_own_weights(tmp_path: Path, run: Run) -> None:
    text = SPEC.format(field="GN(1)–Act–ConcatConv–GN(1)", extra="")
    result = tdspec.train(text, out=tmp_path, quiet=True, device="cpu")
    found = tdspec.probe(result.folder)
    assert "step-" in found.weights
    assert row(found, "ode.field.gn_2").shares != row(tdspec.probe(text, seeds=1), "ode.field.gn_2").shares
    code, out, _ = run("probe", result.folder)
    assert code == 0
    assert "step-" in out.splitlines()[-1]
    (record,) = (record for record in records(result.folder) if record["kind"] == "epoch")
    assert set(record["time_share"]) == {"ode"}
    assert set(record["embedding_share"]) == {"ode.field.concat_conv_1"}


def test_a_run_whose_time_is_dead_says_so_once(tmp_path: Path) -> None:
    text = SPEC.format(field="GN(1)–Act–ConcatConv(pad_mode=circular)–IN", extra="allow: {TD101: to be seen}")
    result = tdspec.train(text, overrides=["train.epochs=2"], out=tmp_path, quiet=True, device="cpu")
    notes = [record["text"] for record in records(result.folder) if record["kind"] == "note"]
    assert sum("does not depend on t" in text for text in notes) == 1


def test_deaths_are_of_what_was_alive() -> None:
    assert not list(deaths({}, {"ode": 1e-3}))
    assert len(list(deaths({"ode": 1e-3}, {"ode": DEAD / 10}))) == 1
    assert not list(deaths({"ode": 0.0}, {"ode": 0.0}))
