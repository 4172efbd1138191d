"""What a run, or a set of runs with different seeds, has come to."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

COLUMNS = ("test_accuracy", "test_loss", "test_nfe", "nfe_forward", "nfe_backward", "seconds_total")


@dataclass(frozen=True)
class TrainResult:
    """The end of a run. With several seeds: the means, the spread, and the runs themselves.

    metrics  of the last epoch: `test_accuracy` in per cent, `test_nfe`, ...; see tdspec.training.metrics
    spread   standard deviation over seeds (n - 1) of each metric; empty for one run
    best     metric, value, epoch and step of the checkpoint `best`
    """

    name: str
    folder: str
    seed: int | None
    parameters: int
    steps: int
    metrics: dict[str, Any]
    best: dict[str, Any] | None = None
    spread: dict[str, float] = field(default_factory=dict)
    runs: tuple[TrainResult, ...] = ()

    @property
    def accuracy(self) -> float | None:
        """Test accuracy in per cent after the last step."""
        return self.metrics.get("test_accuracy")

    @property
    def nfe(self) -> float | None:
        """Evaluations of the ODEs' fields per test batch, forward; None for a network without an ODE."""
        return self.metrics.get("test_nfe")

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    def __str__(self) -> str:
        if self.runs:
            return self.table()
        words = [self.name]
        if self.accuracy is not None:
            words.append(f"test accuracy {self.accuracy:.2f} %")
        elif "test_loss" in self.metrics:
            words.append(f"test loss {self.metrics['test_loss']:.4g}")
        if self.nfe is not None:
            words.append(f"NFE {self.nfe:.1f}")
        words += [
            f"time share of {name} {100 * share:.2g} %" for name, share in self.metrics.get("time_share", {}).items()
        ]
        return ", ".join(words) + f"; {self.folder}"

    def table(self) -> str:
        """One row for each seed, then mean and standard deviation."""
        columns = [name for name in COLUMNS if name in self.metrics]
        rows = [["seed", *columns]]
        rows += [[str(run.seed), *(f"{run.metrics[name]:.4g}" for name in columns)] for run in self.runs]
        rows.append(["mean", *(f"{self.metrics[name]:.4g}" for name in columns)])
        rows.append(["std", *(f"{self.spread[name]:.2g}" if name in self.spread else "-" for name in columns)])
        widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
        lines = ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
        return f"{self.name}; {self.folder}\n" + "\n".join(lines)


def read_result(path: Path) -> TrainResult | None:
    """The result of a run that has ended, from its `result.json`; None where there is none yet."""
    if not path.exists():
        return None
    content = json.loads(path.read_text(encoding="utf-8"))
    return TrainResult(**{**content, "runs": ()})


def summarise(name: str, folder: str, runs: Sequence[TrainResult]) -> TrainResult:
    """Means and standard deviations over runs of one spec."""
    metrics: dict[str, Any] = {}
    spread: dict[str, float] = {}
    for key in runs[0].metrics:
        values = [run.metrics.get(key) for run in runs]
        if key in ("epoch", "step") or not all(isinstance(value, (int, float)) for value in values):
            continue
        numbers = [float(value) for value in values if value is not None]
        metrics[key] = mean = sum(numbers) / len(numbers)
        if len(numbers) > 1:
            spread[key] = math.sqrt(sum((value - mean) ** 2 for value in numbers) / (len(numbers) - 1))
    return TrainResult(name, folder, None, runs[0].parameters, runs[0].steps, metrics, None, spread, tuple(runs))
