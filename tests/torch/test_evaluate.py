"""Evaluation: the Fréchet distance against closed forms, a whole evaluation of small runs, and what is refused."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.linalg
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import Tensor

import tdspec
from tdspec.diffusion.sampler import Sampler
from tdspec.evaluation import extractor as extractors
from tdspec.evaluation import frechet
from tdspec.evaluation.extractor import SmallClassifier, extractor, fingerprint
from tdspec.evaluation.figures import COLUMNS, METRICS, parse_requirement
from tdspec.evaluation.frechet import frechet_distance
from tdspec.evaluation.run import MEASURES, Measure
from tdspec.language.data import Data
from tdspec.training.data import load
from tdspec.training.data.images import Images, Splits
from tdspec.training.data.shapes import draw
from tdspec.training.errors import DataError, TrainError
from tests.conftest import Run
from tests.torch.small_diffusion import SPEC
from tests.torch.small_diffusion import run as train_small

torch.set_num_threads(1)
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> Path:
    """A small diffusion run; the classifier learns in fewer steps than usual."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(extractors, "STEPS", 300)
        folder = train_small(tmp_path_factory.mktemp("whole"))
        tdspec.evaluate(folder, cache=cache, count=8, sampler=Sampler("ddim", 2), device="cpu")
    return folder


@pytest.fixture(autouse=True)
def fewer_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extractors, "STEPS", 300)


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A neural ODE of the digits, with averaged weights, after three epochs."""
    spec = """\
tdspec: 1
name: classifier
model:
  input: [1, 8, 8]
  stem: [Conv(8, stride=2)]
  ode: {field: [GN(2)–Act–ConcatConv], solver: {method: rk4, steps: 2, gradient: direct}}
  head: [GAP–FC]
task: {kind: classify}
data: {name: digits, augment: [Normalize]}
train: {optimizer: {kind: adam, lr: 1e-2}, epochs: 3, batch_size: 128, ema: {decay: 0.9}}
"""
    return Path(tdspec.train(spec, out=tmp_path_factory.mktemp("c"), quiet=True, device="cpu").folder)  # type: ignore[union-attr]


# ---------------------------------------------------------------- Fréchet distance


def with_moments(mean: Tensor, covariance: Tensor, count: int = 50) -> Tensor:
    """Features f64[count,D] that have exactly these moments."""
    drawn = torch.randn(count, len(mean), dtype=torch.float64, generator=torch.Generator().manual_seed(len(mean)))
    drawn = drawn - drawn.mean(0)
    whitened = torch.linalg.qr(drawn).Q * (count - 1) ** 0.5
    return whitened @ torch.linalg.cholesky(covariance).T + mean


def covariance(size: int, seed: int) -> Tensor:
    root = torch.randn(size, size, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    return root @ root.T + 0.1 * torch.eye(size)


def test_distance_of_gaussians_on_a_line_is_known() -> None:
    """(m1 - m2)^2 + (s1 - s2)^2, for each of several independent axes."""
    means, deviations = (
        torch.tensor([[1.0, -2.0], [0.5, 3.0]]).double(),
        torch.tensor([[2.0, 0.1], [5.0, 0.4]]).double(),
    )
    one, other = (with_moments(mean, dev.square().diag()) for mean, dev in zip(means, deviations, strict=True))
    expected = (means[0] - means[1]).square().sum() + (deviations[0] - deviations[1]).square().sum()
    assert frechet_distance(one, other) == pytest.approx(expected.item(), rel=1e-10)


def test_distance_of_gaussians_is_that_of_a_matrix_root() -> None:
    one, other = covariance(6, 1), covariance(6, 2)
    root = scipy.linalg.sqrtm(one.numpy() @ other.numpy()).real
    expected = 6 * 0.5**2 + one.trace() + other.trace() - 2 * np.trace(root)
    zeros = torch.zeros(6, dtype=torch.float64)
    found = frechet_distance(with_moments(zeros, one), with_moments(zeros + 0.5, other))
    assert found == pytest.approx(expected.item(), rel=1e-9)


def test_the_same_features_are_at_no_distance_even_where_they_depend_on_each_other() -> None:
    few = torch.randn(20, 64, generator=torch.Generator().manual_seed(0))  # a covariance of rank 19
    twice = torch.cat([few, few[:, :30]], 1)
    for features in (few, twice, torch.ones(5, 3)):
        assert frechet_distance(features, features) == pytest.approx(0, abs=1e-9)
    assert frechet_distance(few, few.flip(0)) == pytest.approx(0, abs=1e-9)


# ---------------------------------------------------------------- the small classifier


def small_shapes(count: int = 900) -> Splits:
    images, labels = draw(count + 90)
    small = images[:, :, ::3, ::3].contiguous()
    return Splits(Images(small[:count], labels[:count], 3), Images(small[count:], labels[count:], 3))


def test_classifier_of_any_shape_learns_and_is_unsure_of_noise(tmp_path: Path) -> None:
    splits = small_shapes()
    state = torch.get_rng_state()
    judge = extractor("shapes", splits, tmp_path, CPU)
    assert torch.equal(torch.get_rng_state(), state), "the random state is left as it was"
    assert judge.accuracy > 80 and judge.tested == 90 and judge.images == 900
    noise = torch.randint(0, 256, (50, 3, 11, 11), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    assert judge.network.look(noise)[1].softmax(1).max() < 0.8
    for shape in ((1, 8, 8), (3, 28, 20), (4, 3, 3)):
        features, logits = SmallClassifier(shape, 7).eval().look(torch.zeros(2, *shape, dtype=torch.uint8))
        assert features.shape == (2, extractors.FEATURES) and logits.shape == (2, 7)


def test_classifier_is_kept_under_its_images_and_a_damaged_one_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(extractors, "STEPS", 20)
    told: list[str] = []
    splits = small_shapes(200)
    first = extractor("shapes", splits, tmp_path, CPU, told.append)
    (path,) = tmp_path.iterdir()
    assert path.name == f"shapes-{fingerprint(splits.train)}.safetensors" and len(told) == 1
    again = extractor("shapes", splits, tmp_path, CPU, told.append)
    assert again.weights == first.weights and len(told) == 1
    changed = replace(splits.train, images=splits.train.images.clone())
    changed.images[0, 0, 0, 0] ^= 1
    assert fingerprint(changed) != fingerprint(splits.train)
    path.write_bytes(path.read_bytes()[:-50])
    assert extractor("shapes", splits, tmp_path, CPU, told.append).weights == first.weights and len(told) == 2
    weights = {name: tensor + 1 for name, tensor in load_file(path).items()}
    save_file(weights, path)
    assert extractor("shapes", splits, tmp_path, CPU).weights != first.weights, "the digest is of the weights in use"


def test_one_class_teaches_nothing(tmp_path: Path) -> None:
    images = Images(torch.zeros(4, 1, 8, 8, dtype=torch.uint8), torch.zeros(4, dtype=torch.long), 1)
    with pytest.raises(DataError, match="images of one class only"):
        extractor("grey", Splits(images, images), tmp_path, CPU)


# ---------------------------------------------------------------- a diffusion model's run


def test_figures_come_with_all_their_conditions(whole: Path, cache: Path, run: Run) -> None:
    common = ("eval", str(whole), "--cache", str(cache), "--device", "cpu", "--sampler", "heun", "--steps", "3")
    code, out, err = run(*common, "-n", "70", "--seed", "5", "--batch", "32", "--json")
    assert code == 0, err
    found = json.loads(out)
    images = dict(found["images"])
    assert images.pop("images_per_second") > 0
    assert images == {
        "source": "drawn", "count": 70, "sampler": "heun", "steps": 3, "spacing": "logsnr", "evaluations": 5, "seed": 5,
        "labels": [], "guidance": 1.0,
        "batch": 32, "weights": "averaged", "checkpoint": "step-24", "device": "cpu",
    }  # fmt: skip
    figures = found["figures"]["frechet"]
    assert figures["conditions"]["reference"] == {"data": "digits", "root": None, "split": "train", "images": 1438}
    judge = figures["conditions"]["extractor"]
    assert judge["name"] == "small classifier" and judge["images"] == 1438 and judge["tested"] == 359
    assert judge["accuracy"] > 90 and len(judge["weights"]) == 8
    assert figures["counts"] == {"samples": 70, "test images": 359, "noise": 70}
    values = figures["values"]
    assert values["test images"]["frechet"] < values["samples"]["frechet"] < values["noise"]["frechet"]
    assert values["test images"]["recognised"] > 80 > values["noise"]["recognised"]
    assert values["test images"]["rarest"] > 0.9 > values["noise"]["rarest"]
    assert sum(figures["conditions"]["classes"]["samples"]) == 70
    assert found["environment"]["packages"]["torch"]
    kept = Path(found["saved"])
    assert kept.parent == whole / "evaluations" and json.loads(kept.read_text()) == found
    assert run(*common, "-n", "70", "--raw", "--json").code == 0
    assert json.loads(kept.read_text()) == found, "an evaluation is never overwritten"
    newest = json.loads(max((whole / "evaluations").iterdir()).read_text())
    assert newest["images"]["weights"] == "raw" and newest["saved"] != found["saved"]


def test_images_that_are_there_are_measured_alike(whole: Path, cache: Path, run: Run, tmp_path: Path) -> None:
    common = (str(whole), "--device", "cpu", "--steps", "2")
    both = ("--out", str(tmp_path / "images.npz"), "--out", str(tmp_path / "folder"))
    assert run("sample", *common, "-n", "30", *both).code == 0
    drawn = tdspec.evaluate(whole, cache=cache, count=30, sampler=Sampler("ddpm", 2), device="cpu")
    for name in ("images.npz", "folder"):
        code, out, err = run("eval", str(whole), "--cache", str(cache), "--samples", str(tmp_path / name), "--json")
        assert code == 0, err
        found = json.loads(out)
        assert found["images"] == {"source": str(tmp_path / name), "count": 30}
        assert found["figures"]["frechet"]["values"]["samples"] == pytest.approx(
            dict(drawn.figures["frechet"].values["samples"]), rel=1e-6
        )
    assert any("30 samples are too few for the covariance of 64" in note for note in drawn.figures["frechet"].notes)


def test_real_images_are_near_and_requirements_bite(whole: Path, cache: Path, run: Run, tmp_path: Path) -> None:
    """The training images themselves: distance 0, nearly all recognised, no class rare."""
    train = load(Data(name="digits")).train.images
    np.savez(tmp_path / "real.npz", images=train.permute(0, 2, 3, 1).numpy())
    common = ("eval", str(whole), "--cache", str(cache), "--samples", str(tmp_path / "real.npz"))
    bounds = ("--require", "frechet<=0.000001", "--require", "recognised>=90", "--require", "rarest>=0.9")
    code, out, err = run(*common, *bounds)
    assert code == 0, err
    assert out.splitlines()[0] == f"small, images of {tmp_path / 'real.npz'}" and "it is not FID" in out
    head, samples, held = out.splitlines()[2:5]
    assert head.split() == ["images", "Fréchet", "distance", "recognised", "rarest", "class"]
    assert samples.split()[:3] == ["samples", "1,438", "0.000"] and held.split()[:3] == ["test", "images", "359"]
    code, _, err = run(*common, "--require", "recognised>=101")
    assert code == 1 and "recognised>=101 does not hold: it is 9" in err


def test_bits_per_dimension_are_those_of_the_test_images(whole: Path, tmp_path: Path, run: Run) -> None:
    spec = SPEC.replace("{kind: diffuse}", "{kind: diffuse, noise: {kind: vp}}").replace(": 24", ": 1")
    folder = Path(tdspec.train(spec, out=tmp_path, quiet=True, device="cpu").folder)  # type: ignore[union-attr]
    found = tdspec.evaluate(folder, "nll", count=6, batch=4, device="cpu")
    values, conditions = found.figures["nll"].values["test images"], found.figures["nll"].conditions
    assert 4 < values["nll"] < 30 and 0 < values["nll_error"] < 2  # that it is right, test_likelihood.py shows
    assert conditions["evaluations"] > 10 and found.figures["nll"].counts == {"test images": 6}
    again = tdspec.evaluate(folder, "nll", count=6, batch=4, seed=1, device="cpu").value("nll")
    assert again != values["nll"] and again == pytest.approx(values["nll"], rel=0.05)
    refused = run("eval", str(whole), "--metric", "nll", "-n", "4", "--device", "cpu")
    assert refused.code == 1 and "likelihood of `small` cannot be measured" in refused.err and "steps" in refused.err


# ---------------------------------------------------------------- a classifier's run


def test_a_classifier_is_tested_as_in_training(classifier: Path, whole: Path, run: Run) -> None:
    result = json.loads((classifier / "result.json").read_text())["metrics"]
    found = tdspec.evaluate(classifier, device="cpu")
    measured = found.figures["loss"].values["test images"]
    assert dict(measured) == {name: result[f"test_{name}"] for name in ("loss", "accuracy", "nfe")}
    raw = tdspec.evaluate(classifier, raw=True, device="cpu").figures["loss"]
    assert raw.conditions["weights"] == "raw" and raw.values["test images"]["loss"] != measured["loss"]
    code, _, err = run("eval", str(whole), "--device", "cpu", "--metric", "loss", "--require", "accuracy>=10")
    assert code == 1 and "accuracy>=10 does not hold: that is nothing to measure of this run" in err
    code, out, _ = run("eval", str(classifier), "--device", "cpu", "--require", "accuracy>=10")
    assert code == 0 and f"{measured['accuracy']:.2f} %" in out and "averaged weights of step-36" in out


def test_the_loss_of_a_diffusion_model_is_that_of_its_record(whole: Path) -> None:
    result = json.loads((whole / "result.json").read_text())["metrics"]
    assert tdspec.evaluate(whole, "loss", device="cpu").value("loss") == result["test_loss"]


# ---------------------------------------------------------------- what is refused


def test_metrics_are_those_declared() -> None:
    assert MEASURES.keys() == METRICS.keys()
    assert len(COLUMNS) == sum(len(metric.columns) for metric in METRICS.values()), "a figure has one metric"


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("--metric", "freshet"), 2, "there is no metric `freshet`; did you mean `frechet`?"),
        (("--require", "recognized>=90"), 2, "there is no figure `recognized`; did you mean `recognised`?"),
        (("--require", "recognised=90"), 2, "`recognised=90` is no requirement: write recognised>=90"),
        (("--require", "recognised>=many"), 2, "`many` is no number"),
        (("--require", "accuracy>=90"), 2, "frechet does not measure it"),
        (("--metric", "loss", "--steps", "20"), 2, "--steps has no effect on loss"),
        (("--metric", "fid", "--cache", "."), 2, "--cache has no effect on fid"),
        (("--samples", "here", "-n", "20"), 2, "--count is for images that are drawn; --samples has them already"),
        (("--samples", "here"), 1, "no images at here: an .npz of `tdspec sample`, or a folder of pictures"),
        (("--samples", "other.npz"), 1, "other.npz has no array `images`"),
        (("--samples", "floats.npz"), 1, "`images` is float64[2, 8, 8, 1], expected uint8[N,H,W,C]"),
        (("--samples", "large.npz"), 1, "large.npz are 3x32x32 (channels, height, width), those of digits are 1x8x8"),
        (("--samples", "one.npz"), 1, "needs two images at least"),
        (("--samples", "sizes"), 1, "set data.image_size"),
        (("--samples", "empty.npz"), 1, "empty.npz has no array `images` that can be read"),
        (("--samples", "array.npz"), 1, "array.npz has no array `images` that can be read"),
        (("--samples", "large.npz", "--raw"), 2, "--raw is for images that are drawn; --samples has them already"),
        (("--steps", "1001"), 1, "discrete time has 1000 steps, 1001 were asked for"),
        (("--guidance", "2"), 1, "nothing to guide"),
        (("-n", "1"), 2, "x>=2"),
        (("--weights", "none.pth"), 2, "none.pth"),
    ],
)  # fmt: skip
def test_what_cannot_be_measured_says_why(
    arguments: tuple[str, ...], code: int, message: str, whole: Path, cache: Path, run: Run, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    for folder in ("here", "sizes"):
        Path(folder).mkdir()
    for size in (8, 9):
        Image.new("L", (size, size)).save(f"sizes/{size}.png")
    np.savez("other.npz", other=np.zeros(3))
    Path("empty.npz").touch()
    with open("array.npz", "wb") as file:
        np.save(file, np.zeros(3))
    np.savez("floats.npz", images=np.zeros((2, 8, 8, 1)))
    np.savez("large.npz", images=np.zeros((2, 32, 32, 3), np.uint8))
    np.savez("one.npz", images=np.zeros((1, 8, 8, 1), np.uint8))
    found = run("eval", str(whole), "--cache", str(cache), "--device", "cpu", *arguments)
    assert found.code == code and message in " ".join(found.err.split()), found.err


def test_a_run_without_what_is_asked_of_it(classifier: Path, whole: Path, run: Run, tmp_path: Path) -> None:
    code, _, err = run("eval", str(classifier), "--metric", "frechet")
    assert code == 1 and "is a run of a classifier and makes no images: measure its `loss`" in err
    assert run("eval", str(tmp_path)).code == 2
    (tmp_path / "spec.resolved.yaml").write_text((whole / "spec.resolved.yaml").read_text())
    code, _, err = run("eval", str(tmp_path), "--device", "cpu")
    assert code == 1 and "has no checkpoint yet" in err
    with pytest.raises(TrainError, match=r"there is no metric `sharpness`: frechet"):
        tdspec.evaluate(whole, ["sharpness"])


def test_a_place_that_cannot_be_written_is_told_before_anything_is_drawn(whole: Path, run: Run, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    code, _, err = run("eval", str(whole), "-n", "4", "--cache", str(blocked / "cache"), "--device", "cpu")
    assert code == 1 and "choose another place with --cache" in err


def test_without_torch_fidelity(whole: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch_fidelity", None)
    with pytest.raises(TrainError, match=r"fid, is need torch-fidelity: pip install 'tdspec\[fidelity\]'"):
        tdspec.evaluate(whole, ["fid", "is"])


@pytest.mark.parametrize(
    ("metrics", "options", "message"),
    [
        (["frechet"], {"sampler": Sampler("ddpm", 1001)}, "1001 were asked for"),
        (["frechet", "nll"], {}, "the likelihood of `small` cannot be measured"),
        (["frechet", "is"], {}, "need torch-fidelity"),
        (["frechet"], {"count": 1}, "needs two images at least"),
    ],
)
def test_what_cannot_be_measured_is_refused_before_anything_is(
    metrics: list[str], options: dict[str, Any], message: str, whole: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def begun(*args: Any) -> None:
        raise AssertionError("a classifier is trained")

    monkeypatch.setattr(frechet, "extractor", begun)
    monkeypatch.setitem(sys.modules, "torch_fidelity", None)
    with pytest.raises(TrainError, match=message):
        tdspec.evaluate(whole, metrics, device="cpu", **options)


def test_what_was_measured_is_kept_when_the_next_fails(
    whole: Path, cache: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def fail(*args: Any) -> None:
        raise TrainError("broken")

    monkeypatch.setitem(MEASURES, "loss", Measure(lambda subject, names: None, fail))
    before, told = set((whole / "evaluations").glob("*")), []
    with pytest.raises(TrainError, match="broken"):
        tdspec.evaluate(whole, ["frechet", "loss"], count=4, cache=cache, device="cpu", tell=told.append)
    (kept,) = set((whole / "evaluations").glob("*")) - before
    assert kept.name.endswith("-frechet.json") and str(kept) in told[-1]


def test_requirements() -> None:
    assert parse_requirement(" recognised >= 90 ").met(90) and not parse_requirement("recognised>=90").met(89.9)
    assert parse_requirement("frechet<=1e1").met(10) and not parse_requirement("frechet<=2").met(float("nan"))
