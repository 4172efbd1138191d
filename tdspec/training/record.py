"""Where a run's records and checkpoints go: to its folder, to the screen, to whoever listens."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Any

from torch import Tensor

from tdspec.training import checkpoint as checkpoints
from tdspec.training.checkpoint import Checkpoint
from tdspec.training.metrics import MetricsLog, Record
from tdspec.training.pictures import write_images
from tdspec.training.progress import Progress, Silent
from tdspec.training.run_folder import RunFolder


class Recorder:
    """What one process tells of a run: everything in the main one, nothing in the others.

    folder    the run's; None in the other processes, and where nothing is to be written
    metadata  goes into the checkpoints' safetensors: the spec's text
    resumed   the state of the checkpoint that the run goes on from, if it does
    """

    def __init__(
        self,
        folder: RunFolder | None = None,
        metadata: dict[str, str] | None = None,
        *,
        progress: Progress | None = None,
        listener: Callable[[Record], None] | None = None,
        resumed: dict[str, Any] | None = None,
    ) -> None:
        self.folder = folder
        self.metadata = metadata or {}
        self.progress = progress if progress is not None else Silent()
        self.log = None
        if folder is not None:
            self.log = MetricsLog(folder.metrics, resumed["metrics_bytes"] if resumed is not None else 0, listener)

    def __enter__(self) -> Recorder:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.progress.stop()
        if self.log is not None:
            self.log.close()

    def write(self, record: dict[str, Any]) -> dict[str, Any]:
        if self.log is not None:
            self.log.write(record)
        self.progress.record(record)
        return record

    def picture(self, name: str, images: Tensor) -> str:
        """Write images, uint8[N,C,H,W], as a grid into the run's folder; gives its path there, or nothing."""
        path = f"samples/{name}.png"
        if self.folder is None:
            return ""
        write_images(images, self.folder.path / path)
        return path

    def save(self, checkpoint: Checkpoint, *, best: bool) -> None:
        """Write a checkpoint, which remembers how long the metrics were when it was made."""
        if self.folder is None or self.log is None:
            return
        checkpoint.state["metrics_bytes"] = self.log.size
        checkpoint.metadata = self.metadata
        checkpoints.save(self.folder.checkpoints, f"step-{checkpoint.state['step']}", checkpoint, best=best)
