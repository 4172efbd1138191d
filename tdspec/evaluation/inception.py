"""FID, IS and KID: torch-fidelity's, in the features of the Inception network that papers use.

Only with that network's own weights do the figures bear these names, so the digest of the file stands with them.
"""

from __future__ import annotations

import hashlib
from contextlib import nullcontext
from importlib.metadata import version
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from torch import Tensor

from tdspec.evaluation.figures import SAMPLES, Figures
from tdspec.evaluation.frechet import too_few
from tdspec.evaluation.subject import Subject
from tdspec.training.errors import DataError, TrainError

FEATURES = 2048
PUBLISHED = "6726825d"  # the first digits of the SHA-256 of the weights that torch-fidelity offers
SPLITS, SUBSETS, SUBSET = 10, 100, 1000  # of IS; of KID, and the images in each
RANDOM = 2020  # seed of both; all four are what torch-fidelity takes by default
# Our figures by torch-fidelity's keys.
KEYS = {
    "fid": {"fid": "frechet_inception_distance"},
    "is": {"is": "inception_score_mean", "is_std": "inception_score_std"},
    "kid": {"kid": "kernel_inception_distance_mean", "kid_std": "kernel_inception_distance_std"},
}


class Pictures(torch.utils.data.Dataset[Tensor]):
    """Images as torch-fidelity takes them, uint8[3,H,W] each; a grey one three times over."""

    def __init__(self, images: Tensor) -> None:
        if images.shape[1] not in (1, 3):
            raise DataError(f"Inception looks at images of 1 or 3 channels, these have {images.shape[1]}")
        self.images = images

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, row: int) -> Tensor:
        return self.images[row].expand(3, -1, -1)


def check(subject: Subject, names: tuple[str, ...]) -> None:
    """Refuse images that cannot be drawn or looked at; finds the weights."""
    try:
        import torch_fidelity  # noqa: F401
    except ImportError as error:
        raise TrainError(f"{', '.join(names)} need torch-fidelity: pip install 'tdspec[fidelity]'") from error
    subject.check_images()
    weights_file(subject.weights)
    Pictures(subject.splits.train.images)
    many = len(subject.samples.images) if subject.path is not None else subject.count or len(subject.splits.test)
    if many < SPLITS:
        raise DataError(f"{many} images are too few: {SPLITS} at least, and thousands to compare with papers")


def measure(subject: Subject, names: tuple[str, ...]) -> Figures:
    """FID, IS, KID, or several of them, which then share the features. KID's subsets are no larger than the sets."""
    from torch_fidelity import calculate_metrics

    path = weights_file(subject.weights)
    train, images = subject.splits.train.images.cpu(), subject.samples.images
    subset = min(SUBSET, len(images), len(train))
    subject.tell(f"Inception looks at {len(images):,} samples" + f" and {len(train):,} images" * (names != ("is",)))
    cuda = subject.device.type == "cuda"
    settings = {"isc_splits": SPLITS, "kid_subsets": SUBSETS, "kid_subset_size": subset, "rng_seed": RANDOM}
    with torch.cuda.device(subject.device) if cuda else nullcontext():
        found = calculate_metrics(
            input1=Pictures(images), input2=Pictures(train), cuda=cuda, isc="is" in names, fid="fid" in names,
            kid="kid" in names, feature_extractor_weights_path=str(path), cache=False, save_cpu_ram=True, verbose=False,
            **settings,
        )  # fmt: skip
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:8]
    notes = []
    if digest != PUBLISHED:
        notes.append(f"Inception's weights are not the published ones ({digest}, not {PUBLISHED}): no paper's figures")
    if "fid" in names and min(len(images), len(train)) <= FEATURES:
        notes.append(too_few("images", min(len(images), len(train)), FEATURES))
    if "kid" in names and subset < SUBSET:
        notes.append(f"KID's subsets have {subset} images, not {SUBSET}")
    extractor = f"torch-fidelity {version('torch-fidelity')}, inception-v3-compat"
    conditions: dict[str, Any] = {
        "reference": subject.reference,
        "extractor": {"name": extractor, "features": FEATURES, "weights": digest, "file": str(path)},
        "grey_repeated": images.shape[1] == 1,
        **settings,
    }
    said = ", ".join(name.upper() for name in names)
    beside = "" if names == ("is",) else f"beside the {len(train):,} training images of {subject.spec.data.name}, "
    about = f"{said}: {beside}{extractor} with weights {digest}" + "; grey images as three channels" * (
        images.shape[1] == 1
    )
    values = {ours: found[theirs] for name in names for ours, theirs in KEYS[name].items()}
    return Figures({SAMPLES: values}, {SAMPLES: len(images)}, conditions, (about,), notes)


def weights_file(given: Path | None) -> Path:
    """The file of Inception's weights: the given one, the one downloaded before, or now.

    It is read here first without trusting it, for torch-fidelity would run whatever a pickle says.
    Raises `TrainError` where there is none or it is another network's.
    """
    from torch_fidelity.feature_extractor_inceptionv3 import URL_INCEPTION_V3 as URL

    path = given if given is not None else Path(torch.hub.get_dir()) / "checkpoints" / URL.rpartition("/")[2]
    if given is None and not path.exists():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            torch.hub.download_url_to_file(URL, str(path), hash_prefix=PUBLISHED, progress=False)
        except (OSError, RuntimeError) as error:
            raise TrainError(
                f"Inception's weights cannot be downloaded ({error}): fetch {URL} elsewhere, and name the file with "
                f"--weights or put it at {path}"
            ) from error
    try:
        weights = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, EOFError, RuntimeError, ValueError, UnpicklingError) as error:
        raise TrainError(f"{path} is not a file of weights that can be read: {str(error).splitlines()[0]}") from error
    if not isinstance(weights, dict) or getattr(weights.get("fc.weight"), "shape", None) != (1008, FEATURES):
        raise TrainError(f"{path} are not the weights of torch-fidelity's Inception, which are at {URL}")
    return path
