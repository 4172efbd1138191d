"""Whole runs on the digits: learning, stopping, resuming to the same bits, seeds, reports."""

from __future__ import annotations

import copy
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import torch
from safetensors import safe_open
from torch import Tensor, nn

from tdspec.language.data import Data
from tdspec.language.training import AdamW, Cosine, Sgd
from tdspec.training import CheckpointError, DataError, NonFiniteError, Plan, TrainError, TrainResult, train
from tdspec.training.checkpoint import load
from tdspec.training.engine import Engine
from tdspec.training.metrics import read_metrics
from tdspec.training.record import Recorder
from tdspec.training.report import render_report
from tdspec.training.runner import Runner
from tests.torch.small_run import Plain, SmallNode, pipeline, small_spec

ROOT = Path(__file__).parents[2]
torch.set_num_threads(1)


def run(out: Path, spec: Any = None, **options: Any) -> TrainResult:
    options = {"model_factory": SmallNode, "time_share": None, "quiet": True, "device": "cpu"} | options
    result = train(spec if spec is not None else small_spec(), out=out, **options)
    assert isinstance(result, TrainResult)
    return result


class Killed(Exception):
    """Ends a run from outside, at any place, like a power cut would."""


def dies_at(step: int) -> Any:
    def listen(record: Any) -> None:
        if record["step"] == step:
            raise Killed

    return listen


def timeless(path: Path) -> list[dict[str, Any]]:
    """The records of a run without what depends on the clock, and without notes."""
    timed = {"seconds", "seconds_total", "images_per_second"}
    return [
        {key: value for key, value in record.items() if key not in timed}
        for record in read_metrics(path / "metrics.jsonl")
        if record["kind"] != "note"
    ]


def assert_same_bits(one: Path, other: Path) -> None:
    a, b = load(one / "checkpoints" / "last"), load(other / "checkpoints" / "last")
    for part in ("model", "optimizer", "ema"):
        tensors, twins = getattr(a, part), getattr(b, part)
        assert tensors and tensors.keys() == twins.keys()
        for name, tensor in tensors.items():
            assert torch.equal(tensor, twins[name]), name
        file = f"checkpoints/last/{part}.safetensors"
        assert (one / file).read_bytes() == (other / file).read_bytes()
    for key in ("step", "epoch", "position", "random", "rate", "best", "ema_updates", "odes"):
        assert a.state[key] == b.state[key], key
    assert timeless(one) == timeless(other)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of two epochs that nothing disturbed."""
    return Path(run(tmp_path_factory.mktemp("whole")).folder)


def test_run_folder_and_result(whole: Path) -> None:
    assert whole.parent.name == "small" and whole.name.startswith("0001-")
    names = {entry.name for entry in whole.iterdir()}
    assert {
        "spec.resolved.yaml",
        "environment.json",
        "metrics.jsonl",
        "report.html",
        "result.json",
        "checkpoints",
    } <= names
    records = read_metrics(whole / "metrics.jsonl")
    epochs = [record for record in records if record["kind"] == "epoch"]
    assert [record["step"] for record in records if record["kind"] == "step"] == list(range(1, 13))
    assert [record["epoch"] for record in epochs] == [1, 2]
    last = epochs[-1]
    expected = {"train_loss", "train_accuracy", "test_loss", "test_accuracy", "lr", "nfe_forward", "nfe_backward",
                "accepted_steps", "rejected_steps", "test_nfe", "seconds", "images_per_second"}  # fmt: skip
    assert expected <= last.keys()
    result = json.loads((whole / "result.json").read_text())
    assert result["metrics"]["test_accuracy"] == last["test_accuracy"] and result["steps"] == 12
    environment = json.loads((whole / "environment.json").read_text())
    assert environment["seed"] == 0 and environment["packages"]["torch"] == torch.__version__.partition("+")[0]
    assert not [path for path in whole.rglob("*") if path.suffix in {".pt", ".pth", ".pkl", ".bin"}]


def test_checkpoint_carries_its_spec(whole: Path) -> None:
    with safe_open(whole / "checkpoints" / "last" / "model.safetensors", "pt") as file:
        assert file.metadata()["spec"] == small_spec().text
        assert set(file.keys()) == set(SmallNode().state_dict())


@pytest.mark.parametrize("count", [2, 8, 22])
def test_no_curve_is_left_out_of_the_report(count: int) -> None:
    shares = {f"unet.res_{k}.emb_1": 0.01 * (k + 1) for k in range(count)}
    records = [{"kind": "epoch", "epoch": epoch, "embedding_share": shares} for epoch in (1, 2, 3)]
    text = render_report("", "", records, {}, "")
    assert text.count("stroke-width: 1.6") == (count if count > 12 else 2 * count)  # each has its like in the legend
    assert all((name in text) == (count <= 12) for name in shares) and ("22 of them" in text) == (count == 22)


def test_report_is_one_file_with_curves(whole: Path) -> None:
    text = (whole / "report.html").read_text()
    for title in ("Loss", "Accuracy", "Evaluations per batch (NFE)", "Learning rate", "Settings"):
        assert title in text
    assert text.count("<svg") >= 5
    assert "<script" not in text and "<link" not in text and 'src="http' not in text
    for part in text.split("<svg")[1:]:
        ElementTree.fromstring("<svg" + part[: part.index("</svg>")] + "</svg>")


@pytest.mark.parametrize("step", [5, 11])
def test_run_that_broke_off_resumes_to_the_same_bits(whole: Path, tmp_path: Path, step: int) -> None:
    with pytest.raises(Killed):
        run(tmp_path, on_event=dies_at(step))
    folder = next((tmp_path / "small").iterdir())
    assert load(folder / "checkpoints" / "last").state["step"] in (4, 8)
    result = run(tmp_path, resume="last")
    assert result.folder == str(folder)
    assert_same_bits(whole, folder)


def test_run_that_broke_off_before_its_first_checkpoint_starts_again(whole: Path, tmp_path: Path) -> None:
    with pytest.raises(Killed):
        run(tmp_path, on_event=dies_at(2))
    folder = next((tmp_path / "small").iterdir())
    run(tmp_path, resume=folder)
    assert_same_bits(whole, folder)


def start(out: Path, *options: str) -> subprocess.Popen[str]:
    """The same run in a process of its own, held back at each record."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "tests.torch.small_run", str(out), "pause=0.2", *options]
    return subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def wait_for_step(out: Path, step: int, process: subprocess.Popen[str]) -> Path:
    for _ in range(600):
        for path in (out / "small").glob("*/metrics.jsonl"):
            if any(record["step"] >= step for record in read_metrics(path)):
                return path.parent
        if process.poll() is not None:
            pytest.fail(f"the run ended by itself: {process.communicate()}")
        time.sleep(0.1)
    process.kill()
    pytest.fail("the run did not get far enough")


def test_killed_and_resumed_is_bit_for_bit_the_same(whole: Path, tmp_path: Path) -> None:
    process = start(tmp_path)
    folder = wait_for_step(tmp_path, 5, process)  # mid-epoch, and past a checkpoint
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert load(folder / "checkpoints" / "last").state["position"] == 4
    run(tmp_path, resume=folder)
    assert_same_bits(whole, folder)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_signal_saves_first(whole: Path, tmp_path: Path, number: signal.Signals, code: int) -> None:
    process = start(tmp_path, "checkpoint_steps=null")
    folder = wait_for_step(tmp_path, 2, process)
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == code, errors
    assert "saved: go on with tdspec train --resume" in errors and "Traceback" not in errors
    assert 2 <= load(folder / "checkpoints" / "last").state["step"] < 6
    assert (folder / "report.html").exists()
    run(tmp_path, small_spec(checkpoint_steps=None), resume=folder)
    assert torch.equal(
        load(folder / "checkpoints" / "last").model["head.2.weight"],
        load(whole / "checkpoints" / "last").model["head.2.weight"],
    )


def test_finished_run_is_not_trained_again_but_can_go_on(whole: Path, tmp_path: Path) -> None:
    first = run(tmp_path)
    again = run(tmp_path, resume="last", on_event=dies_at(12))
    assert again.metrics == first.metrics
    longer = run(tmp_path, small_spec(epochs=3), resume="last")
    assert longer.steps == 18 and longer.folder == first.folder
    notes = [r["text"] for r in read_metrics(Path(longer.folder) / "metrics.jsonl") if r["kind"] == "note"]
    assert notes == ["resumed at step 12 on cpu; changed: `train.epochs` is `2` there, `3` here"]


def test_another_specs_checkpoint_is_refused(tmp_path: Path) -> None:
    run(tmp_path)
    with pytest.raises(CheckpointError, match=r"`train.clip_norm` is not given there, `1.0` here"):
        run(tmp_path, small_spec(clip_norm=1.0), resume="last")


class Cnn(nn.Sequential):
    def __init__(self) -> None:
        def block(width: int, out: int) -> list[nn.Module]:
            return [nn.Conv2d(width, out, 3, padding=1, bias=False), nn.BatchNorm2d(out), nn.ReLU()]

        super().__init__(*block(1, 16), nn.MaxPool2d(2), *block(16, 32), nn.Flatten(), nn.Linear(32 * 16, 10))


def digits(*steps: tuple[str, dict[str, float]], **options: Any) -> Data:
    return Data(name="digits", augment=pipeline(*steps), **options)


@pytest.mark.parametrize("optimizer", [AdamW(lr=5e-3), Sgd(lr=0.05, momentum=0.9)])
def test_learns_real_digits(tmp_path: Path, optimizer: Any) -> None:
    spec = small_spec(
        digits(("Normalize", {})), optimizer=optimizer, schedule=Cosine(), epochs=6, batch_size=64, ema=None,
        log_every=50, checkpoint_steps=None,
    )  # fmt: skip
    result = run(tmp_path, spec, model_factory=Cnn)
    assert result.accuracy is not None and result.accuracy > 97
    assert result.nfe is None and result.best is not None and result.best["metric"] == "test_accuracy"


def test_steps_are_those_one_would_write_by_hand() -> None:
    spec = small_spec(digits(("Normalize", {})), ema=None, schedule=None, clip_norm=0.5)
    runner = Runner(spec, Path(), Engine("cpu"), Plain)
    loop = runner.prepare(0, Recorder())
    model, data = copy.deepcopy(loop.model), loop.splits.train
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    mean, std = data.statistics()
    for batch in list(loop.order.epoch(0))[:4]:
        rows = batch.parts[0]
        x = (data.images[rows] / 255 - mean.view(1, -1, 1, 1)) / std.view(1, -1, 1, 1)
        loss = nn.functional.cross_entropy(model(x), data.labels[rows])
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 0.5)
        optimizer.step()
        torch.testing.assert_close(loop.take_step(batch), loss.detach())
    for parameter, twin in zip(loop.model.parameters(), model.parameters(), strict=True):
        torch.testing.assert_close(parameter, twin, rtol=1e-4, atol=1e-6)


def test_iterations_validation_and_plateau(tmp_path: Path) -> None:
    spec = small_spec(digits(("Normalize", {}), validation=0.1), epochs=None, iterations=8)
    result = run(tmp_path, spec)
    epochs = [r for r in read_metrics(Path(result.folder) / "metrics.jsonl") if r["kind"] == "epoch"]
    assert [(r["epoch"], r["step"]) for r in epochs] == [(1, 6), (2, 8)]
    assert "validation_loss" in epochs[0] and result.best is not None and result.best["metric"] == "validation_accuracy"


def test_accumulated_batches_are_the_same_batch(tmp_path: Path) -> None:
    curves = []
    for parts in (1, 4):
        spec = small_spec(digits(("Normalize", {})), accumulate=parts, ema=None)
        result = run(tmp_path, spec, model_factory=Plain)
        curves.append([r["loss"] for r in read_metrics(Path(result.folder) / "metrics.jsonl") if r["kind"] == "step"])
    assert curves[0] == pytest.approx(curves[1], rel=1e-4)


def test_two_processes_train_as_one_with_the_whole_batch(tmp_path: Path) -> None:
    options = ["plain=true", "pause=0", "accumulate=1"]
    single = start(tmp_path / "one", *options)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "ACCELERATE_USE_CPU": "true"}
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", "-m",
              "tests.torch.small_run", str(tmp_path / "two"), *options]  # fmt: skip
    pair = subprocess.run(launch, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=100)
    assert pair.returncode == 0, pair.stderr
    _, errors = single.communicate(timeout=100)
    assert single.returncode == 0, errors
    one, two = (next((tmp_path / name / "small").iterdir()) for name in ("one", "two"))
    assert json.loads((two / "environment.json").read_text())["processes"] == 2
    assert len(timeless(one)) == len(timeless(two)) == 14
    for record, twin in zip(timeless(one), timeless(two), strict=True):
        for key in ("loss", "train_loss", "test_loss", "test_accuracy"):
            if key in record:
                assert twin[key] == pytest.approx(record[key], rel=1e-4), (key, record["step"])


def test_seeds_give_runs_and_a_table_and_go_on_where_they_were(tmp_path: Path) -> None:
    spec = small_spec(epochs=1, checkpoint_steps=None)
    with pytest.raises(Killed):
        run(tmp_path, spec, seeds=3, on_event=dies_in_run(2))
    folder = next((tmp_path / "small").iterdir())
    assert [(folder / f"seed-{k}" / "result.json").exists() for k in range(3)] == [True, False, False]
    first = (folder / "seed-0" / "metrics.jsonl").read_bytes()
    result = run(tmp_path, spec, resume="last")
    assert (folder / "seed-0" / "metrics.jsonl").read_bytes() == first
    assert [one.seed for one in result.runs] == [0, 1, 2]
    accuracies = torch.tensor([one.accuracy for one in result.runs], dtype=torch.float64)
    assert result.accuracy == pytest.approx(accuracies.mean().item())
    assert (
        result.spread["test_accuracy"] == pytest.approx(accuracies.std().item()) and len(set(accuracies.tolist())) > 1
    )
    lines = str(result).splitlines()
    assert [line.split()[0] for line in lines[1:]] == ["seed", "0", "1", "2", "mean", "std"]
    assert json.loads((folder / "summary.json").read_text())["metrics"]["test_accuracy"] == result.accuracy
    alone = run(tmp_path, spec, seeds=[1])
    assert alone.metrics["test_loss"] == result.runs[1].metrics["test_loss"]


def dies_in_run(number: int) -> Any:
    begun = []

    def listen(record: Any) -> None:
        begun.append(record["step"] == 1)
        if sum(begun) == number:
            raise Killed

    return listen


class Breaks(nn.Module):
    """Takes the root of a negative number in some batches."""

    def __init__(self, batches: set[int]) -> None:
        super().__init__()
        self.batches, self.seen = batches, 0
        self.linear = nn.Linear(64, 10)
        self.root = Root()

    def forward(self, x: Tensor) -> Tensor:
        self.seen += self.training
        return self.root(self.linear(x.flatten(1)), self.training and self.seen in self.batches)


class Root(nn.Module):
    def forward(self, x: Tensor, breaks: bool) -> Tensor:
        return (x - 1e3).sqrt() if breaks else x


def test_loss_that_is_not_finite_stops_and_names_the_layer(tmp_path: Path) -> None:
    spec = small_spec(ema=None)
    with pytest.raises(
        NonFiniteError, match=r"step 6: the loss is not finite; `root` \(Root\) is the first layer"
    ) as caught:
        run(tmp_path, spec, model_factory=lambda: Breaks({6, 7}))
    assert "last checkpoint is kept" in str(caught.value)
    assert load(next((tmp_path / "small").iterdir()) / "checkpoints" / "last").state["step"] == 4


@pytest.mark.parametrize("step", [5, 12])  # within an epoch, and the last of all
def test_weights_that_are_lost_are_not_kept(step: int, tmp_path: Path) -> None:
    """A gradient that is not finite behind a loss that is: the loss says so one step later, or never."""
    taken = []

    def scaled(model: nn.Module) -> nn.Module:
        def spoil(gradient: Tensor) -> Tensor:
            taken.append(gradient)
            return gradient / (0 if len(taken) == step else 1)

        next(model.parameters()).register_hook(spoil)
        return model

    with pytest.raises(
        NonFiniteError, match=rf"^step {step}: `[\w.]+` is not finite any more.*last checkpoint is kept"
    ):
        run(tmp_path, small_spec(checkpoint_steps=1), model_factory=lambda: scaled(SmallNode()))
    last = load(next((tmp_path / "small").iterdir()) / "checkpoints" / "last")
    assert last.state["step"] == step - 1
    assert all(torch.isfinite(value).all() for value in (*last.model.values(), *last.ema.values()))


def test_a_mask_of_infinities_is_no_loss(tmp_path: Path) -> None:
    def masked() -> nn.Module:
        model = SmallNode()
        model.register_buffer("mask", torch.tensor(-torch.inf))
        return model

    result = run(tmp_path, small_spec(epochs=1, ema=None), model_factory=masked)
    assert (Path(result.folder) / "checkpoints" / "last").exists()


def test_loss_that_is_not_finite_can_be_skipped(tmp_path: Path) -> None:
    spec = small_spec(ema=None, on_nonfinite="skip")
    result = run(tmp_path, spec, model_factory=lambda: Breaks({3, 4}))
    notes = [r["text"] for r in read_metrics(Path(result.folder) / "metrics.jsonl") if r["kind"] == "note"]
    assert notes == [f"step {step} skipped: the loss is not finite" for step in (3, 4)]
    assert all(torch.isfinite(t).all() for t in load(Path(result.folder) / "checkpoints" / "last").model.values())
    with pytest.raises(NonFiniteError, match=r"21 times in a row"):
        run(tmp_path, small_spec(ema=None, on_nonfinite="skip", epochs=9), model_factory=lambda: Breaks(set(range(99))))


def test_field_that_is_not_finite_is_told_like_a_loss(tmp_path: Path) -> None:
    def broken() -> nn.Module:
        model = SmallNode()
        model.ode.field.norm = Log()
        return model

    with pytest.raises(NonFiniteError, match=r"the field returned NaN or infinity; `ode.field.norm` "):
        run(tmp_path, model_factory=broken)


class Log(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return (-x.abs() - 1).log() if self.training else x


def test_what_does_not_fit_is_refused_before_the_first_step(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"tells 9 classes apart, the data have 10"):
        run(tmp_path, model_factory=lambda: nn.Sequential(nn.Flatten(), nn.Linear(64, 9)))
    spec = small_spec(digits(("RandomCrop", {"size": 6})))
    with pytest.raises(DataError, match=r"model.input is 1x8x8 .* are 1x6x6"):
        run(tmp_path, spec)
    with pytest.raises(TrainError, match=r"`train.epochs` or `train.iterations`"):
        run(tmp_path, small_spec(iterations=5))
    spec = small_spec()
    spec.data = None
    with pytest.raises(TrainError, match=r"no section `data`"):
        run(tmp_path, spec)
    with pytest.raises(TrainError, match=r"device cuda was asked for"):
        run(tmp_path, device="cuda")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_read_only_place_is_one_clear_error(tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    with pytest.raises(TrainError, match=r"cannot make a run folder"):
        run(tmp_path)


def test_dry_run_plans_and_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    planned = train(small_spec(), model_factory=SmallNode, device="cpu", dry_run=True)
    assert isinstance(planned, Plan) and not list(tmp_path.iterdir())
    model = SmallNode()
    assert planned.parameters == sum(p.numel() for p in model.parameters())
    assert (planned.steps, planned.steps_per_epoch, planned.epochs, planned.batch_size) == (12, 6, 2, 256)
    assert (planned.shape, planned.classes, planned.images) == ((1, 8, 8), 10, {"train": 1438, "test": 359})
    stem = 2 * 8 * 9 * 16  # multiply and add, for each of 8x4x4 outputs of a 3x3 kernel
    field = 2 * 8 * 9 * 9 * 16
    assert planned.nfe is not None
    assert planned.flops_per_image == stem + int(planned.nfe) * field + 2 * 128 * 10
    assert planned.memory_bytes > 4 * planned.parameters and "GFLOP" in str(planned)


def test_bf16_keeps_weights_and_state_in_float32(tmp_path: Path) -> None:
    seen = set()

    class Watched(SmallNode):
        def __init__(self) -> None:
            super().__init__()
            self.ode.field.register_forward_hook(lambda _, inputs, output: seen.add((inputs[1].dtype, output.dtype)))

    run(tmp_path, small_spec(epochs=None, iterations=2, ema=None), model_factory=Watched, precision="bf16")
    assert (torch.float32, torch.bfloat16) in seen
    last = load(next((tmp_path / "small").iterdir()) / "checkpoints" / "last")
    assert {t.dtype for t in last.model.values() if t.is_floating_point()} == {torch.float32}
