"""The public entry: from a spec to a run folder and its result."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, overload

import torch
from torch import nn

from tdspec.language.augmentation import bind
from tdspec.train import checkpoint as checkpoints
from tdspec.train.augment import Augment
from tdspec.train.data import load
from tdspec.train.data.images import Splits
from tdspec.train.describe import drawing, write_spec
from tdspec.train.engine import Engine
from tdspec.train.errors import DataError, Interrupted, TrainError
from tdspec.train.identity import require_same_spec
from tdspec.train.loop import SHARE_IMAGES, Loop
from tdspec.train.metrics import MetricsLog, Record, read_metrics
from tdspec.train.ode_meter import TimeShare, field_time_shares, node_time_shares
from tdspec.train.plan import Plan, make_plan
from tdspec.train.progress import make_progress
from tdspec.train.random_state import seed_all
from tdspec.train.report import render_report
from tdspec.train.result import TrainResult, read_result, summarise
from tdspec.train.resume import Origin, find, in_folder
from tdspec.train.run_folder import RunFolder, environment, new_folder
from tdspec.train.task import make_task

ModelFactory = Callable[[], nn.Module]


@overload
def train(spec: Any, *, dry_run: Literal[True], **options: Any) -> Plan: ...
@overload
def train(spec: Any, *, dry_run: Literal[False] = False, **options: Any) -> TrainResult: ...
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
    model_factory: ModelFactory | None = None,
    time_share: TimeShare | None = field_time_shares,
) -> TrainResult | Plan:
    """Train a spec that holds.

    out            folder in which `<name>/<counter>-<hash>/` is made
    resume         a run folder, a checkpoint in it, a set of seeds, or `last`: go on there
    device         `auto`, `cpu`, `cuda`, `cuda:1`, `mps`
    precision      `fp32` or `bf16`, instead of the spec's `train.precision`
    seeds          how many runs, with `train.seed` and the numbers behind it; or the seeds themselves
    dry_run        return the `Plan` and train nothing
    on_event       called with each record as it is written to `metrics.jsonl`
    quiet          no progress on stderr
    model_factory  makes the network; by default the spec's
    time_share     measures each ODE's time share after an epoch; None to leave it out

    Raises `TrainError` (data, checkpoint, folder, a loss that is not finite), `SolverError`, and
    `Interrupted` after having saved.
    """
    _require_sections(spec)
    runner = Runner(
        spec, Path(out), Engine(device, precision or spec.train.precision), on_event, quiet,
        model_factory if model_factory is not None else lambda: _compile(spec), time_share,
    )  # fmt: skip
    chosen = [spec.train.seed + k for k in range(seeds)] if isinstance(seeds, int) else list(seeds or ())
    if dry_run:
        return runner.plan(chosen[0] if chosen else spec.train.seed)
    origin = find(resume, Path(out), spec.name) if resume is not None else None
    if len(chosen) > 1 or (origin is not None and origin.seeds):
        return runner.several(chosen, origin)
    return runner.one(chosen[0] if chosen else None, origin)


@dataclass
class Runner:
    """What the runs of one call have in common."""

    spec: Any
    out: Path
    engine: Engine
    on_event: Callable[[Record], None] | None
    quiet: bool
    model_factory: ModelFactory
    time_share: TimeShare | None
    splits: Splits | None = None

    def plan(self, seed: int) -> Plan:
        return make_plan(self.spec.name, self.loop(seed, None, None))

    def several(self, seeds: Sequence[int], origin: Origin | None) -> TrainResult:
        """One run for each seed; those that have ended are kept, one that was cut off goes on."""
        import json

        folder = origin.folder if origin is not None else self.shared(self._new_set)
        if origin is not None and not seeds:
            seeds = json.loads((folder / "seeds.json").read_text())
        if self.engine.main:
            (folder / "seeds.json").write_text(json.dumps(list(seeds)) + "\n")
        self.engine.wait()
        results = []
        for seed in seeds:
            path = folder / f"seed-{seed}"
            there = in_folder(path) if (path / "spec.resolved.yaml").is_file() else Origin(path)
            results.append(self.one(seed, there))
        total = summarise(self.spec.name, str(folder), results)
        if self.engine.main:
            (folder / "summary.json").write_text(json.dumps(total.as_dict(), indent=2) + "\n")
        return total

    def one(self, seed: int | None, origin: Origin | None) -> TrainResult:
        """One run, from its beginning or from a checkpoint."""
        spec = self.spec
        saved = None
        changes: list[str] = []
        if origin is not None and origin.checkpoint is not None:
            saved = checkpoints.load(origin.checkpoint)
            changes = require_same_spec(saved.metadata.get("spec", ""), spec.text, str(origin.checkpoint))
            done = read_result(origin.folder / "result.json")
            if done is not None and not changes and origin.checkpoint == in_folder(origin.folder).checkpoint:
                return done
            if seed is not None and seed != saved.state["seed"]:
                raise TrainError(f"{origin.checkpoint} was made with seed {saved.state['seed']}, not {seed}")
            seed = saved.state["seed"]
        seed = spec.train.seed if seed is None else seed

        path = self.shared(lambda: self._folder(origin))
        folder = RunFolder(path) if self.engine.main else None
        log: MetricsLog | None = None
        try:
            if folder is not None:
                log = MetricsLog(
                    folder.metrics, saved.state["metrics_bytes"] if saved is not None else 0, self.on_event
                )
                if not (path / "environment.json").exists():
                    write_spec(folder, spec)
                    about = {"seed": seed, "spec_hash": spec.hash, **environment(self.engine.device, self.engine.world)}
                    folder.write_json("environment.json", about)
            loop = self.loop(seed, folder, log)
            return self.fit(loop, path, saved, changes)
        finally:
            if log is not None:
                log.close()
            if folder is not None:
                folder.release()

    def fit(self, loop: Loop, path: Path, saved: checkpoints.Checkpoint | None, changes: Sequence[str]) -> TrainResult:
        spec, folder = self.spec, loop.folder
        if saved is not None:
            loop.restore(saved)
        loop.progress.start(spec.name, loop.steps, loop.step)
        try:
            if saved is not None:
                changed = f"; changed: {'; '.join(changes)}" if changes else ""
                loop.write({"kind": "note", "text": f"resumed at step {loop.step} on {self.engine.device}{changed}"})
            if self.engine.slow_bf16:
                loop.write(
                    {"kind": "note", "text": "this CPU has no bf16 arithmetic and imitates it: fp32 is far faster here"}
                )
            metrics = loop.fit()
        except Interrupted as stopped:
            how = "go on with --resume " + str(path)
            loop.progress.note(f"stopped by signal {stopped.signal} at step {loop.step}, saved: {how}")
            self.write_report(loop)
            raise
        finally:
            loop.progress.stop()
        parameters = sum(p.numel() for p in loop.model.parameters() if p.requires_grad)
        result = TrainResult(spec.name, str(path), loop.seed, parameters, loop.step, metrics, loop.best)
        if folder is not None:
            folder.write_json("result.json", result.as_dict())
            self.write_report(loop)
        self.engine.wait()
        return result

    def loop(self, seed: int, folder: RunFolder | None, log: MetricsLog | None) -> Loop:
        """A run that is ready to start, with everything checked that can be checked before."""
        spec, engine = self.spec, self.engine
        task = make_task(spec.task)
        if self.splits is None:
            with engine.accelerator.main_process_first():  # one process downloads, the others find it
                self.splits = _on_device(load(spec.data), engine.device)
        transforms, problems = bind(spec.data.augment)
        if problems:
            raise DataError(f"data.augment: {problems[0].message}; {problems[0].help}")
        augment = Augment(transforms, *self.splits.train.statistics()).to(engine.device)
        seed_all(seed)
        model = self.model_factory().to(engine.device)
        if engine.device.type == "cuda":
            model = model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        seed_all(seed + 7919 * engine.rank)  # each process draws its own dropout and augmentation
        loop = Loop(
            model, task, self.splits, augment, spec.train, seed=seed, engine=engine, folder=folder, log=log,
            progress=make_progress(main=engine.main and folder is not None, quiet=self.quiet),
            metadata={"format": "pt", "spec": spec.text, "spec_hash": spec.hash, "name": spec.name},
            time_share=self.time_share,
        )  # fmt: skip
        self.check(loop)
        return loop

    def check(self, loop: Loop) -> None:
        """Refuse data that do not fit the network, before the first step."""
        state = torch.get_rng_state()
        x, _ = loop.prepare(loop.splits.train, slice(0, 1))
        if tuple(x.shape[1:]) != tuple(self.spec.input):
            found, wanted = ("x".join(map(str, shape)) for shape in (x.shape[1:], self.spec.input))
            raise DataError(
                f"model.input is {wanted} (channels, height, width), the images of {self.spec.data.name} are {found}"
            )
        with torch.no_grad():
            loop.task.check(loop.model.eval()(x), loop.splits)
        loop.meter.reset()
        torch.set_rng_state(state)

    def write_report(self, loop: Loop) -> None:
        if loop.folder is None:
            return
        x, _ = loop.prepare(loop.splits.test, slice(0, SHARE_IMAGES))
        shares = node_time_shares(loop.evaluated, x) if self.time_share is not None else {}
        about = environment(self.engine.device, self.engine.world)
        settings = {
            "parameters": f"{sum(p.numel() for p in loop.model.parameters() if p.requires_grad):,}",
            "seed": loop.seed, "step": f"{loop.step} of {loop.steps}", "batch size": loop.order.batch_size,
            "images": ", ".join(f"{len(part)} {name}" for name in ("train", "validation", "test")
                                if (part := getattr(loop.splits, name)) is not None),
            "precision": "bf16" if self.engine.half is not None else "fp32", "device": about["device"],
            "processes": about["processes"], "threads": about["threads"], "spec hash": self.spec.hash,
            "started": about["started"], **{name: version for name, version in about["packages"].items() if version},
        }  # fmt: skip
        loop.folder.write("report.html", render_report(
            f"{self.spec.name}, seed {loop.seed}", getattr(getattr(self.spec, "document", None), "about", ""),
            read_metrics(loop.folder.metrics), settings, self.spec.text, drawing(self.spec, shares),
        ))  # fmt: skip

    def _new_set(self) -> Path:
        return new_folder(self.out / self.spec.name, f"{self.spec.hash}-seeds")

    def _folder(self, origin: Origin | None) -> Path:
        if origin is None:
            return new_folder(self.out / self.spec.name, self.spec.hash)
        origin.folder.mkdir(parents=True, exist_ok=True)
        return origin.folder

    def shared(self, make: Callable[[], Path]) -> Path:
        """A folder that the main process makes, known to all."""
        path: Path = self.engine.all_objects(make() if self.engine.main else None)[0]
        return path


def _compile(spec: Any) -> nn.Module:
    from tdspec.backend.compile import compile_spec

    return compile_spec(spec)


def _require_sections(spec: Any) -> None:
    for section in ("task", "data"):
        if getattr(spec, section) is None:
            raise TrainError(
                f"`{spec.name}` has no section `{section}`: to train, a spec needs `task`, `data` and `train`"
            )
    if (spec.train.epochs is None) == (spec.train.iterations is None):
        raise TrainError(f"`{spec.name}`: give `train.epochs` or `train.iterations`, one of the two")


def _on_device(splits: Splits, device: torch.device) -> Splits:
    validation = None if splits.validation is None else splits.validation.to(device)
    return Splits(splits.train.to(device), splits.test.to(device), validation)
