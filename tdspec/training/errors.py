"""What can end a run, other than the spec itself. Each message says what to do."""

from __future__ import annotations


class TrainError(Exception):
    """A run cannot start or go on. Its subclasses say why."""


class DataError(TrainError):
    """Data are missing, damaged, or do not fit the network."""


class CheckpointError(TrainError):
    """A checkpoint is missing, damaged, or belongs to another spec."""


class FolderError(TrainError):
    """A run folder cannot be made, is in use, or can no longer be written."""


class NonFiniteError(TrainError):
    """The loss is infinite or not a number; the message names the first layer that made it."""


class Interrupted(SystemExit):
    """The run was asked to stop and has saved; exits with 130 (Ctrl-C) or 143 (SIGTERM)."""

    def __init__(self, signal: int) -> None:
        self.signal = signal
        super().__init__(128 + signal)
