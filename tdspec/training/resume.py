"""Where a run goes on: from a run folder, a checkpoint in it, a set of seeds, or the newest of a spec."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tdspec.training.errors import CheckpointError


@dataclass(frozen=True)
class Origin:
    """A run folder, and the checkpoint in it; None where it was killed before the first.

    `seeds` says that the folder is a set of runs.
    """

    folder: Path
    checkpoint: Path | None = None
    seeds: bool = False


def find(resume: str | Path, out: Path, name: str) -> Origin:
    """What `--resume` means: `last`, or a path. Raises `CheckpointError`."""
    if str(resume) == "last":
        found = max((out / name).glob("[0-9][0-9][0-9][0-9]-*"), default=None)
        if found is None:
            raise CheckpointError(f"no run of `{name}` in {out}: leave --resume away, or name the run's folder")
        return in_folder(found)
    path = Path(resume)
    if (path / "state.json").is_file():
        step = path.resolve()
        return Origin(step.parent.parent, step)
    if not path.is_dir():
        raise CheckpointError(
            f"no run at {path}: name a folder that `tdspec train` made, a checkpoint in it, or `last`"
        )
    return in_folder(path)


def in_folder(folder: Path) -> Origin:
    """A run folder with its last checkpoint, or a set of seeds."""
    if (folder / "seeds.json").is_file():
        return Origin(folder, seeds=True)
    if not (folder / "spec.resolved.yaml").is_file():
        raise CheckpointError(f"{folder} is not a run folder: it has no spec.resolved.yaml")
    last = folder / "checkpoints" / "last"
    return Origin(folder, last.resolve() if last.exists() else None)
