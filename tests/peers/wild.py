"""Published models that take time, as factories for `tdspec audit`; their code is not in this repository.

`diffusers` comes from PyPI. The others are files in the folder that TDSPEC_PEERS names:
odenet_mnist.py                  examples/ of github.com/rtqichen/torchdiffeq
mnist_anode.py                   experiments/mnist/ of github.com/a-norcliffe/sonode
conditional_diffusion_mnist.py   script.py of github.com/TeaPearce/Conditional_Diffusion_MNIST
"""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from torch import Tensor, nn

# What google/ddpm-cifar10-32 says in its config.json.
DDPM_CIFAR10 = {
    "sample_size": 32, "in_channels": 3, "out_channels": 3, "layers_per_block": 2,
    "block_out_channels": (128, 256, 256, 256), "attention_head_dim": None, "norm_eps": 1e-6, "downsample_padding": 0,
    "down_block_types": ("DownBlock2D", "AttnDownBlock2D", "DownBlock2D", "DownBlock2D"),
    "up_block_types": ("UpBlock2D", "UpBlock2D", "AttnUpBlock2D", "UpBlock2D"),
    "flip_sin_to_cos": False, "freq_shift": 1,
}  # fmt: skip


def path(name: str) -> Path:
    return Path(os.environ.get("TDSPEC_PEERS", "peers")) / f"{name}.py"


def load(name: str) -> ModuleType:
    """A script as a module; it reads its command line while it is imported."""
    spec = importlib.util.spec_from_file_location(name, path(name))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    kept, sys.argv = sys.argv, [name]
    try:
        spec.loader.exec_module(module)
    finally:
        sys.argv = kept
    return module


def unet(**changes: Any) -> nn.Module:
    """diffusers' U-Net for CIFAR-10, 35.7 million parameters; `changes` of its configuration."""
    from diffusers import UNet2DModel

    return UNet2DModel(**{**DDPM_CIFAR10, **changes})


def dit(layers: int = 12) -> nn.Module:
    """diffusers' DiT in the size S/2."""
    from diffusers import DiTTransformer2DModel

    return DiTTransformer2DModel(
        num_attention_heads=6, attention_head_dim=64, num_layers=layers, in_channels=4, sample_size=32, patch_size=2
    )


def odenet(norm: str = "GroupNorm") -> nn.Module:
    """The field of torchdiffeq's example, 64 channels; or with another norm in place of GroupNorm(32, 64)."""
    example = load("odenet_mnist")
    if norm != "GroupNorm":
        example.norm = getattr(nn, norm)
    field: nn.Module = example.ODEfunc(64)
    return field


def anode() -> nn.Module:
    """The field of SONODE's augmented network for MNIST, 64 channels and one of zeros."""
    field: nn.Module = load("mnist_anode").ODEfunc(65)
    return field


def context_unet() -> nn.Module:
    """The conditional U-Net for MNIST, with BatchNorm behind the embedding."""
    model: nn.Module = load("conditional_diffusion_mnist").ContextUnet(in_channels=1, n_feat=128)
    return model


class Ignoring(nn.Module):
    """Takes t and leaves it."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.SiLU(), nn.Conv2d(8, 3, 3, padding=1))

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        return self.net(x)
