"""Diffusion runs on the digits: what is minimised, what is measured, killed and resumed, sampled."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

import tdspec
from tdspec.diffusion.randomness import generators, normal
from tdspec.diffusion.sampler import draw
from tdspec.diffusion.variance import bound
from tdspec.language.diffusion import (
    CosineNoise,
    Diffuse,
    EdmNoise,
    EdmWeighting,
    FlowNoise,
    ImportanceTimes,
    Likelihood,
    LognormalTimes,
    MinSnr,
    VeNoise,
    VpNoise,
)
from tdspec.language.sampler import Sampler
from tdspec.training import DataError, TrainError
from tdspec.training.checkpoint import load
from tdspec.training.data.images import Images, Splits
from tdspec.training.diffusion import Diffusion, scaled, unscaled
from tdspec.training.metrics import read_metrics
from tdspec.training.pictures import read_images
from tests.conftest import Run
from tests.torch.small_diffusion import SPEC, run
from tests.torch.test_sampler import NEEDS_DIFFUSERS
from tests.torch.test_train import Killed, assert_same_bits, dies_at, wait_for_step

ROOT = Path(__file__).parents[2]
torch.set_num_threads(1)
WRITTEN = r"^5 samples: heun, 3 steps, spacing logsnr, 5 evaluations each, [\d.e+]+ images/s, seed 0; averaged weights"
TASKS = [
    Diffuse(),
    Diffuse(predict="v", weighting=MinSnr(3.0)),
    Diffuse(noise=CosineNoise(), predict="x0"),
    Diffuse(noise=FlowNoise()),
    Diffuse(noise=VeNoise()),
    Diffuse(noise=EdmNoise(), weighting=EdmWeighting(), times=LognormalTimes()),
    Diffuse(noise=VpNoise(), weighting=Likelihood(), times=ImportanceTimes(stratified=True)),
]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of four epochs that nothing disturbed."""
    return run(tmp_path_factory.mktemp("whole"))


class Seen(nn.Module):
    """Keeps what it is called with, and gives what it is told."""

    def __init__(self, given: float = 0.0) -> None:
        super().__init__()
        self.given = given

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        self.x, self.t = x, t
        return torch.full_like(x, self.given)


def images(count: int = 64) -> Tensor:
    return torch.rand(count, 1, 8, 8, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("section", TASKS, ids=str)
def test_loss_is_the_mean_square_error_of_what_is_predicted(section: Diffuse) -> None:
    """Written out by hand from the noise and the times that the network was called with."""
    task, model = Diffusion(section), Seen(0.25)
    x0 = 2 * images() - 1
    loss = task.measure(model, images(), torch.zeros(64))["loss"]
    alpha, sigma = (value.view(-1, 1, 1, 1) for value in task.process.level(model.t))
    length = (sigma**2 + 0.25).sqrt()
    noise = (model.x * (length if section.noise.kind == "edm" else 1) - alpha * x0) / sigma
    assert noise.std().item() == pytest.approx(1, abs=0.1) and noise.mean().abs() < 0.1
    wanted = {
        "noise": noise, "x0": x0, "v": alpha * noise - sigma * x0, "velocity": noise - x0, "score": -noise,
        "edm": (2 * sigma * x0 - 0.5 * noise) / length,
    }[section.predicts]  # fmt: skip
    expected = (0.25 - wanted).square().mean((1, 2, 3))
    if isinstance(section.weighting, MinSnr):  # for v: min(SNR, gamma) / (SNR + 1)
        snr = (alpha / sigma).square().flatten()
        expected = expected * snr.clamp(max=3) / (snr + 1)
    if isinstance(section.times, ImportanceTimes):  # every error counts as much as log SNR falls by, halved
        low, high = task.process.ratios()
        expected = expected * 2 * (high - low) / (task.process.high - task.process.low)
    torch.testing.assert_close(loss, expected, rtol=1e-3, atol=1e-3)
    assert model.t.min() >= task.process.low and model.t.max() <= task.process.high and len(model.t.unique()) > 40


def test_learned_variances_add_the_bound() -> None:
    """The hybrid loss of arXiv 2102.09672, equation 16: the simple one, and steps/1000 of the bound."""
    section = Diffuse(variance="learned")

    class Both(Seen):
        def forward(self, x: Tensor, t: Tensor) -> Tensor:
            return torch.cat((super().forward(x, t), torch.full_like(x, -0.5)), dim=1)

    task, model = Diffusion(section), Both(0.1)
    loss = task.measure(model, images(), torch.zeros(64))["loss"]
    x0 = 2 * images() - 1
    level = task.process.level(model.t).like(x0)
    noise = (model.x - level.alpha * x0) / level.sigma
    found = (model.x - level.sigma * 0.1) / level.alpha
    bits = bound(task.process, model.t, x0, found, torch.full_like(x0, 0.25))
    torch.testing.assert_close(loss, (0.1 - noise).square().mean((1, 2, 3)) + bits, rtol=1e-3, atol=1e-3)
    assert task.denoise(model, model.x, 0.5).share is not None


def test_evaluation_repeats_its_noise_and_spreads_its_times() -> None:
    task, model = Diffusion(Diffuse(noise=VpNoise())), Seen()
    seen = []
    for fixed in (0, 0, 64):
        torch.manual_seed(len(seen))
        before = torch.get_rng_state()
        task.measure(model, images(), torch.zeros(64), fixed=fixed)
        assert torch.equal(torch.get_rng_state(), before), "evaluation must not move the state of training"
        seen.append((model.x, model.t))
    assert torch.equal(seen[0][0], seen[1][0]) and not torch.equal(seen[0][0], seen[2][0])
    counts = torch.histc(seen[0][1], bins=64, min=task.process.low, max=task.process.high)
    assert (counts == 1).all(), "one time in each of as many parts as there are images"


def test_images_survive_scaling() -> None:
    levels = torch.arange(256, dtype=torch.uint8)
    assert torch.equal(unscaled(scaled(levels.float() / 255)), levels)
    assert unscaled(torch.tensor([-3.0, 3.0])).tolist() == [0, 255]


def test_another_shape_is_refused() -> None:
    data = Images(torch.zeros(4, 1, 8, 8, dtype=torch.uint8), torch.zeros(4, dtype=torch.long), 10)
    with pytest.raises(DataError, match=r"the shape \(1, 8, 8\), for images of \(1, 8, 8\); this network gives \(2, 8"):
        Diffusion(Diffuse()).check(torch.zeros(1, 2, 8, 8), Splits(data, data))
    learned = Diffusion(Diffuse(variance="learned"))
    learned.check(torch.zeros(1, 2, 8, 8), Splits(data, data))
    with pytest.raises(DataError, match=r"the shape \(2, 8, 8\)"):
        learned.check(torch.zeros(1, 1, 8, 8), Splits(data, data))


def test_records_of_a_run(whole: Path) -> None:
    records = read_metrics(whole / "metrics.jsonl")
    epochs = [record for record in records if record["kind"] == "epoch"]
    assert [(r["epoch"], r["step"]) for r in epochs] == [(2, 12), (4, 24)]  # evaluate_every: 2
    assert {"train_loss", "test_loss", "seconds"} <= epochs[0].keys() and "test_accuracy" not in epochs[0]
    assert epochs[1]["test_loss"] < epochs[0]["test_loss"]
    assert 0 < epochs[1]["time_share"]["model"] < 1
    entries = epochs[1]["embedding_share"]
    assert set(entries) == {f"unet.{place}_res_1.emb_1" for place in ("down_0", "down_1")} | {
        f"unet.up_{level}_res_{k}.emb_1" for level in (0, 1) for k in (1, 2)
    }
    losses = [record["loss"] for record in records if record["kind"] == "step"]
    mean = sum(losses[:12]) / 12
    assert epochs[0]["train_loss"] == pytest.approx(mean, rel=0.1)  # of both epochs since the run began
    result = json.loads((whole / "result.json").read_text())
    assert result["best"]["metric"] == "test_loss"
    assert "Time share" in (whole / "report.html").read_text()


def test_killed_and_resumed_is_bit_for_bit_the_same(whole: Path, tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.torch.small_diffusion", str(tmp_path), "0.2"],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    folder = wait_for_step(tmp_path, 9, process)  # between two evaluations, past a checkpoint
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert load(folder / "checkpoints" / "last").state["step"] in (8, 12)
    run(tmp_path, resume=folder)
    assert_same_bits(whole, folder)
    assert load(folder / "checkpoints" / "last").ema, "the average is part of what must be the same"


def test_broken_off_behind_an_epoch_without_a_record(whole: Path, tmp_path: Path) -> None:
    with pytest.raises(Killed):
        run(tmp_path, on_event=dies_at(10))
    folder = next((tmp_path / "small").iterdir())
    run(tmp_path, resume=folder)
    assert_same_bits(whole, folder)


def test_a_run_is_probed_at_noisy_images(whole: Path) -> None:
    found = tdspec.probe(whole, data=True)
    assert found.inputs == "8 test images of digits with the noise of t = 0.5"
    x, _ = Diffusion(Diffuse()).arguments(images())
    assert x.std() > 0.9 and x.min() < -1, "images with noise, not images"


def test_previews_are_drawn_on_the_way_and_disturb_nothing(whole: Path, tmp_path: Path) -> None:
    spec = SPEC.replace("{kind: diffuse}", "{kind: diffuse, preview: {count: 4, steps: 2}}")
    folder = Path(tdspec.train(spec, out=tmp_path, quiet=True, device="cpu").folder)  # type: ignore[union-attr]
    records = [record for record in read_metrics(folder / "metrics.jsonl") if record["kind"] == "epoch"]
    assert [record["preview"] for record in records] == ["samples/step-12.png", "samples/step-24.png"]
    grids = [np.asarray(Image.open(folder / record["preview"])) for record in records]
    assert grids[0].shape == (130, 130) and (grids[0] != grids[1]).any()
    assert "data:image/png;base64," in (folder / "report.html").read_text()
    ours, theirs = load(folder / "checkpoints" / "last"), load(whole / "checkpoints" / "last")
    assert all(torch.equal(value, theirs.model[name]) for name, value in ours.model.items())


def test_a_preview_that_cannot_be_drawn_is_refused_before_the_first_step(tmp_path: Path) -> None:
    spec = SPEC.replace("{kind: diffuse}", "{kind: diffuse, preview: {steps: 1001}}")
    with pytest.raises(DataError, match=r"task.preview.*1000 steps, 1001"):
        tdspec.train(spec, out=tmp_path, quiet=True, device="cpu")


# ---------------------------------------------------------------- sampling


def drawn(whole: Path, count: int = 6, **options: Any) -> Tensor:
    options = {"sampler": Sampler("ddpm", 4), "device": "cpu"} | options
    return tdspec.sample(whole, count, **options).images


def test_samples_follow_from_the_seed(whole: Path) -> None:
    first = drawn(whole)
    assert first.shape == (6, 1, 8, 8) and first.dtype == torch.uint8 and len(first.unique()) > 20
    assert torch.equal(first, drawn(whole)) and not torch.equal(first, drawn(whole, seed=1))


@pytest.mark.filterwarnings("ignore")  # of diffusers' own
@pytest.mark.parametrize("sampler", ["ddpm", pytest.param("sde-dpm-solver++", marks=NEEDS_DIFFUSERS)])
def test_an_image_does_not_depend_on_the_others(sampler: str, whole: Path) -> None:
    """Whatever their number and the size of a batch, but for rounding to another grey."""
    by = Sampler(sampler, 4)
    first = drawn(whole, sampler=by).int()
    assert not torch.equal(first[:3], first[3:])
    assert (drawn(whole, 5, sampler=by, batch=3).int() - first[:5]).abs().max() <= 1


def test_averaged_weights_are_taken_where_there_are_any(whole: Path) -> None:
    saved = load(whole / "checkpoints" / "last")
    network = tdspec.compile(SPEC)
    task = Diffusion(Diffuse())
    for raw, weights in ((False, saved.ema), (True, saved.model)):
        network.load_state_dict(weights)
        source = generators(0, range(6))
        x = normal(torch.empty(6, 1, 8, 8), source)
        with torch.no_grad():
            *_, x = draw(Sampler("ddpm", 4), lambda x, t: task.denoise(network.eval(), x, t), task.process, x, source)
        assert torch.equal(drawn(whole, raw=raw), unscaled(x))
    assert not torch.equal(drawn(whole), drawn(whole, raw=True))


def test_the_command_writes_what_its_suffix_says(whole: Path, tmp_path: Path, run: Run) -> None:
    common = (str(whole), "-n", "5", "--steps", "3", "--device", "cpu", "--sampler", "heun")
    code, out, err = run("sample", *common, "--out", str(tmp_path / "grid.png"))
    assert code == 0 and re.search(WRITTEN, out), (out, err)
    grid = np.asarray(Image.open(tmp_path / "grid.png"))
    assert grid.shape == (2 * 66 - 2, 3 * 66 - 2)  # two rows of three, each 8x8 enlarged to 64x64
    both = ("--out", str(tmp_path / "all.npz"), "--out", str(tmp_path / "folder"))
    assert run("sample", *common, *both).code == 0
    array = np.load(tmp_path / "all.npz")["images"]
    assert array.shape == (5, 8, 8, 1) and array.dtype == np.uint8
    assert np.array_equal(grid[:64:8, :64:8], array[0, :, :, 0])
    assert np.array_equal(grid[66::8, 66:130:8], array[4, :, :, 0])
    files = sorted((tmp_path / "folder").iterdir())
    assert [file.name for file in files] == [f"{k}.png" for k in range(5)]
    assert np.array_equal(np.asarray(Image.open(files[3])), array[3, :, :, 0])
    assert run("sample", *common, "--raw").code == 0
    assert (whole / "samples" / "heun-3-raw-0.png").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            ("ddim", "--eta", "0.5", "--steps", "3", "--spacing", "karras"),
            "ddim, 3 steps, eta 0.5, spacing karras, 3 eval",
        ),
        (
            ("pc", "--steps", "2", "--corrections", "2", "--snr", "0.1"),
            "pc, 2 steps, snr 0.1, corrections 2, spacing time, 6 e",
        ),
    ],
)
def test_options_reach_the_sampler(options: tuple[str, ...], said: str, whole: Path, tmp_path: Path, run: Run) -> None:
    code, out, err = run(
        "sample", str(whole), "-n", "2", "--device", "cpu", "--out", str(tmp_path / "x.png"), "--sampler", *options
    )
    assert code == 0 and f"2 samples: {said}" in out, (out, err)


def test_the_solver_samples_a_run_of_continuous_time(tmp_path: Path, run: Run) -> None:
    """It is not told how many evaluations it may take, and counts them."""
    spec = SPEC.replace("task: {kind: diffuse}", "task: {kind: diffuse, noise: {kind: flow}}").replace(
        "iterations: 24", "iterations: 1"
    )
    folder = str(tdspec.train(spec, out=tmp_path, quiet=True, device="cpu").folder)  # type: ignore[union-attr]
    code, out, err = run(
        "sample", folder, "-n", "3", "--batch", "2", "--device", "cpu", "--sampler", "ode", "--tolerance", "1e-2"
    )
    assert code == 0, err
    found = re.search(r"^3 samples: ode, tolerance 0.01, ([\d.]+) evaluations each, ", out)
    assert found and float(found[1]) > 10, out
    assert (Path(folder) / "samples" / "ode-tolerance0.01-0.png").exists()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("full", "is not empty: what is there would be taken for samples too"),
        ("x.jpg", "images go into .png or .npz, or into a folder"),
        ("folder.png", "it is a folder"),
        ("file/x.png", "cannot write"),
        ("file", "cannot write"),
    ],
)
def test_where_images_cannot_go_is_told_before_they_are_drawn(
    name: str, said: str, whole: Path, tmp_path: Path, run: Run
) -> None:
    for folder in ("full", "folder.png"):
        (tmp_path / folder).mkdir()
    (tmp_path / "full" / "notes.txt").touch()
    (tmp_path / "file").touch()
    found = run("sample", str(whole), "-n", "1", "--device", "cpu", "--out", str(tmp_path / name))
    assert found.code == 1 and said in found.err and "samples:" not in found.out


def test_capitals_in_a_suffix_are_no_other_suffix(whole: Path, tmp_path: Path, run: Run) -> None:
    outs = [str(tmp_path / name) for name in ("X.PNG", "X.NPZ")]
    common = ("sample", str(whole), "-n", "2", "--steps", "2", "--device", "cpu")
    assert run(*common, "--out", outs[0], "--out", outs[1]).code == 0
    assert Path(outs[0]).read_bytes().startswith(b"\x89PNG") and len(read_images(Path(outs[1]))) == 2


def test_samples_that_are_not_finite_are_no_images(whole: Path, tmp_path: Path, run: Run) -> None:
    """Before, they came out black."""
    broken = tmp_path / "run"
    shutil.copytree(whole, broken, symlinks=True)
    last = (broken / "checkpoints" / "last").resolve()
    for name in ("model", "ema"):
        weights = {key: value / 0 for key, value in load_file(last / f"{name}.safetensors").items()}
        save_file(weights, last / f"{name}.safetensors")
    found = run("sample", str(broken), "-n", "3", "--steps", "2", "--device", "cpu")
    assert found.code == 1 and "not all of samples 0 to 2 are finite (ddpm, 2 steps, " in found.err
    for guidance in ("nan", "inf", "-1"):
        assert "--guidance is" in run("sample", str(whole), "--guidance", guidance).err


def test_a_preview_that_fails_does_not_end_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: Any, **options: Any) -> None:
        raise TrainError("black")

    monkeypatch.setattr(Diffusion, "sampled", fail)
    text = SPEC.replace("{kind: diffuse}", "{kind: diffuse, preview: {count: 2, steps: 2}}")
    folder = Path(tdspec.train(text, out=tmp_path, quiet=True, device="cpu").folder)  # type: ignore[union-attr]
    records = read_metrics(folder / "metrics.jsonl")
    assert "no preview: black" in [r["text"] for r in records if r["kind"] == "note"]


def test_what_cannot_be_sampled_says_why(
    whole: Path, tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, _, err = run("sample", str(whole), "--steps", "1001", "--device", "cpu")
    assert code == 1 and "discrete time has 1000 steps, 1001 were asked for" in err
    code, _, err = run("sample", str(whole), "--eta", "0.5")
    assert code == 2 and "--eta is of ddim; ddpm has none" in err
    code, _, err = run("sample", str(whole), "--sampler", "ode", "--steps", "5")
    assert code == 2 and "--steps is of ddpm, ddim, " in err and "ode has none" in err
    code, _, err = run("sample", str(whole), "--sampler", "pc", "--corrections", "0")
    assert code == 2 and "--corrections is 0; its least is 1" in err
    code, _, err = run("sample", str(whole), "--sampler", "ode", "--device", "cpu")
    assert code == 1 and "needs continuous time, this noise has 1000 steps" in err
    with monkeypatch.context() as patched:
        patched.setitem(sys.modules, "diffusers", None)
        code, _, err = run("sample", str(whole), "--sampler", "unipc", "--device", "cpu")
    assert code == 1 and "unipc needs diffusers: pip install 'tdspec[diffusers]'" in err
    code, _, err = run("sample", str(tmp_path))
    assert code == 2 and "is not a run folder" in err
    empty = tmp_path / "empty"
    empty.mkdir()
    (empty / "spec.resolved.yaml").write_text((whole / "spec.resolved.yaml").read_text())
    code, _, err = run("sample", str(empty), "--device", "cpu")
    assert code == 1 and "has no checkpoint yet" in err
    classifier = (ROOT / "specs/node/node-digits.yaml").read_text()
    (empty / "spec.resolved.yaml").write_text(classifier)
    code, _, err = run("sample", str(empty), "--device", "cpu")
    assert code == 1 and "whose task is not `diffuse`" in err
