"""What a run writes down: always as JSON lines, and to TensorBoard where it is installed.

Each line is an object with `kind` (`step`, `epoch` or `note`), `step` and `epoch`. Accuracies are in
per cent, times in seconds, and evaluations of the ODEs' fields are means over batches.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tdspec.training.errors import FolderError

Record = Mapping[str, Any]


class MetricsLog:
    """Appends records to `metrics.jsonl`, tells them to TensorBoard, and to whoever listens.

    size  bytes of the file to keep: a resumed run drops what came after its checkpoint
    """

    def __init__(self, path: Path, size: int = 0, listener: Callable[[Record], None] | None = None) -> None:
        self.path = path
        self.listener = listener
        try:
            self.file = open(path, "r+b" if path.exists() else "w+b")  # noqa: SIM115
            self.file.truncate(size)
            self.file.seek(size)
        except OSError as error:
            raise FolderError(f"cannot write {path}: {error}") from error
        self.board = _tensorboard(path.parent / "tensorboard")

    @property
    def size(self) -> int:
        """Bytes written so far."""
        return self.file.tell()

    def write(self, record: Record) -> None:
        try:
            self.file.write(json.dumps(record).encode() + b"\n")
            self.file.flush()
        except OSError as error:
            raise FolderError(f"cannot write {self.path}: {error}; the last checkpoint is safe") from error
        if self.board is not None:
            for name, value in _flat(record):
                self.board.add_scalar(f"{record['kind']}/{name}", value, record["step"])
        if self.listener is not None:
            self.listener(record)

    def close(self) -> None:
        self.file.close()
        if self.board is not None:
            self.board.close()


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """The records of a `metrics.jsonl`; a last line that was cut off is left out."""
    records = []
    for line in path.read_text(encoding="utf-8").splitlines(keepends=True):
        if line.endswith("\n"):
            records.append(json.loads(line))
    return records


def _tensorboard(folder: Path) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return None
    return SummaryWriter(str(folder))


def _flat(record: Record, prefix: str = "") -> list[tuple[str, float]]:
    flat: list[tuple[str, float]] = []
    for name, value in record.items():
        if isinstance(value, Mapping):
            flat += _flat(value, f"{prefix}{name}/")
        elif isinstance(value, (int, float)) and name not in ("step", "epoch"):
            flat.append((prefix + name, value))
    return flat
