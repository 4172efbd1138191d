"""A small diffusion run with all that a checkpoint must hold: EMA, dropout, rare evaluations, warm-up, clipping.

As a program it trains in a process of its own, to be killed: `python -m tests.torch.small_diffusion OUT PAUSE`.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import torch

import tdspec

SPEC = """\
tdspec: 1
name: small
defaults: {Act: SiLU, GN: {groups: 1}}
time: {argument: 1000*t, embed: [Sinusoid(8)–FC(16)–Act]}
blocks:
  Res: {pipeline: [GN–Act–Conv–Emb–GN–Act–Dropout(0.1)–Conv(init=zeros)], shortcut: [Conv1x1]}
model:
  input: [1, 8, 8]
  unet: {width: 4, multipliers: [1, 2], blocks_per_level: 1, block: Res, down: [Conv(stride=2)], up: [Up–Conv]}
  head: [GN–Act–Conv(1)]
task: {kind: diffuse}
data: {name: digits, augment: [RandomCrop(8, padding=1)]}
train:
  optimizer: {kind: adam, lr: 2e-3}
  schedule: {kind: cosine, warmup_steps: 5}
  iterations: 24
  batch_size: 256
  clip_norm: 1
  ema: {decay: 0.9}
  evaluate_every: 2
  log_every: 1
  checkpoint_steps: 4
"""


def run(out: Path, pause: float = 0.0, **options: Any) -> Path:
    """Train it; gives the run's folder."""
    options = {"on_event": lambda record: time.sleep(pause), "quiet": True, "device": "cpu"} | options
    return Path(tdspec.train(SPEC, out=out, **options).folder)  # type: ignore[union-attr]


if __name__ == "__main__":
    torch.set_num_threads(1)
    run(Path(sys.argv[1]), float(sys.argv[2]))
