"""Tests run many small modules: threads that wait for each other only cost time."""

from __future__ import annotations

import torch

torch.set_num_threads(1)
