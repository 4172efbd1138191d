"""torchdiffeq's odenet_mnist example, imported from a copy outside of this repository.

Set TDSPEC_PEERS to a folder that holds `odenet_mnist.py` (examples/ of github.com/rtqichen/torchdiffeq).
"""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType

import torch
from torch import nn


def path() -> Path:
    return Path(os.environ.get("TDSPEC_PEERS", "peers")) / "odenet_mnist.py"


def load(adjoint: bool = False) -> ModuleType:
    """The example as a module; it reads its command line while it is imported."""
    arguments = ["odenet_mnist", "--downsampling-method", "res", "--adjoint", str(adjoint)]
    spec = importlib.util.spec_from_file_location("odenet_mnist", path())
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    kept, sys.argv = sys.argv, arguments
    try:
        spec.loader.exec_module(module)
    finally:
        sys.argv = kept
    return module


def network(example: ModuleType) -> nn.Sequential:
    """The example's network with the residual stem, as its main part builds it."""
    stem = [
        nn.Conv2d(1, 64, 3, 1),
        *(example.ResBlock(64, 64, stride=2, downsample=example.conv1x1(64, 64, 2)) for _ in range(2)),
    ]
    ode = example.ODEBlock(example.ODEfunc(64))
    head = [
        example.norm(64),
        nn.ReLU(inplace=True),
        nn.AdaptiveAvgPool2d((1, 1)),
        example.Flatten(),
        nn.Linear(64, 10),
    ]
    return nn.Sequential(*stem, ode, *head)


# Our names by the example's, for the parts that have parameters.
NAMES = {
    "0.": "stem.conv_1.",
    **{
        f"{index}.{theirs}": f"stem.res_down_{index}.{ours}"
        for index in (1, 2)
        for theirs, ours in {
            "norm1.": "gn_1.",
            "conv1.": "conv_1.",
            "norm2.": "gn_2.",
            "conv2.": "conv_2.",
            "downsample.": "shortcut_conv_1.",
        }.items()
    },
    **{f"3.odefunc.norm{index}.": f"ode.field.gn_{index}." for index in (1, 2, 3)},
    **{f"3.odefunc.conv{index}._layer.": f"ode.field.concat_conv_{index}." for index in (1, 2)},
    "4.": "head.gn_1.",
    "8.": "head.fc_1.",
}


def renamed(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The example's state dict under our names."""
    found = {}
    for key, value in state.items():
        prefix = max((name for name in NAMES if key.startswith(name)), key=len)
        found[NAMES[prefix] + key.removeprefix(prefix)] = value
    return found
