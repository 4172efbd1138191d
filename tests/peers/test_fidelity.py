"""FID, IS and KID of a run beside torch-fidelity called directly, with random weights in Inception's place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import tdspec
from tdspec.evaluation import inception
from tdspec.evaluation.frechet import frechet_distance
from tdspec.training.errors import DataError, TrainError
from tests.conftest import Run
from tests.torch.small_diffusion import SPEC

fidelity = pytest.importorskip("torch_fidelity", reason="compares with torch-fidelity: pip install 'tdspec[fidelity]'")
from torch_fidelity import feature_extractor_inceptionv3 as network  # noqa: E402
from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric  # noqa: E402

pytestmark = [pytest.mark.peer, pytest.mark.filterwarnings("ignore")]


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of one step on sixteen digits."""
    changes = ["train.iterations=1", "data.limit=16", "train.ema=null"]
    out = tmp_path_factory.mktemp("run")
    return Path(tdspec.train(SPEC, overrides=changes, out=out, quiet=True, device="cpu").folder)  # type: ignore[union-attr]


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of Inception's structure with random weights, read by the package's own code."""
    path = tmp_path_factory.mktemp("weights") / "random.pth"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(network, "load_state_dict_from_url", lambda *_, **__: {})
        patch.setattr(network.FeatureExtractorInceptionV3, "load_state_dict", lambda *_: None)
        torch.manual_seed(0)
        torch.save(network.FeatureExtractorInceptionV3("random", ["2048"]).state_dict(), path)
    return path


def test_figures_are_torch_fidelitys(run_folder: Path, weights: Path, tmp_path: Path, run: Run) -> None:
    images = torch.randint(0, 256, (12, 1, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    np.savez(tmp_path / "images.npz", images=images.permute(0, 2, 3, 1).numpy())
    code, out, err = run(
        "eval", str(run_folder), "--metric", "fid,is,kid", "--samples", str(tmp_path / "images.npz"), "--json",
        "--weights", str(weights), "--device", "cpu",
    )  # fmt: skip
    assert code == 0, err
    found = json.loads(out)["figures"]["fid,is,kid"]
    train = tdspec.training.data.load(tdspec.load(run_folder / "spec.resolved.yaml").data).train.images
    theirs: dict[str, Any] = fidelity.calculate_metrics(
        input1=Colour(images), input2=Colour(train), cuda=False, fid=True, isc=True, kid=True, kid_subset_size=12,
        feature_extractor_weights_path=str(weights), cache=False, save_cpu_ram=True, verbose=False,
    )  # fmt: skip
    assert found["values"]["samples"] == pytest.approx({
        "fid": theirs["frechet_inception_distance"],
        "is": theirs["inception_score_mean"], "is_std": theirs["inception_score_std"],
        "kid": theirs["kernel_inception_distance_mean"], "kid_std": theirs["kernel_inception_distance_std"],
    }, rel=1e-5)  # fmt: skip
    conditions = found["conditions"]
    assert conditions["reference"] == {"data": "digits", "root": None, "split": "train", "images": 16}
    assert conditions["grey_repeated"] and conditions["kid_subset_size"] == 12
    assert conditions["extractor"]["file"] == str(weights) and conditions["extractor"]["features"] == 2048
    notes = " ".join(found["notes"])
    assert "not the published ones" in notes and "too few for the covariance of 2048" in notes and "12 images" in notes


class Colour(torch.utils.data.Dataset[torch.Tensor]):
    def __init__(self, images: torch.Tensor) -> None:
        self.images = torch.cat([images] * 3, 1)

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, row: int) -> torch.Tensor:
        return self.images[row]


def test_distances_agree() -> None:
    generator = torch.Generator().manual_seed(0)
    one, other = (torch.randn(300, 20, generator=generator) @ torch.randn(20, 20, generator=generator) for _ in "ab")
    theirs = fid_statistics_to_metric(*(fid_features_to_statistics(features) for features in (one, other)), False)
    assert frechet_distance(one, other) == pytest.approx(theirs["frechet_inception_distance"], rel=1e-5)


def test_weights_that_cannot_be_had(
    run_folder: Path, weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def offline(*_: Any, **__: Any) -> None:
        raise OSError("no route to host")

    monkeypatch.setattr(torch.hub, "download_url_to_file", offline)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(TrainError) as caught:
        tdspec.evaluate(run_folder, "fid", count=12, device="cpu")
    for word in ("no route to host", network.URL_INCEPTION_V3, "--weights", str(tmp_path / "hub/checkpoints")):
        assert word in str(caught.value)
    kept = tmp_path / "hub" / "checkpoints" / network.URL_INCEPTION_V3.rpartition("/")[2]
    kept.write_bytes(weights.read_bytes())
    assert inception.weights_file(None) == kept, "the file beside torch's others is found"
    other = tmp_path / "other.pth"
    torch.save({"weight": torch.zeros(3)}, other)
    with pytest.raises(TrainError, match="are not the weights of torch-fidelity's Inception"):
        inception.weights_file(other)
    torch.save(Dangerous(), other)
    with pytest.raises(TrainError, match="is not a file of weights that can be read"):
        inception.weights_file(other)
    with pytest.raises(DataError, match="9 images are too few"):
        tdspec.evaluate(run_folder, "is", count=9, device="cpu", weights=weights)


class Dangerous:
    """A pickle that runs something when it is read."""

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return (pytest.fail, ("the pickle was run",))


def test_the_published_digest_is_in_the_name_of_the_file() -> None:
    assert network.URL_INCEPTION_V3.endswith(f"-{inception.PUBLISHED}.pth")
