"""Stage 9: module, task and data to a run folder. `train` is the entry, `loop.py` the heart."""

from __future__ import annotations

from tdspec.training.errors import CheckpointError, DataError, FolderError, Interrupted, NonFiniteError, TrainError
from tdspec.training.plan import Plan
from tdspec.training.result import TrainResult
from tdspec.training.run import train

__all__ = [
    "CheckpointError",
    "DataError",
    "FolderError",
    "Interrupted",
    "NonFiniteError",
    "Plan",
    "TrainError",
    "TrainResult",
    "train",
]
