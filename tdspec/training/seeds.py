"""Several runs of one spec that differ in their seed: a folder of run folders, and one table.

<out>/<spec name>/<counter>-<spec hash>-seeds/seed-0/  a run folder
                                              seeds.json, summary.json
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from tdspec.training.errors import FolderError
from tdspec.training.result import TrainResult, summarise
from tdspec.training.resume import Origin, in_folder
from tdspec.training.run_folder import new_folder
from tdspec.training.runner import Runner


def run_seeds(runner: Runner, seeds: Sequence[int], origin: Origin | None) -> TrainResult:
    """One run for each seed; of an earlier set, those that have ended are kept, and one that broke off goes on."""
    spec = runner.spec
    if origin is not None:
        folder = origin.folder
        seeds = seeds or json.loads((folder / "seeds.json").read_text())
    else:
        folder = runner.shared(lambda: new_folder(runner.out / spec.name, f"{spec.hash}-seeds"))
    if runner.engine.main:
        _write(folder / "seeds.json", list(seeds))
    runner.engine.wait()
    results = []
    for seed in seeds:
        path = folder / f"seed-{seed}"
        begun = (path / "spec.resolved.yaml").is_file()
        results.append(runner.run(seed, in_folder(path) if begun else Origin(path)))
    total = summarise(spec.name, str(folder), results)
    if runner.engine.main:
        _write(folder / "summary.json", total.as_dict())
    return total


def _write(path: Path, content: object) -> None:
    try:
        path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise FolderError(f"cannot write {path}: {error}") from error
