"""tdspec: a graph spec compiler for time-dependent neural networks.

    import tdspec

    report = tdspec.validate("specs/node/node-digits.yaml")   # a verdict, without torch
    model = tdspec.compile("specs/node/node-digits.yaml")     # an nn.Module
    result = tdspec.train("specs/node/node-digits.yaml")      # a run folder
    found = tdspec.audit(your_module, (3, 32, 32))            # where time dies in it, measured
    images = tdspec.sample(folder).images                     # of a diffusion model's run
    figures = tdspec.evaluate(folder)                         # of any run, with their conditions

Importing tdspec does not import torch; `compile`, `train` and `audit` do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tdspec.report.finding import Finding, Label, Report, Severity, SpecError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from os import PathLike

    from tdspec.backend.network import Network
    from tdspec.check import Checked
    from tdspec.evaluation.figures import Evaluation
    from tdspec.language.spec import Spec
    from tdspec.training import Plan, TrainResult
    from tdspec.training.sampling import Samples
    from tdspec.witness.audit import Audit
    from tdspec.witness.probe import Probe

__version__ = "0.1.0"
__all__ = [
    "Finding",
    "Label",
    "Report",
    "Severity",
    "SpecError",
    "audit",
    "compile",
    "evaluate",
    "load",
    "probe",
    "sample",
    "train",
    "validate",
]


def __dir__() -> list[str]:
    return [*__all__, "__version__"]


def _check(spec: str | PathLike[str] | dict[str, Any], overrides: Iterable[str]) -> Checked:
    from os import PathLike, fsdecode

    from tdspec.check import check_dict, check_path, check_text

    if isinstance(overrides, str):  # also a sequence of strings, of one character each
        overrides = (overrides,)
    if isinstance(spec, dict):
        return check_dict(spec, overrides)
    if not isinstance(spec, (str, PathLike)):
        raise TypeError(f"a spec is a path, the text of a spec, or a dict; found {type(spec).__name__}")
    text = fsdecode(spec)
    return check_text(text, overrides=overrides) if "\n" in text else check_path(text, overrides)


def validate(spec: str | PathLike[str] | dict[str, Any], *, overrides: Iterable[str] = ()) -> Report:
    """Everything there is to say about a spec; never raises on what the spec says.

    spec       path of a file, `-` for standard input, the text itself (if it has a line break), or a dict
    overrides  settings such as `train.optimizer.lr=0.05`

    Raises `TypeError` for anything else than a path, a text or a dict.
    """
    return _check(spec, overrides).report


def load(spec: str | PathLike[str] | dict[str, Any], *, overrides: Iterable[str] = ()) -> Spec:
    """The elaborated spec. Raises `SpecError`, which carries the report, if it does not hold."""
    checked = _check(spec, overrides)
    if not checked.report.ok or checked.spec is None:
        raise SpecError(checked.report)
    return checked.spec


def compile(spec: str | PathLike[str] | dict[str, Any] | Spec, *, overrides: Iterable[str] = ()) -> Network:
    """The spec as an `nn.Module`: `model(x)` for a classifier, `model(x, t)` where the model takes t.

    Weights start by the spec's rules, from torch's global random state.
    Raises `SpecError` if the spec does not hold.
    """
    from tdspec.backend.compile import compile_spec
    from tdspec.language.spec import Spec

    return compile_spec(spec if isinstance(spec, Spec) else load(spec, overrides=overrides))


def train(
    spec: str | PathLike[str] | dict[str, Any] | Spec, *, overrides: Iterable[str] = (), **options: Any
) -> TrainResult | Plan:
    """Train a spec; `options` are those of `tdspec.training.train`, and `dry_run=True` gives the plan only.

    Raises `SpecError` if the spec does not hold.
    """
    from tdspec.language.spec import Spec
    from tdspec.training import train as run

    return run(spec if isinstance(spec, Spec) else load(spec, overrides=overrides), **options)


def sample(run: str | PathLike[str], count: int = 64, **options: Any) -> Samples:
    """Images out of a trained diffusion model; `options` are those of `tdspec.language.sampler.Drawing`.

    run    the folder of a run, whose last checkpoint is taken, or a checkpoint in it
    count  how many images

    Raises `TrainError` if the run cannot be sampled.
    """
    from pathlib import Path

    from tdspec.language.sampler import Drawing
    from tdspec.training.resume import find
    from tdspec.training.sampling import sample_run

    origin = find(Path(run), Path("runs"), "")
    return sample_run(load(origin.folder / "spec.resolved.yaml"), origin, count, Drawing(**options))


def evaluate(run: str | PathLike[str], metrics: Iterable[str] = (), **options: Any) -> Evaluation:
    """What a trained run is worth; `options` are those of `tdspec.evaluation.run.evaluate_run`, and of `sample`.

    run      as for `sample`; a classifier's too
    metrics  `frechet`, `fid`, `is`, `kid`, `nll`, `loss`; by default `frechet` for a diffusion model, else `loss`

    Raises `TrainError` where the run, the images or the weights do not allow it.
    """
    from pathlib import Path

    from tdspec.evaluation.run import evaluate_run
    from tdspec.language.sampler import Drawing
    from tdspec.training.resume import find

    origin = find(Path(run), Path("runs"), "")
    chosen = (metrics,) if isinstance(metrics, str) else tuple(metrics)
    drawing = Drawing(**{key: options.pop(key) for key in tuple(options) if key in Drawing.__dataclass_fields__})
    return evaluate_run(load(origin.folder / "spec.resolved.yaml"), origin, chosen, drawing, **options)


def probe(spec: str | PathLike[str] | dict[str, Any] | Spec, *, overrides: Iterable[str] = (), **options: Any) -> Probe:
    """The time share at every node, measured; `options` are those of `tdspec.training.probing.probe_spec`.

    spec  as for `compile`, or the folder of a run, whose last checkpoint is measured; time may be erased in it
    Raises `SpecError` if it is no network.
    """
    from pathlib import Path

    from tdspec.language.spec import Spec
    from tdspec.training.probing import probe_spec
    from tdspec.training.resume import find

    if not isinstance(spec, (Spec, dict)) and "\n" not in str(spec) and Path(spec).is_dir():
        options["origin"] = find(spec if isinstance(spec, str) else Path(spec), Path("runs"), "")
        spec = options["origin"].folder / "spec.resolved.yaml"
    if not isinstance(spec, Spec):
        checked = _check(spec, overrides)
        if not checked.compiles or checked.spec is None:
            raise SpecError(checked.report)
        spec = checked.spec
    return probe_spec(spec, **options)


def audit(model: Any, input: Any, **options: Any) -> Audit:
    """Measure where time dies in any `torch.nn.Module` that takes time, whoever wrote it.

    input    shape of the state without the batch, `(3, 32, 32)`
    options  those of `tdspec.witness.audit.audit`: `kwargs`, `time`, `integer`, `per_sample`, ...

    Raises `tdspec.witness.calling.AuditError` where the model cannot be called.
    """
    from tdspec.witness.audit import audit as measure

    return measure(model, input, **options)
