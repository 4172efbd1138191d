"""The training loop, the same for every task: read it from `fit` downwards."""

from __future__ import annotations

import time
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from tdspec.backend.ode import SolverError
from tdspec.language.training import Train
from tdspec.train import checkpoint as checkpoints
from tdspec.train.augment import Augment
from tdspec.train.batches import Batch, Order
from tdspec.train.checkpoint import Checkpoint
from tdspec.train.data.images import Images, Splits
from tdspec.train.engine import Engine
from tdspec.train.errors import CheckpointError, Interrupted, NonFiniteError
from tdspec.train.interrupt import Interrupts
from tdspec.train.metrics import MetricsLog
from tdspec.train.nonfinite import first_nonfinite
from tdspec.train.ode_meter import OdeMeter, TimeShare
from tdspec.train.optimizer import make_optimizer
from tdspec.train.progress import Progress
from tdspec.train.random_state import random_state, restore_random_state
from tdspec.train.run_folder import RunFolder
from tdspec.train.schedule import Rate
from tdspec.train.task import Task

SKIPPED_IN_A_ROW = 20  # batches without a finite loss after which `on_nonfinite: skip` gives up
SHARE_IMAGES = 16  # images at which the time share is measured


class Loop:
    """One run: a network, a task, its data and all that changes while it is trained.

    folder, log  of the main process; None in the others
    metadata     goes into the checkpoints' safetensors: the spec's text and hash
    """

    def __init__(
        self,
        model: nn.Module,
        task: Task,
        splits: Splits,
        augment: Augment,
        train: Train,
        *,
        seed: int,
        engine: Engine,
        folder: RunFolder | None,
        log: MetricsLog | None,
        progress: Progress,
        metadata: dict[str, str],
        time_share: TimeShare | None = None,
    ) -> None:
        self.train, self.task, self.engine, self.seed = train, task, engine, seed
        self.folder, self.log, self.progress, self.metadata = folder, log, progress, metadata
        self.splits, self.augment, self.time_share = splits, augment, time_share
        self.model = model
        self.called = engine.wrap(model)
        self.optimizer = make_optimizer(train.optimizer, model)
        self.order = Order(
            len(splits.train), train.batch_size, seed,
            rank=engine.rank, world=engine.world, accumulate=train.accumulate,
        )  # fmt: skip
        self.steps = train.iterations if train.iterations is not None else (train.epochs or 0) * self.order.batches
        self.rate = Rate(train.schedule, self.steps, self.order.batches)
        self.averaged = None
        if train.ema is not None:
            self.averaged = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(train.ema.decay))
        self.meter = OdeMeter(model)
        self.exact = torch.float32 if engine.device.type == "mps" else torch.float64
        self.step = 0
        self.epoch = 0  # epochs finished
        self.position = 0  # batches of the current one that are done
        self.seconds = 0.0  # spent on the current one
        self.seconds_total = 0.0  # on finished ones, measuring left out
        self.sums: dict[str, Tensor] = {}  # of the current one's measured numbers
        self.images = 0
        self.skipped = 0
        self.due = False  # a checkpoint at the end of this epoch
        self.best: dict[str, Any] | None = None
        self.last: dict[str, Any] = {}

    def fit(self) -> dict[str, Any]:
        """Train to the end; returns the last epoch's record. Raises `Interrupted` after saving."""
        with Interrupts() as interrupts:
            while self.step < self.steps:
                asked = self.run_epoch(interrupts)
                if not self.epoch_is_over:
                    self.save()
                else:
                    improved = self.end_epoch()
                    if self.due or asked or improved or self.step >= self.steps:
                        self.save(best=improved)
                if asked and self.step < self.steps:
                    assert interrupts.signal is not None
                    raise Interrupted(interrupts.signal, str(self.folder.path) if self.folder else "")
        return self.last

    @property
    def epoch_is_over(self) -> bool:
        return self.position >= self.order.batches or self.step >= self.steps

    def run_epoch(self, interrupts: Interrupts) -> bool:
        """Train on what is left of the current epoch; says whether the run was asked to stop."""
        self.called.train()
        self.augment.train()
        started = time.perf_counter() - self.seconds
        for batch in self.order.epoch(self.epoch, self.position):
            lr = self.train.optimizer.lr * self.rate.factor(self.step)
            for group in self.optimizer.param_groups:
                group["lr"] = lr
            loss = self.take_step(batch)
            self.step += 1
            self.position += 1
            self.seconds = time.perf_counter() - started
            self.progress.advance(self.step)
            if self.step % self.train.log_every == 0:
                self.write({"kind": "step", "loss": self.engine.sum(loss).item(), "lr": lr})
            if self.asked_to_stop(interrupts):
                return True
            if self.train.checkpoint_steps is not None and self.step % self.train.checkpoint_steps == 0:
                if self.epoch_is_over:
                    self.due = True  # once the epoch has been measured
                else:
                    self.save()
            if self.step >= self.steps:
                break
        return False

    def take_step(self, batch: Batch) -> Tensor:
        """One optimizer step; returns this process's part of the mean loss."""
        self.optimizer.zero_grad()
        total = torch.zeros((), device=self.engine.device)
        for k, rows in enumerate(batch.parts):
            x, labels = self.prepare(self.splits.train, rows)
            with self.engine.gradients(self.called, last=k == len(batch.parts) - 1):
                try:
                    with self.engine.autocast():
                        measured = self.task.measure(self.called, x, labels)
                    loss = measured["loss"].sum() / batch.size
                    # Right behind the forward pass, where an adaptive solver has made the host wait anyway.
                    if not self.all_finite(loss):
                        return self.nonfinite("the loss", x, labels)
                    (loss * self.engine.world).backward()  # DDP takes the mean over processes
                except SolverError as error:
                    if error.reason != "nonfinite" or self.engine.world > 1:
                        raise
                    return self.nonfinite(str(error), x, labels)
            self.add(measured)
            total += loss.detach()
        if self.train.clip_norm is not None or self.train.on_nonfinite == "skip":
            limit = self.train.clip_norm if self.train.clip_norm is not None else float("inf")
            norm = nn.utils.clip_grad_norm_(self.model.parameters(), limit)
            if self.train.on_nonfinite == "skip" and not torch.isfinite(norm):
                return self.nonfinite("the gradient", x, labels)
        self.optimizer.step()
        self.skipped = 0
        if self.averaged is not None:
            self.averaged.update_parameters(self.model)
        return total

    def prepare(self, images: Images, rows: Tensor | slice) -> tuple[Tensor, Tensor]:
        """Rows of a set as the network sees them, on the device."""
        if isinstance(rows, Tensor):
            rows = rows.to(self.engine.device, non_blocking=True)
        x = self.augment(images.images[rows])
        if self.engine.device.type == "cuda":
            x = x.contiguous(memory_format=torch.channels_last)
        return x, images.labels[rows]

    def add(self, measured: dict[str, Tensor]) -> None:
        """Add up numbers without making the host wait for the device."""
        for name, values in measured.items():
            self.sums[name] = self.sums.get(name, 0) + values.detach().sum(dtype=self.exact)
        self.images += len(measured["loss"])

    def all_finite(self, loss: Tensor) -> bool:
        finite = bool(torch.isfinite(loss))
        return not self.engine.any(not finite) if self.train.on_nonfinite == "skip" else finite

    def nonfinite(self, what: str, x: Tensor, labels: Tensor) -> Tensor:
        """Stop or skip, as the spec says."""
        self.optimizer.zero_grad()
        self.skipped += 1
        if self.train.on_nonfinite == "skip" and self.skipped <= SKIPPED_IN_A_ROW:
            self.write({"kind": "note", "text": f"step {self.step + 1} skipped: {what} is not finite"})
            return torch.zeros((), device=self.engine.device)
        place = first_nonfinite(self.model, x, lambda: self.task.measure(self.model, x, labels))
        again = f", {self.skipped} times in a row" if self.skipped > 1 else ""
        raise NonFiniteError(
            f"{what} is not finite in step {self.step + 1}{again}: {place}. The last checkpoint is kept; lower "
            "train.optimizer.lr, set train.clip_norm or a warm-up, or train in fp32"
        )

    def asked_to_stop(self, interrupts: Interrupts) -> bool:
        """The same answer in all processes; with several, looked at when a line is logged."""
        if self.engine.world == 1:
            return interrupts.signal is not None
        if self.step % self.train.log_every:
            return False
        signals = [number for number in self.engine.all_objects(interrupts.signal) if number is not None]
        interrupts.signal = signals[0] if signals else None
        return bool(signals)

    def end_epoch(self) -> bool:
        """Measure, write the epoch's record, and say whether it is the best so far."""
        train, images = self.totals()
        record: dict[str, Any] = {f"train_{name}": value / max(1, images) for name, value in train.items()}
        record["lr"] = self.optimizer.param_groups[0]["lr"]
        record |= self.meter.means()
        self.seconds_total += self.seconds
        record |= {
            "seconds": self.seconds,
            "seconds_total": self.seconds_total,
            "images_per_second": images / max(self.seconds, 1e-9),
        }
        for part in ("validation", "test"):
            if (held := getattr(self.splits, part)) is not None:
                record |= {f"{part}_{name}": value for name, value in self.evaluate(held).items()}
        if self.time_share is not None and self.engine.main:
            x, _ = self.prepare(self.splits.test, slice(0, SHARE_IMAGES))
            record["time_share"] = dict(self.time_share(self.evaluated, x))
        self.last = self.write({"kind": "epoch", **record})

        part = "validation" if self.splits.validation is not None else "test"
        metrics = {name.removeprefix(f"{part}_"): value for name, value in record.items()}
        self.rate.epoch_ended(metrics, self.train.optimizer.lr)
        name, more = self.task.best
        value = metrics[name]
        improved = self.best is None or (value > self.best["value"] if more else value < self.best["value"])
        if improved:
            self.best = {"metric": f"{part}_{name}", "value": value, "epoch": self.epoch + 1, "step": self.step}

        if self.position >= self.order.batches:
            self.epoch += 1
            self.position = 0
        self.due = self.epoch % self.train.checkpoint_every == 0 or self.due
        self.seconds, self.images, self.sums = 0.0, 0, {}
        self.meter.reset()
        return improved

    def totals(self) -> tuple[dict[str, float], int]:
        """This epoch's sums and images over all processes."""
        images = self.engine.sum(torch.tensor(float(self.images), device=self.engine.device))
        return self.over_processes(self.sums), int(images.item())

    def over_processes(self, sums: dict[str, Tensor]) -> dict[str, float]:
        """Sums over all processes, some of which may have seen no image at all."""
        names = sorted(set().union(*self.engine.all_objects(list(sums))))
        zero = torch.zeros((), device=self.engine.device, dtype=self.exact)
        return {name: self.engine.sum(sums.get(name, zero)).item() for name in names}

    @property
    def evaluated(self) -> nn.Module:
        """The weights that are evaluated: the averaged ones, where there are any."""
        return self.model if self.averaged is None else self.averaged.module

    @torch.no_grad()
    def evaluate(self, images: Images) -> dict[str, float]:
        """The metrics on a set of images, and the evaluations that its ODEs took per batch."""
        model = self.evaluated
        model.eval()
        self.augment.eval()
        meter = OdeMeter(model)
        kept = meter.state()
        meter.reset()
        sums: dict[str, Tensor] = {}
        size = self.train.batch_size
        for start in range(self.engine.rank * size, len(images), self.engine.world * size):
            x, labels = self.prepare(images, slice(start, start + size))
            with self.engine.autocast():
                measured = self.task.measure(model, x, labels)
            for name, values in measured.items():
                sums[name] = sums.get(name, 0) + values.sum(dtype=self.exact)
        found = {name: total / len(images) for name, total in self.over_processes(sums).items()}
        if meter.odes:
            found["nfe"] = meter.means()["nfe_forward"]
        meter.restore(kept)
        return found

    def write(self, record: dict[str, Any]) -> dict[str, Any]:
        """Add epoch and step, and tell everyone."""
        record = {"kind": record["kind"], "epoch": self.epoch + 1, "step": self.step, **record}
        if self.log is not None:
            self.log.write(record)
        self.progress.record(record)
        return record

    def save(self, *, best: bool = False) -> None:
        """Write a checkpoint; every process takes part."""
        states = self.engine.all_objects(random_state(self.engine.device))
        sums, images = self.totals()
        if self.folder is not None and self.log is not None:
            state = {
                "version": 1, "seed": self.seed, "step": self.step, "epoch": self.epoch, "position": self.position,
                "seconds": self.seconds, "seconds_total": self.seconds_total, "sums": sums, "images": images, "best": self.best, "last": self.last,
                "rate": self.rate.state(), "odes": self.meter.state(), "random": states,
                "ema_updates": int(self.averaged.n_averaged) if self.averaged is not None else 0,
                "metrics_bytes": self.log.size,
            }  # fmt: skip
            made = Checkpoint(
                model=dict(self.model.state_dict()),
                optimizer=checkpoints.optimizer_tensors(self.optimizer, self.model),
                ema=dict(self.averaged.module.state_dict()) if self.averaged is not None else {},
                state=state,
                metadata=self.metadata,
            )
            checkpoints.save(self.folder.checkpoints, f"step-{self.step}", made, best=best)
        self.due = False
        self.engine.wait()

    def restore(self, saved: Checkpoint) -> None:
        """Go on where a checkpoint was made."""
        state = saved.state
        try:
            self.model.load_state_dict(saved.model)
            if self.averaged is not None:
                self.averaged.module.load_state_dict(saved.ema)
                self.averaged.n_averaged.fill_(state["ema_updates"])
        except RuntimeError as error:
            raise CheckpointError(f"the checkpoint's weights do not fit the network: {error}") from error
        checkpoints.restore_optimizer(self.optimizer, self.model, saved.optimizer)
        self.step, self.epoch, self.position = state["step"], state["epoch"], state["position"]
        self.seconds, self.seconds_total = state["seconds"], state["seconds_total"]
        self.best, self.last = state["best"], state["last"]
        self.rate.restore(state["rate"])
        self.meter.restore(state["odes"])
        if self.engine.main:  # sums over all processes are carried on by one of them
            for name, value in state["sums"].items():
                self.sums[name] = torch.tensor(value, dtype=self.exact, device=self.engine.device)
            self.images = state["images"]
        if len(state["random"]) == self.engine.world:
            restore_random_state(state["random"][self.engine.rank], self.engine.device)
        else:
            self.write({"kind": "note", "text": f"the checkpoint was made by {len(state['random'])} processes, this run has "
                        f"{self.engine.world}: random states start anew"})  # fmt: skip
