"""Checkpoints, run folders and the record of metrics: whole, damaged, foreign, and without room."""

from __future__ import annotations

import json
import multiprocessing
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from tdspec.training.checkpoint import Checkpoint, load, optimizer_tensors, restore_optimizer, save
from tdspec.training.errors import CheckpointError, FolderError
from tdspec.training.identity import require_same_spec
from tdspec.training.metrics import MetricsLog, read_metrics
from tdspec.training.random_state import random_state, restore_random_state, seed_all
from tdspec.training.resume import find
from tdspec.training.run_folder import RunFolder

CPU = torch.device("cpu")


def checkpoint(value: float = 1.0) -> Checkpoint:
    weights = {"weight": torch.full((100,), value)}
    return Checkpoint(weights, {"momentum_buffer/weight": torch.zeros(3)}, {}, {"step": 7}, {"spec": "name: a\n"})


def names(folder: Path) -> set[str]:
    return {entry.name for entry in folder.iterdir()}


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    place = save(tmp_path / "checkpoints", "step-7", checkpoint(), best=True)
    assert names(place) == {"model.safetensors", "optimizer.safetensors", "state.json"}
    for path in (place, tmp_path / "checkpoints" / "last", tmp_path / "checkpoints" / "best"):
        loaded = load(path)
        assert torch.equal(loaded.model["weight"], torch.ones(100))
        assert (loaded.state, loaded.metadata, loaded.ema) == ({"step": 7}, {"spec": "name: a\n"}, {})


def test_last_and_best_are_kept_and_the_rest_is_not(tmp_path: Path) -> None:
    for step in range(1, 6):
        save(tmp_path, f"step-{step}", checkpoint(step), best=step == 2)
    (tmp_path / ".step-9.123").mkdir()
    save(tmp_path, "step-6", checkpoint(6), best=False)
    assert names(tmp_path) == {"step-2", "step-6", "last", "best"}
    assert load(tmp_path / "best").model["weight"][0] == 2 and load(tmp_path / "last").model["weight"][0] == 6


def test_weights_shared_between_two_names_are_saved(tmp_path: Path) -> None:
    weight = torch.randn(4, 4)
    save(tmp_path, "step-1", Checkpoint({"a": weight, "b": weight, "c": weight.t()}, {}, {}, {}), best=False)
    loaded = load(tmp_path / "last").model
    assert (
        torch.equal(loaded["a"], weight) and torch.equal(loaded["b"], weight) and torch.equal(loaded["c"], weight.t())
    )


@pytest.mark.parametrize("part", ["model.safetensors", "optimizer.safetensors", "state.json"])
def test_truncated_checkpoint(tmp_path: Path, part: str) -> None:
    path = save(tmp_path, "step-1", checkpoint(), best=False) / part
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(CheckpointError, match=rf"{part} is missing, cut off or damaged"):
        load(tmp_path / "last")


def test_missing_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"no checkpoint at"):
        load(tmp_path / "last")
    path = save(tmp_path, "step-1", checkpoint(), best=False)
    (path / "model.safetensors").unlink()
    with pytest.raises(CheckpointError, match=r"model.safetensors is missing"):
        load(path)


@pytest.mark.parametrize("failing", ["tdspec.training.checkpoint.save_file", "tdspec.training.checkpoint.os.rename"])
def test_full_disk_leaves_the_last_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str) -> None:
    save(tmp_path, "step-1", checkpoint(1), best=True)

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(failing, full)
    with pytest.raises(FolderError, match=r"No space left on device; the one before is untouched"):
        save(tmp_path, "step-2", checkpoint(2), best=True)
    monkeypatch.undo()
    assert names(tmp_path) == {"step-1", "last", "best"} and load(tmp_path / "last").model["weight"][0] == 1


@pytest.mark.parametrize("make", [lambda p: torch.optim.SGD(p, 0.1, momentum=0.9), torch.optim.AdamW])
def test_optimizer_goes_on_with_the_same_bits(make: Any) -> None:
    def steps(model: nn.Module, optimizer: torch.optim.Optimizer, count: int) -> None:
        for _ in range(count):
            optimizer.zero_grad()
            model(torch.ones(3, 4)).square().sum().backward()
            optimizer.step()

    torch.manual_seed(0)
    model = nn.Linear(4, 2)
    optimizer = make(model.parameters())
    steps(model, optimizer, 3)
    tensors = {key: value.clone() for key, value in optimizer_tensors(optimizer, model).items()}
    twin = nn.Linear(4, 2)
    twin.load_state_dict(model.state_dict())
    resumed = make(twin.parameters())
    restore_optimizer(resumed, twin, tensors)
    steps(model, optimizer, 2)
    steps(twin, resumed, 2)
    assert torch.equal(model.weight, twin.weight) and torch.equal(model.bias, twin.bias)
    with pytest.raises(CheckpointError, match=r"`elsewhere`"):
        restore_optimizer(resumed, twin, {"exp_avg/elsewhere": torch.zeros(1)})


def test_random_states_survive_json() -> None:
    def draw() -> tuple[Any, ...]:
        return random.random(), random.gauss(0, 1), np.random.rand(), np.random.randn(), torch.rand(1).item()

    seed_all(3)
    draw()
    state = json.loads(json.dumps(random_state(CPU)))
    expected = draw()
    assert draw() != expected
    restore_random_state(state, CPU)
    assert draw() == expected


def test_another_spec_is_refused_with_the_difference() -> None:
    old = "train:\n  epochs: 3  # a.yaml:4\n  optimizer:\n    lr: 0.1\nmodel: {width: 8}\n"
    assert require_same_spec(old, old, "x") == []
    assert require_same_spec(old, old.replace("epochs: 3", "epochs: 5"), "x") == [
        "`train.epochs` is `3` there, `5` here"
    ]
    with pytest.raises(
        CheckpointError, match=r"x was made from another spec: `train.optimizer.lr` is `0.1` there, `0.2` here$"
    ):
        require_same_spec(old, old.replace("0.1", "0.2").replace("epochs: 3", "epochs: 5"), "x")
    with pytest.raises(CheckpointError, match=r"`model.width` is `8` there, not given here"):
        require_same_spec(old, old.replace("{width: 8}", "{}"), "x")


def test_run_folders_count_up_and_are_never_reused(tmp_path: Path) -> None:
    first, second = (RunFolder.create(tmp_path, "node", "abc") for _ in range(2))
    other = RunFolder.create(tmp_path, "node", "xyz")
    assert [f.path.name for f in (first, second, other)] == ["0001-abc", "0002-abc", "0003-xyz"]


def acquire(path: Path, answer: Any) -> None:
    try:
        RunFolder(path)
        answer.put("acquired")
    except FolderError as error:
        answer.put(str(error))


def test_two_processes_cannot_own_one_folder(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path, "node", "abc")
    context = multiprocessing.get_context("fork")
    answers = context.Queue()
    for expected in ("in use by another process", "acquired"):
        process = context.Process(target=acquire, args=(folder.path, answers))
        process.start()
        assert expected in answers.get(timeout=60)
        process.join()
        folder.release()


def test_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(
        FolderError, match=r"cannot make a run folder in .*: choose another place|choose another place with --out"
    ):
        RunFolder.create(tmp_path / "file", "node", "abc")


def test_metrics_are_cut_back_to_the_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    log = MetricsLog(path)
    log.write({"kind": "step", "step": 1, "loss": 0.5})
    size = log.size
    log.write({"kind": "step", "step": 2, "loss": 0.25})
    log.close()
    path.write_bytes(path.read_bytes() + b'{"kind": "st')
    assert [record["step"] for record in read_metrics(path)] == [1, 2]
    told: list[Any] = []
    log = MetricsLog(path, size, told.append)
    log.write({"kind": "epoch", "step": 2, "time_share": {"ode": 0.5}})
    log.close()
    assert [record["kind"] for record in read_metrics(path)] == ["step", "epoch"]
    assert told == read_metrics(path)[1:]


def test_what_resume_may_name(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"no run of `node`"):
        find("last", tmp_path, "node")
    with pytest.raises(CheckpointError, match=r"no run at"):
        find(tmp_path / "nowhere", tmp_path, "node")
    for _ in range(2):
        folder = RunFolder.create(tmp_path, "node", "abc")
    with pytest.raises(CheckpointError, match=r"not a run folder"):
        find("last", tmp_path, "node")
    folder.write("spec.resolved.yaml", "name: a\n")
    assert find("last", tmp_path, "node").checkpoint is None
    step = save(folder.checkpoints, "step-7", checkpoint(), best=False)
    for name in ("last", folder.path, step, folder.checkpoints / "last"):
        found = find(name, tmp_path, "node")
        assert (found.folder, found.checkpoint) == (folder.path, step)
