"""The training loop, the same for every task: read it from `fit` downwards."""

from __future__ import annotations

import time
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from tdspec.backend.ode import SolverError
from tdspec.language.training import Train
from tdspec.training import checkpoint as checkpoints
from tdspec.training.augment import Augment
from tdspec.training.batches import Batch, Order
from tdspec.training.checkpoint import Checkpoint
from tdspec.training.data.images import Images, Splits
from tdspec.training.engine import Engine
from tdspec.training.errors import CheckpointError, Interrupted, TrainError
from tdspec.training.interrupt import Interrupts
from tdspec.training.nonfinite import NonFinite, check_weights, first_nonfinite
from tdspec.training.ode_meter import OdeMeter
from tdspec.training.optimizer import make_optimizer
from tdspec.training.random_state import random_state, restore_random_state
from tdspec.training.record import Recorder
from tdspec.training.schedule import Rate
from tdspec.training.tally import Tally
from tdspec.training.task import Task
from tdspec.training.time_meter import TimeShare, deaths

SHARE_IMAGES = 16  # test images at which the time share is measured


class Loop:
    """One run: a network, a task, its data, and all that changes while it is trained."""

    def __init__(
        self,
        model: nn.Module,
        task: Task,
        splits: Splits,
        augment: Augment,
        train: Train,
        seed: int,
        engine: Engine,
        recorder: Recorder,
        time_share: TimeShare | None = None,
    ) -> None:
        self.model, self.task, self.splits, self.augment = model, task, splits, augment
        self.train, self.seed, self.engine, self.recorder = train, seed, engine, recorder
        self.time_share = time_share
        self.called = engine.wrap(model)
        self.optimizer = make_optimizer(train.optimizer, model)
        self.order = Order(
            len(splits.train),
            train.batch_size,
            seed,
            rank=engine.rank,
            world=engine.world,
            accumulate=train.accumulate,
        )
        self.steps = train.iterations if train.iterations is not None else (train.epochs or 0) * self.order.batches
        self.rate = Rate(train.schedule, self.steps, self.order.batches)
        self.averaged = None
        if train.ema is not None:
            self.averaged = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(train.ema.decay))
        self.nonfinite = NonFinite(train.on_nonfinite)
        self.meter = OdeMeter(model)
        self.tally = Tally(engine)
        self.step = 0
        self.epoch = 0  # epochs finished
        self.position = 0  # batches of the current one that are done
        self.seconds = 0.0  # spent since the last record, measuring left out
        self.seconds_total = 0.0  # spent before it
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
                    raise Interrupted(interrupts.signal)
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
            self.recorder.progress.advance(self.step)
            if self.step % self.train.log_every == 0:
                self.write("step", loss=self.engine.sum(loss).item(), lr=lr)
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
                        return self.leave_out("the loss is not finite", x, labels)
                    (loss * self.engine.world).backward()  # DDP takes the mean over processes
                except SolverError as error:
                    if error.reason != "nonfinite" or self.engine.world > 1:
                        raise
                    return self.leave_out(error.found, x, labels)
            self.tally.add(measured)
            total += loss.detach()
        if self.train.clip_norm is not None or self.nonfinite.policy == "skip":
            limit = self.train.clip_norm if self.train.clip_norm is not None else float("inf")
            norm = nn.utils.clip_grad_norm_(self.model.parameters(), limit)
            if self.nonfinite.policy == "skip" and not torch.isfinite(norm):
                return self.leave_out("the gradient is not finite", x, labels)
        self.optimizer.step()
        self.nonfinite.passed()
        if self.averaged is not None:
            self.averaged.update_parameters(self.model)
        return total

    def prepare(self, images: Images, rows: Tensor | slice) -> tuple[Tensor, Tensor]:
        """Rows of a set as the network sees them, and their labels, on the device."""
        if isinstance(rows, Tensor):
            rows = rows.to(self.engine.device, non_blocking=True)
        x = self.augment(images.images[rows])
        if self.engine.device.type == "cuda":
            x = x.contiguous(memory_format=torch.channels_last)
        return x, images.labels[rows]

    def all_finite(self, loss: Tensor) -> bool:
        """Whether to go on; a batch is skipped in all processes or in none."""
        finite = bool(torch.isfinite(loss))
        return not self.engine.any(not finite) if self.nonfinite.policy == "skip" else finite

    def leave_out(self, what: str, x: Tensor, labels: Tensor) -> Tensor:
        """Skip this batch, or stop, as the spec says."""
        self.optimizer.zero_grad()

        def place() -> str:
            return first_nonfinite(self.model, x, lambda: self.task.measure(self.model, x, labels))

        self.write("note", text=self.nonfinite.met(what, self.step + 1, place))
        return torch.zeros((), device=self.engine.device)

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
        """Measure where it is time to, and say whether the epoch is the best so far."""
        measured = (self.epoch + 1) % self.train.evaluate_every == 0 or self.step >= self.steps
        improved = self.measure() if measured else False
        if self.position >= self.order.batches:
            self.epoch += 1
            self.position = 0
        self.due = self.due or self.epoch % self.train.checkpoint_every == 0
        return improved

    def measure(self) -> bool:
        """Evaluate, write the record of the epochs since the last one, and say whether this is the best so far.

        Raises `NonFiniteError` where the weights are lost.
        """
        check_weights(self.model, self.step)
        means, samples = self.tally.means()
        self.seconds_total += self.seconds
        record: dict[str, Any] = {f"train_{name}": value for name, value in means.items()}
        record |= {"lr": self.optimizer.param_groups[0]["lr"], **self.meter.means()}
        record |= {"seconds": self.seconds, "seconds_total": self.seconds_total}
        record["images_per_second"] = samples / max(self.seconds, 1e-9)
        for part in ("validation", "test"):
            if (held := getattr(self.splits, part)) is not None:
                record |= {f"{part}_{name}": value for name, value in self.evaluate(held).items()}
        if self.time_share is not None and self.engine.main:
            x, _ = self.prepare(self.splits.test, slice(0, SHARE_IMAGES))
            shares = self.time_share(self.evaluated, *self.task.arguments(x))
            record["time_share"], record["embedding_share"] = shares.outputs, shares.entries
        record |= self.preview() if self.engine.main else {}
        before = self.last or {}
        self.last = self.write("epoch", **record)
        for text in deaths(before.get("time_share", {}), record.get("time_share", {})):
            self.write("note", text=text)

        part = "validation" if self.splits.validation is not None else "test"
        metrics = {name.removeprefix(f"{part}_"): value for name, value in record.items()}
        self.rate.epoch_ended(metrics, self.train.optimizer.lr)
        name, more = self.task.best
        value = metrics[name]
        improved = self.best is None or (value > self.best["value"] if more else value < self.best["value"])
        if improved:
            self.best = {"metric": f"{part}_{name}", "value": value, "epoch": self.epoch + 1, "step": self.step}
        self.seconds = 0.0
        self.tally = Tally(self.engine)
        self.meter.reset()
        return improved

    def preview(self) -> dict[str, str]:
        """What the network makes by now, as a picture of the run."""
        try:
            images = self.task.preview(self.evaluated, self.splits.train.shape)
        except (TrainError, ValueError) as error:  # what is left to train may mend it
            self.write("note", text=f"no preview: {error}")
            return {}
        return {} if images is None else {"preview": self.recorder.picture(f"step-{self.step}", images)}

    @property
    def evaluated(self) -> nn.Module:
        """The weights that are evaluated: the averaged ones, where there are any."""
        return self.model if self.averaged is None else self.averaged.module

    @torch.no_grad()
    def evaluate(self, images: Images) -> dict[str, float]:
        """The metrics on a set of images, and the evaluations that its ODEs took per batch."""
        model = self.evaluated.eval()
        self.augment.eval()
        meter, tally, size = OdeMeter(model), Tally(self.engine), self.train.batch_size
        counted = meter.state()
        meter.reset()
        for start in range(self.engine.rank * size, len(images), self.engine.world * size):
            x, labels = self.prepare(images, slice(start, start + size))
            with self.engine.autocast():
                tally.add(self.task.measure(model, x, labels, fixed=start))
        found, _ = tally.means()
        if meter.odes:
            found["nfe"] = meter.means()["nfe_forward"]
        meter.restore(counted)
        return found

    def write(self, kind: str, **values: Any) -> dict[str, Any]:
        """Record something of the current step."""
        return self.recorder.write({"kind": kind, "epoch": self.epoch + 1, "step": self.step, **values})

    def save(self, *, best: bool = False) -> None:
        """Write a checkpoint; every process takes part.

        Raises `NonFiniteError` where the weights are lost, so that the checkpoint before stays.
        """
        check_weights(self.model, self.step)
        state = {
            **{name: getattr(self, name) for name in KEPT},
            "version": 1,
            "tally": self.tally.total(),
            "random": self.engine.all_objects(random_state(self.engine.device)),
            "rate": self.rate.state(),
            "odes": self.meter.state(),
            "ema_updates": int(self.averaged.n_averaged) if self.averaged is not None else 0,
        }
        ema = dict(self.averaged.module.state_dict()) if self.averaged is not None else {}
        optimizer = checkpoints.optimizer_tensors(self.optimizer, self.model)
        self.recorder.save(Checkpoint(dict(self.model.state_dict()), optimizer, ema, state), best=best)
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
        for name in KEPT:
            setattr(self, name, state[name])
        self.tally.restore(state["tally"])
        self.rate.restore(state["rate"])
        self.meter.restore(state["odes"])
        if len(state["random"]) == self.engine.world:
            restore_random_state(state["random"][self.engine.rank], self.engine.device)
        else:
            before = f"{len(state['random'])} processes made the checkpoint"
            self.write("note", text=f"{before}, {self.engine.world} go on: random states start anew")


KEPT = ("seed", "step", "epoch", "position", "seconds", "seconds_total", "best", "last")
