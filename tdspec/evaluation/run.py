"""From a run to an evaluation. A metric is a function of a subject, one line in `MEASURES` and one in `METRICS`."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from tdspec.evaluation import frechet, inception, likelihood, loss
from tdspec.evaluation.figures import METRICS, Evaluation, Figures
from tdspec.evaluation.subject import Subject
from tdspec.language.diffusion import Diffuse
from tdspec.language.sampler import Drawing
from tdspec.language.spec import Spec
from tdspec.training.errors import FolderError, TrainError
from tdspec.training.resume import Origin
from tdspec.training.run_folder import environment


class Measure(NamedTuple):
    """From a subject to figures; the names are those of all metrics that are measured at once.

    check    refuses what cannot be measured, before anything is trained or drawn. Raises `TrainError`
    measure  the figures
    """

    check: Callable[[Subject, tuple[str, ...]], None]
    measure: Callable[[Subject, tuple[str, ...]], Figures]


INCEPTION = Measure(inception.check, inception.measure)
MEASURES: dict[str, Measure] = {
    "frechet": Measure(frechet.check, frechet.measure),
    "fid": INCEPTION,
    "is": INCEPTION,
    "kid": INCEPTION,
    "nll": Measure(likelihood.check, likelihood.measure),
    "loss": Measure(lambda subject, names: None, loss.measure),
}


def evaluate_run(
    spec: Spec,
    origin: Origin,
    metrics: Sequence[str] = (),
    drawing: Drawing | None = None,
    *,
    count: int | None = None,
    samples: str | os.PathLike[str] | None = None,
    weights: str | os.PathLike[str] | None = None,
    cache: str | os.PathLike[str] | None = None,
    on_step: Callable[[int, int], None] = lambda done, total: None,
    tell: Callable[[str], None] = lambda text: None,
) -> Evaluation:
    """Measure a run, and keep the figures in its folder `evaluations`.

    spec     the run's own, from its `spec.resolved.yaml`
    origin   the run, whose last checkpoint is taken, or another of its checkpoints
    metrics  names of `METRICS`; by default `frechet` for a diffusion model, `loss` for a classifier
    drawing  how images are drawn; its weights and its device are those of every metric
    count    images to draw; by default as many as there are test images
    samples  an .npz of `tdspec sample`, or a folder of images: measured in place of drawn ones
    weights  file of Inception's weights, for `fid`, `is` and `kid`; by default torch-fidelity's, downloaded
    cache    folder of the small classifiers of `frechet`; by default `~/.cache/tdspec`
    on_step  called with the number of steps done and of all, while images are drawn
    tell     called with a line on what takes time

    Raises `TrainError` where the run, the images or the weights do not allow it: where it can, before anything is
    trained or drawn.
    """
    names = tuple(dict.fromkeys(metrics)) or default_metrics(spec)
    for name in names:
        if name not in MEASURES:
            raise TrainError(f"there is no metric `{name}`: {', '.join(MEASURES)}")
    subject = Subject(
        spec, origin, drawing or Drawing(), count, None if samples is None else Path(samples),
        None if weights is None else Path(weights), default_cache() if cache is None else Path(cache), on_step, tell,
    )  # fmt: skip
    measures = {
        tuple(name for name in names if MEASURES[name] is measure): measure
        for measure in dict.fromkeys(MEASURES[name] for name in names)
    }
    for together, measure in measures.items():
        measure.check(subject, together)
    kept = origin.folder / "evaluations"
    try:
        kept.mkdir(exist_ok=True)  # before hours are spent on what cannot be kept
    except OSError as error:
        raise FolderError(f"cannot write {kept}: {error}") from error
    found: dict[str, Figures] = {}
    try:
        for together, measure in measures.items():
            found[",".join(together)] = measure.measure(subject, together)
    except (TrainError, ValueError):
        if found:
            tell(f"what was measured before is kept: {_kept(subject, found, kept).saved}")
        raise
    return _kept(subject, found, kept)


def _kept(subject: Subject, found: dict[str, Figures], folder: Path) -> Evaluation:
    """The evaluation, saved."""
    looked = subject.samples if any(METRICS[name].looks for names in found for name in names.split(",")) else None
    result = Evaluation(
        subject.spec.name,
        str(subject.origin.folder),
        {} if looked is None else looked.conditions,
        () if looked is None else (looked.about,),
        found,
        {"spec_hash": subject.spec.hash, **environment(subject.device, 1)},
    )
    try:
        return result.save(folder)
    except OSError as error:
        raise FolderError(f"cannot write in {folder}: {error}") from error


def default_metrics(spec: Spec) -> tuple[str, ...]:
    """What is measured of a run where nothing is said."""
    return ("frechet",) if isinstance(spec.task, Diffuse) else ("loss",)


def default_cache() -> Path:
    """`tdspec` in the user's folder of caches."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tdspec"
