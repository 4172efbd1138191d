"""The public entry: from a spec to a run folder and its result."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from torch import nn

from tdspec.training.engine import Engine
from tdspec.training.errors import TrainError
from tdspec.training.metrics import Record
from tdspec.training.plan import Plan
from tdspec.training.result import TrainResult
from tdspec.training.resume import find
from tdspec.training.runner import Runner
from tdspec.training.seeds import run_seeds
from tdspec.training.time_meter import TimeShare, scope_time_shares


def train(
    spec: Any,
    *,
    out: str | Path = "runs",
    resume: str | Path | None = None,
    device: str = "auto",
    precision: str | None = None,
    seeds: int | Sequence[int] | None = None,
    dry_run: bool = False,
    on_event: Callable[[Record], None] | None = None,
    quiet: bool = False,
    model_factory: Callable[[], nn.Module] | None = None,
    time_share: TimeShare | None = scope_time_shares,
) -> TrainResult | Plan:
    """Train a spec that holds; with `dry_run`, only say what that would be.

    out            folder in which `<name>/<counter>-<hash>/` is made
    resume         a run folder, a checkpoint in it, a set of seeds, or `last`: go on there
    device         `auto`, `cpu`, `cuda`, `cuda:1`, `mps`
    precision      `fp32` or `bf16`, instead of the spec's `train.precision`
    seeds          how many runs, with `train.seed` and the numbers behind it; or the seeds themselves
    dry_run        return the `Plan`: read and check everything, train and write nothing
    on_event       called with each record as it is written to `metrics.jsonl`
    quiet          no progress on stderr
    model_factory  makes the network; by default the spec's
    time_share     measures the time share of each scope of time in an evaluation; None to leave it out

    Raises `TrainError` (data, checkpoint, folder, a loss that is not finite), `SolverError`, and
    `Interrupted` after having saved.
    """
    runner = _runner(spec, out, device, precision, model_factory)
    runner.on_event, runner.quiet, runner.time_share = on_event, quiet, time_share
    chosen = _seeds(spec, seeds)
    if dry_run and resume is not None:
        raise TrainError("a dry run is of a new run; leave it out to go on with one, or leave `resume` out")
    if dry_run:
        return runner.plan(chosen[0] if chosen else spec.train.seed)
    origin = find(resume, Path(out), spec.name) if resume is not None else None
    if len(chosen) > 1 or (origin is not None and origin.seeds):
        if origin is not None and not origin.seeds:
            raise TrainError(f"{origin.folder} is one run, not a set of seeds: leave --seeds away to go on with it")
        return run_seeds(runner, chosen, origin)
    return runner.run(chosen[0] if chosen else None, origin)


def _runner(
    spec: Any, out: str | Path, device: str, precision: str | None, factory: Callable[[], nn.Module] | None
) -> Runner:
    for section in ("task", "data"):
        if getattr(spec, section) is None:
            needs = "to train, a spec needs `task`, `data` and `train`"
            raise TrainError(f"`{spec.name}` has no section `{section}`: {needs}")
    if (spec.train.epochs is None) == (spec.train.iterations is None):
        raise TrainError(f"`{spec.name}`: give `train.epochs` or `train.iterations`, one of the two")

    def compiled() -> nn.Module:
        from tdspec.backend.compile import compile_spec

        return compile_spec(spec)

    return Runner(spec, Path(out), Engine(device, precision or spec.train.precision), factory or compiled)


def _seeds(spec: Any, seeds: int | Sequence[int] | None) -> list[int]:
    if isinstance(seeds, int):
        return [spec.train.seed + k for k in range(seeds)] if seeds > 1 else []
    return list(seeds or ())
