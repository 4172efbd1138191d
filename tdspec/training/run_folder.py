"""The folder of a run: `<out>/<spec name>/<counter>-<spec hash>/`, never overwritten.

spec.yaml           as given              metrics.jsonl   one JSON object a line; see metrics.py
spec.resolved.yaml  every value           report.html     curves, settings, the graph
environment.json    versions, hardware    result.json     the last numbers, once it has ended
findings.json       what `validate` says  checkpoints/    see checkpoint.py
"""

from __future__ import annotations

import json
import os
import platform
import sys
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock, Timeout

from tdspec.training.errors import FolderError


class RunFolder:
    """One run's folder, owned by one process until `release`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.checkpoints = path / "checkpoints"
        self.metrics = path / "metrics.jsonl"
        self._lock = FileLock(path / ".lock")
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            raise FolderError(
                f"{path} is in use by another process: wait for it, or start a new run without --resume"
            ) from None
        except OSError as error:
            raise FolderError(f"cannot write to {path}: {error}") from error

    @classmethod
    def create(cls, out: Path, name: str, label: str) -> RunFolder:
        """A new folder below `out`, with the next free counter."""
        return cls(new_folder(out / name, label))

    def release(self) -> None:
        self._lock.release()

    def write(self, name: str, content: str) -> None:
        """Write a small file whole or not at all."""
        aside = self.path / f".{name}.{os.getpid()}"
        try:
            aside.write_text(content, encoding="utf-8")
            os.replace(aside, self.path / name)
        except OSError as error:
            raise FolderError(f"cannot write {self.path / name}: {error}") from error

    def write_json(self, name: str, content: Any) -> None:
        self.write(name, json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def new_folder(parent: Path, label: str) -> Path:
    """`<parent>/<counter>-<label>`, made here and by nobody else at the same time."""
    try:
        parent.mkdir(parents=True, exist_ok=True)
        counter = max((int(p.name[:4]) for p in parent.iterdir() if p.name[:4].isdigit()), default=0)
        while True:
            counter += 1
            path = parent / f"{counter:04}-{label}"
            if any(parent.glob(f"{counter:04}-*")):
                continue
            try:
                path.mkdir()
            except FileExistsError:
                continue
            return path
    except OSError as error:
        raise FolderError(f"cannot make a run folder in {parent}: {error}; choose another place with --out") from error


def latest(parent: Path, label: str) -> Path | None:
    """The newest folder of this label below `parent`."""
    return max(parent.glob(f"[0-9][0-9][0-9][0-9]-{label}"), default=None)


def environment(device: torch.device, world: int) -> dict[str, Any]:
    """What the run ran on and with, for whoever wants to repeat it."""
    packages = (
        "tdspec",
        "torch",
        "torchvision",
        "torchdiffeq",
        "accelerate",
        "kornia",
        "numpy",
        "safetensors",
        "networkx",
    )
    versions: dict[str, str | None] = {}
    for package in packages:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            versions[package] = None
    return {
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": sys.argv,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": versions,
        "device": str(device),
        "device_name": torch.cuda.get_device_name(device) if device.type == "cuda" else platform.processor(),
        "cuda": torch.version.cuda,
        "threads": torch.get_num_threads(),
        "processes": world,
    }
