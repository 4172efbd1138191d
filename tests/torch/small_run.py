"""A small run with all that a checkpoint must hold: dropout, batch norm, an ODE, EMA, augmentation, warm-up.

As a program it trains in a process of its own, to be killed: `python small_run.py OUT [key=value ...]`.
"""

from __future__ import annotations

import dataclasses
import json
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor, nn

from tdspec.backend.ode import ODE
from tdspec.language.data import Data
from tdspec.language.training import Adam, Classify, Ema, Plateau, Train
from tdspec.text.source import Source
from tdspec.text.syntax import Argument, Number, Pipeline, Step


class Field(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels + 1, channels, 3, padding=1)
        self.norm = nn.GroupNorm(1, channels)

    def forward(self, t: Tensor, y: Tensor) -> Tensor:
        return torch.tanh(self.norm(self.conv(torch.cat([t.expand_as(y[:, :1]), y], 1))))


class SmallNode(nn.Module):
    """A neural ODE on 4x4 maps, with batch norm in front and dropout behind."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(1, 8, 3, stride=2, padding=1), nn.BatchNorm2d(8), nn.ReLU())
        self.ode = ODE(Field(8), rtol=1e-1, atol=1e-1)
        self.head = nn.Sequential(nn.Flatten(), nn.Dropout(0.2), nn.Linear(128, 10))

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.ode(self.stem(x)))


def pipeline(*steps: tuple[str, dict[str, float]]) -> Pipeline:
    """A syntax tree without its text."""
    span = Source("<test>", "").whole()
    return Pipeline(
        tuple(
            Step(
                name,
                None,
                tuple(Argument(key, Number(value, span), span) for key, value in arguments.items()),
                1,
                span,
                span,
            )
            for name, arguments in steps
        ),
        span,
    )


def small_spec(data: Any = None, **train: Any) -> Any:
    """What the runner asks of a spec, without the language around it."""
    settings: dict[str, Any] = {
        "optimizer": Adam(lr=2e-3), "schedule": Plateau(patience=1, warmup_steps=5), "epochs": 2, "batch_size": 256,
        "ema": Ema(0.9), "log_every": 1, "checkpoint_steps": 4,
    }  # fmt: skip
    settings |= train
    section = Train(**settings)
    augment = pipeline(("RandomCrop", {"size": 8, "padding": 1}), ("HorizontalFlip", {"p": 0.1}), ("Normalize", {}))
    data = data if data is not None else Data(name="digits", augment=augment)
    plain = {"train": dataclasses.asdict(section), "data": {"name": data.name, "root": data.root}}
    text = json.dumps(plain, default=str)
    return SimpleNamespace(
        name="small", task=Classify(), data=data, train=section, input=(1, 8, 8), text=text, hash=f"{hash_of(text):08x}"
    )


def hash_of(text: str) -> int:
    import zlib

    return zlib.crc32(text.encode())


def main(out: str, *options: str) -> None:
    from tdspec.training import train

    torch.set_num_threads(1)
    settings = dict(option.split("=") for option in options)
    pause = float(settings.pop("pause", 0))
    resume = settings.pop("resume", None)
    device = settings.pop("device", "cpu")
    section = {name: json.loads(value) for name, value in settings.items()}

    def listen(record: Any) -> None:
        time.sleep(pause)

    model = Plain if section.pop("plain", False) else SmallNode
    if model is Plain:
        section |= {"ema": None}
    spec = small_spec(Data(name="digits", augment=pipeline(("Normalize", {}))) if model is Plain else None, **section)
    result = train(
        spec, out=Path(out), resume=resume, device=device, model_factory=model, on_event=listen, time_share=None
    )
    print(result)


class Plain(nn.Module):
    """Neither dropout nor batch statistics: many processes must agree with one."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(1, 8, 3, stride=2, padding=1)
        self.ode = ODE(Field(8), method="rk4", steps=2)
        self.head = nn.Linear(128, 10)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.ode(self.stem(x)).flatten(1))


if __name__ == "__main__":
    main(*sys.argv[1:])
