"""Stage 9: module, task and data to a run folder. `train` is the entry, `loop.py` the heart."""

from __future__ import annotations

from tdspec.train.errors import CheckpointError, DataError, FolderError, Interrupted, NonFiniteError, TrainError
from tdspec.train.plan import Plan
from tdspec.train.result import TrainResult
from tdspec.train.run import train

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
