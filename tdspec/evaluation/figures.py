"""The metrics there are, and an evaluation: figures with their conditions, as a table, as JSON, as a file."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

from tdspec.language.sampler import OPTIONS
from tdspec.text.suggest import nearest

SAMPLES, TEST, NOISE = "samples", "test images", "noise"  # the sets of images that are measured


class Column(NamedTuple):
    """How a figure is shown: title, format, and what it is."""

    title: str
    form: str
    about: str = ""


# Options of images that are drawn.
DRAWN = ("count", "sampler", *(option.key for option in OPTIONS), "labels", "guidance", "seed", "batch")
LOOKED = (*DRAWN, "samples")  # and of those that are there


class Metric(NamedTuple):
    """A metric's figures by name, and the options it heeds, other than which weights and which device."""

    columns: Mapping[str, Column]
    options: Sequence[str]

    @property
    def looks(self) -> bool:
        """Whether it looks at images that a diffusion model makes."""
        return "samples" in self.options


METRICS: dict[str, Metric] = {
    "frechet": Metric({
        "frechet": Column("Fréchet distance", "{:.3f}"),
        "recognised": Column("recognised", "{:.1f} %", "images of which the classifier is sure by more than 0.8"),
        "rarest": Column("rarest class", "{:.2f}", "the least of the classes' shares, over its share in training"),
    }, (*LOOKED, "cache")),
    "fid": Metric({"fid": Column("FID", "{:.2f}")}, (*LOOKED, "weights")),
    "is": Metric({"is": Column("IS", "{:.3f}"), "is_std": Column("IS std", "{:.3f}")}, (*LOOKED, "weights")),
    "kid": Metric({"kid": Column("KID", "{:.5f}"), "kid_std": Column("KID std", "{:.5f}")}, (*LOOKED, "weights")),
    "nll": Metric({
        "nll": Column("bits per dimension", "{:.3f}"),
        "nll_error": Column("standard error", "{:.3f}"),
    }, ("count", "batch", "seed")),
    "loss": Metric({
        "loss": Column("loss", "{:.4f}"),
        "accuracy": Column("accuracy", "{:.2f} %"),
        "nfe": Column("NFE", "{:.1f}"),
    }, ()),
}  # fmt: skip
COLUMNS = {name: column for metric in METRICS.values() for name, column in metric.columns.items()}


@dataclass(frozen=True)
class Figures:
    """What a metric has measured.

    values      by set of images and name of the figure
    counts      images in each of these sets
    conditions  all that the values depend on, beside the images; JSON
    about       the same in sentences
    notes       reasons to doubt them
    """

    values: Mapping[str, Mapping[str, float]]
    counts: Mapping[str, int]
    conditions: Mapping[str, Any]
    about: Sequence[str] = ()
    notes: Sequence[str] = ()


@dataclass(frozen=True)
class Evaluation:
    """The figures of a run.

    name     of the spec
    folder   of the run
    images   where the samples come from, and how they were drawn; empty if no metric looked at any
    about    the same, and which weights, in sentences
    figures  by metric, those measured together under a name like `fid,kid`
    saved    where it is kept
    """

    name: str
    folder: str
    images: Mapping[str, Any]
    about: Sequence[str]
    figures: Mapping[str, Figures]
    environment: Mapping[str, Any] = field(default_factory=dict)
    saved: str = ""

    def value(self, name: str) -> float | None:
        """A figure of the run itself: of its samples, or of its network on the test images; None if not measured."""
        for found in self.figures.values():
            for measured in (SAMPLES, TEST):
                if measured in found.values:
                    if name in found.values[measured]:
                        return found.values[measured][name]
                    break
        return None

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    def save(self, folder: Path) -> Evaluation:
        """Write `<number>-<metrics>.json` in `folder`, under a number that is free; gives itself with that name."""
        number = max((int(path.name[:4]) for path in folder.glob("[0-9][0-9][0-9][0-9]-*.json")), default=0)
        while True:
            number += 1
            path = folder / f"{number:04}-{'-'.join(self.figures).replace(',', '-')}.json"
            if any(folder.glob(f"{number:04}-*.json")):
                continue
            kept = replace(self, saved=str(path))
            try:
                with open(path, "x", encoding="utf-8") as file:
                    file.write(json.dumps(kept.as_dict(), indent=2, ensure_ascii=False) + "\n")
            except FileExistsError:
                continue
            return kept

    def table(self) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
        """Head and rows: one row for each set of images, one column for each figure."""
        measured = list(self.figures.values())
        sets = dict.fromkeys(name for found in measured for name in found.values)
        names = dict.fromkeys(name for found in measured for row in found.values.values() for name in row)
        rows = []
        for images in sets:
            values = {name: value for found in measured for name, value in found.values.get(images, {}).items()}
            count = next(found.counts[images] for found in measured if images in found.counts)
            cells = (COLUMNS[name].form.format(values[name]) if name in values else "" for name in names)
            rows.append((images, f"{count:,}", *cells))
        return ("", "images", *(COLUMNS[name].title for name in names)), rows

    def remarks(self) -> list[str]:
        """What stands below the table: what the figures are, what they depend on, and doubts."""
        shown = dict.fromkeys(name for found in self.figures.values() for row in found.values.values() for name in row)
        lines = [f"{COLUMNS[name].title}: {COLUMNS[name].about}" for name in shown if COLUMNS[name].about]
        lines = [line for found in self.figures.values() for line in found.about] + lines
        return lines + [f"note: {note}" for found in self.figures.values() for note in found.notes]


class Requirement(NamedTuple):
    """A bound on a figure: `recognised>=90`."""

    name: str
    least: bool
    bound: float

    def met(self, value: float | None) -> bool:
        """Whether a figure keeps it; one that is not a number, or was not measured, does not."""
        return value is not None and (value >= self.bound if self.least else value <= self.bound)

    def __str__(self) -> str:
        return f"{self.name}{'>=' if self.least else '<='}{self.bound:g}"


def parse_requirement(text: str) -> Requirement:
    """`recognised>=90` or `frechet<=2`. Raises `ValueError`."""
    match = re.fullmatch(r"\s*(\w+)\s*(>=|<=)\s*([-+.\w]+)\s*", text)
    if match is None:
        raise ValueError(f"`{text}` is no requirement: write recognised>=90 or frechet<=2, in quotes for the shell")
    if match[1] not in COLUMNS:
        raise ValueError(f"there is no figure `{match[1]}`{_meant(match[1], COLUMNS)}")
    try:
        bound = float(match[3])
    except ValueError:
        raise ValueError(f"`{match[3]}` is no number") from None
    return Requirement(match[1], match[2] == ">=", bound)


def parse_metrics(text: str) -> tuple[str, ...]:
    """`fid,is`. Raises `ValueError`."""
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",")))
    for name in names:
        if name not in METRICS:
            raise ValueError(f"there is no metric `{name}`{_meant(name, METRICS)}")
    return names


def _meant(name: str, known: Mapping[str, Any]) -> str:
    near = nearest(name, list(known))
    return f"; did you mean `{near}`?" if near else f": {', '.join(known)}"
