"""What a person sees of a run: bars on a terminal, lines in a log, nothing on other processes."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any, Protocol, TextIO


class Progress(Protocol):
    """Is told what happens, and shows it."""

    def start(self, title: str, steps: int, step: int) -> None:
        """A run begins, or goes on at `step` of `steps`."""

    def advance(self, step: int) -> None:
        """A step is done."""

    def record(self, record: Mapping[str, Any]) -> None:
        """A line was written to the metrics."""

    def note(self, text: str) -> None:
        """Something that is worth a line."""

    def stop(self) -> None:
        """The run has ended, for whatever reason."""


class Silent:
    """Shows nothing."""

    def start(self, title: str, steps: int, step: int) -> None: ...

    def advance(self, step: int) -> None: ...

    def record(self, record: Mapping[str, Any]) -> None: ...

    def note(self, text: str) -> None: ...

    def stop(self) -> None: ...


class Lines:
    """One line for each record."""

    def __init__(self, file: TextIO | None = None) -> None:
        self.file = file if file is not None else sys.stderr
        self.steps = 0

    def start(self, title: str, steps: int, step: int) -> None:
        self.steps = steps
        self.note(f"{title}: {steps} steps" + (f", going on at step {step}" if step else ""))

    def advance(self, step: int) -> None: ...

    def record(self, record: Mapping[str, Any]) -> None:
        self.note(sentence(record, self.steps))

    def note(self, text: str) -> None:
        print(text, file=self.file, flush=True)

    def stop(self) -> None: ...


class Bars:
    """A bar over the run, and a line for each epoch above it."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        self.bar = Progress(
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
            TextColumn("{task.fields[last]}"), console=Console(stderr=True),
        )  # fmt: skip
        self.task: Any = None
        self.steps = 0

    def start(self, title: str, steps: int, step: int) -> None:
        self.steps = steps
        self.task = self.bar.add_task(title, total=steps, completed=step, last="")
        self.bar.start()

    def advance(self, step: int) -> None:
        self.bar.update(self.task, completed=step)

    def record(self, record: Mapping[str, Any]) -> None:
        if record["kind"] == "step":
            self.bar.update(self.task, last=f"loss {record['loss']:.4f}")
        else:
            self.note(sentence(record, self.steps))

    def note(self, text: str) -> None:
        self.bar.console.print(text, highlight=False, markup=False)

    def stop(self) -> None:
        self.bar.stop()


def sentence(record: Mapping[str, Any], steps: int) -> str:
    """A record as one line."""
    if record["kind"] == "note":
        return str(record["text"])
    if record["kind"] == "step":
        return f"  step {record['step']}/{steps}  loss {record['loss']:.4f}  lr {record['lr']:.2e}"
    words = [f"epoch {record['epoch']:>3}", f"step {record['step']}/{steps}", f"loss {record['train_loss']:.4f}"]
    for part in ("validation", "test"):
        if f"{part}_accuracy" in record:
            words.append(f"{part} {record[f'{part}_accuracy']:.2f} %")
        elif f"{part}_loss" in record:
            words.append(f"{part} loss {record[f'{part}_loss']:.4f}")
    if "nfe_forward" in record:
        words.append(f"NFE {record['nfe_forward']:.1f} + {record['nfe_backward']:.1f}")
    for name, share in record.get("time_share", {}).items():
        words.append(f"time share of {name} {100 * share:.2g} %")
    words.append(f"{record['images_per_second']:.0f} images/s")
    return "  ".join(words)


def make_progress(*, main: bool = True, quiet: bool = False) -> Progress:
    """Bars on a terminal, lines elsewhere, silence on other processes."""
    if quiet or not main:
        return Silent()
    return Bars() if sys.stderr.isatty() else Lines()
