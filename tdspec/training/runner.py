"""One run: everything is made ready and checked, then the loop runs, then its result is written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from tdspec.language.augmentation import bind
from tdspec.training import checkpoint as checkpoints
from tdspec.training.augment import Augment
from tdspec.training.data import load
from tdspec.training.data.images import Splits
from tdspec.training.describe import drawing, write_spec
from tdspec.training.engine import Engine
from tdspec.training.errors import CheckpointError, DataError, Interrupted
from tdspec.training.identity import require_same_spec
from tdspec.training.loop import SHARE_IMAGES, Loop
from tdspec.training.metrics import Record, read_metrics
from tdspec.training.plan import Plan, make_plan
from tdspec.training.progress import make_progress
from tdspec.training.random_state import seed_all
from tdspec.training.record import Recorder
from tdspec.training.report import render_report
from tdspec.training.result import TrainResult, read_result
from tdspec.training.resume import Origin, in_folder
from tdspec.training.run_folder import RunFolder, environment, new_folder
from tdspec.training.task import make_task
from tdspec.training.time_meter import TimeShare, node_time_shares


@dataclass
class Runner:
    """Runs a spec, once for each seed. The images are read once.

    model_factory  makes the network, from torch's global random state
    """

    spec: Any
    out: Path
    engine: Engine
    model_factory: Callable[[], nn.Module]
    on_event: Callable[[Record], None] | None = None
    quiet: bool = False
    time_share: TimeShare | None = None
    splits: Splits | None = None

    def plan(self, seed: int) -> Plan:
        """What a run would be."""
        return make_plan(self.spec.name, self.prepare(seed, Recorder()))

    def run(self, seed: int | None, origin: Origin | None) -> TrainResult:
        """One run, from its beginning, or from where `origin` says."""
        saved, changes = None, []
        if origin is not None and origin.checkpoint is not None:
            saved = checkpoints.load(origin.checkpoint)
            changes = require_same_spec(saved.metadata.get("spec", ""), self.spec.text, str(origin.checkpoint))
            done = read_result(origin.folder / "result.json")
            if done is not None and not changes and origin.checkpoint == in_folder(origin.folder).checkpoint:
                return done
            if seed is not None and seed != saved.state["seed"]:
                raise CheckpointError(f"{origin.checkpoint} was made with seed {saved.state['seed']}, not {seed}")
            seed = saved.state["seed"]
        seed = self.spec.train.seed if seed is None else seed
        path = self.shared(lambda: self.folder(origin))
        folder = RunFolder(path) if self.engine.main else None
        try:
            return self.fit(seed, path, folder, saved, changes)
        finally:
            if folder is not None:
                folder.release()

    def fit(
        self,
        seed: int,
        path: Path,
        folder: RunFolder | None,
        saved: checkpoints.Checkpoint | None,
        changes: Sequence[str],
    ) -> TrainResult:
        """Train in a folder, and leave result and report there."""
        spec, engine = self.spec, self.engine
        if folder is not None and not (path / "environment.json").exists():
            write_spec(folder, spec)
            about = {"seed": seed, "spec_hash": spec.hash, **environment(engine.device, engine.world)}
            folder.write_json("environment.json", about)
        recorder = Recorder(
            folder,
            {"spec": spec.text},  # safetensors writes several entries in an order that changes from run to run
            progress=make_progress(main=engine.main, quiet=self.quiet),
            listener=self.on_event,
            resumed=saved.state if saved is not None else None,
        )
        with recorder:
            loop = self.prepare(seed, recorder)
            if saved is not None:
                loop.restore(saved)
            recorder.progress.start(f"{spec.name}, seed {seed}", loop.steps, loop.step)
            if saved is not None:
                changed = f"; changed: {'; '.join(changes)}" if changes else ""
                loop.write("note", text=f"resumed at step {loop.step} on {engine.device}{changed}")
            if engine.slow_bf16:
                loop.write("note", text="this CPU has no bf16 arithmetic and imitates it: fp32 is far faster here")
            try:
                metrics = loop.fit()
            except Interrupted as stopped:
                again = f"tdspec train --resume {path}"
                how = f"stopped by signal {stopped.signal} at step {loop.step}, saved: go on with {again}"
                recorder.progress.note(how)
                self.write_report(loop, folder)
                raise
        result = TrainResult(spec.name, str(path), seed, count(loop.model), loop.step, metrics, loop.best)
        if folder is not None:
            folder.write_json("result.json", result.as_dict())
        self.write_report(loop, folder)
        engine.wait()
        return result

    def prepare(self, seed: int, recorder: Recorder) -> Loop:
        """A run that is ready to start, with everything checked that can be checked before."""
        spec, engine = self.spec, self.engine
        task = make_task(spec)
        if self.splits is None:
            with engine.main_first():  # one process downloads, the others find it
                self.splits = load(spec.data).to(engine.device)
        transforms, problems = bind(spec.data.augment)
        if problems:
            raise DataError(f"data.augment: {problems[0].message}; {problems[0].help}")
        augment = Augment(transforms, *self.splits.train.statistics()).to(engine.device)
        seed_all(seed)
        model = self.model_factory().to(engine.device)
        if engine.device.type == "cuda":
            model = model.to(memory_format=torch.channels_last)
        if engine.rank > 0:
            seed_all(seed + 7919 * engine.rank)  # each process draws its own dropout and augmentation
        loop = Loop(model, task, self.splits, augment, spec.train, seed, engine, recorder, self.time_share)
        self.check(loop)
        return loop

    def check(self, loop: Loop) -> None:
        """Refuse data that do not fit the network."""
        drawn = torch.get_rng_state()
        x, _ = loop.prepare(loop.splits.train, slice(0, 1))
        if tuple(x.shape[1:]) != tuple(self.spec.input):
            found, wanted = ("x".join(map(str, shape)) for shape in (x.shape[1:], self.spec.input))
            name = self.spec.data.name
            raise DataError(f"model.input is {wanted} (channels, height, width), the images of {name} are {found}")
        with torch.no_grad():
            loop.task.check(loop.model.eval()(*loop.task.arguments(x)), loop.splits)
        loop.meter.reset()
        torch.set_rng_state(drawn)

    def write_report(self, loop: Loop, folder: RunFolder | None) -> None:
        if folder is None:
            return
        spec, engine = self.spec, self.engine
        x, _ = loop.prepare(loop.splits.test, slice(0, SHARE_IMAGES))
        given = loop.task.arguments(x)
        shares = node_time_shares(loop.evaluated, *given) if self.time_share is not None else {}
        about = environment(engine.device, engine.world)
        settings = {
            "parameters": f"{count(loop.model):,}",
            "seed": loop.seed,
            "step": f"{loop.step} of {loop.steps}",
            "batch size": loop.order.batch_size,
            "images": ", ".join(f"{size:,} {part}" for part, size in loop.splits.sizes.items()),
            "precision": engine.precision,
            "device": about["device_name"] or about["device"],
            "processes": about["processes"],
            "spec hash": spec.hash,
            **{name: version for name, version in about["packages"].items() if version},
        }
        text = render_report(
            f"{spec.name}, seed {loop.seed}",
            getattr(getattr(spec, "document", None), "about", ""),
            read_metrics(folder.metrics),
            settings,
            spec.text,
            drawing(spec, shares),
            folder.path,
        )
        folder.write("report.html", text)

    def folder(self, origin: Origin | None) -> Path:
        if origin is None:
            return new_folder(self.out / self.spec.name, self.spec.hash)
        origin.folder.mkdir(parents=True, exist_ok=True)
        return origin.folder

    def shared(self, make: Callable[[], Path]) -> Path:
        """A folder that the main process makes, known to all."""
        path: Path = self.engine.all_objects(make() if self.engine.main else None)[0]
        return path


def count(model: nn.Module) -> int:
    """Trainable parameters."""
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
