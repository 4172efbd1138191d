"""Other people's U-Nets of DDPM for CIFAR-10, from copies outside of this repository.

ddim       github.com/ermongroup/ddim, checked out in the folder TDSPEC_PEERS as `ddim`
score_sde  github.com/yang-song/score_sde_pytorch, there as `score_sde_pytorch`
diffusers  the installed package (`pip install diffusers`)
"""

from __future__ import annotations

import importlib
import math
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor, nn

Call = Callable[[Tensor, Tensor], Tensor]


class Peer(NamedTuple):
    """One of them.

    network   with weights of its own
    call      the noise that it predicts, from x and t
    patched   the module and the name of its sinusoid, which is of float32
    """

    network: nn.Module
    call: Call
    patched: tuple[ModuleType, str]


def folder() -> Path:
    return Path(os.environ.get("TDSPEC_PEERS", "peers"))


@contextmanager
def imported(root: Path, name: str) -> Iterator[ModuleType]:
    """A module of a checkout; its packages, which have everyday names, are forgotten afterwards."""
    if not root.exists():
        pytest.skip(f"set TDSPEC_PEERS to a folder with a checkout `{root.name}`; {root} is not there")
    known = set(sys.modules)
    sys.path.insert(0, str(root))
    try:
        yield importlib.import_module(name)
    finally:
        sys.path.remove(str(root))
        for other in set(sys.modules) - known:
            if other.partition(".")[0] in ("models", "sde_lib"):
                del sys.modules[other]


def diffusers() -> Peer:
    """UNet2DModel with the configuration of google/ddpm-cifar10-32."""
    package = pytest.importorskip("diffusers", reason="install diffusers, or put it on PYTHONPATH")
    network = package.UNet2DModel(
        sample_size=32, in_channels=3, out_channels=3, layers_per_block=2, block_out_channels=(128, 256, 256, 256),
        down_block_types=("DownBlock2D", "AttnDownBlock2D", "DownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "UpBlock2D", "AttnUpBlock2D", "UpBlock2D"),
        attention_head_dim=None, norm_eps=1e-6, downsample_padding=0, flip_sin_to_cos=False, freq_shift=1,
    )  # fmt: skip
    embeddings = importlib.import_module("diffusers.models.embeddings")
    return Peer(network, lambda x, t: network(x, t).sample, (embeddings, "get_timestep_embedding"))


def ddim() -> Peer:
    """Model of models/diffusion.py with configs/cifar10.yml."""
    model = SimpleNamespace(
        type="simple", ch=128, out_ch=3, ch_mult=[1, 2, 2, 2], num_res_blocks=2, attn_resolutions=[16], dropout=0.1,
        in_channels=3, resamp_with_conv=True,
    )  # fmt: skip
    config = SimpleNamespace(
        model=model, data=SimpleNamespace(image_size=32), diffusion=SimpleNamespace(num_diffusion_timesteps=1000)
    )
    with imported(folder() / "ddim", "models.diffusion") as module:
        network = module.Model(config)
        return Peer(network, network, (module, "get_timestep_embedding"))


def score_sde() -> Peer:
    """DDPM of models/ddpm.py with configs/vp/ddpm/cifar10.py."""
    model = SimpleNamespace(
        nonlinearity="swish", nf=128, ch_mult=(1, 2, 2, 2), num_res_blocks=2, attn_resolutions=(16,), dropout=0.1,
        resamp_with_conv=True, conditional=True, scale_by_sigma=False, sigma_min=0.01, sigma_max=50, num_scales=1000,
    )  # fmt: skip
    config = SimpleNamespace(model=model, data=SimpleNamespace(image_size=32, centered=True, num_channels=3))
    with imported(folder() / "score_sde_pytorch", "models.ddpm") as module:
        network = module.DDPM(config)
        return Peer(network, network, (module.layers, "get_timestep_embedding"))


PEERS: dict[str, Callable[[], Peer]] = {"diffusers": diffusers, "ddim": ddim, "score_sde": score_sde}


def sinusoid(timesteps: Tensor, dim: int, *_: Any, **__: Any) -> Tensor:
    """Their common sinusoid in float64: the frequencies from 1 to 1/10000, sines first."""
    half = dim // 2
    frequencies = torch.exp(-math.log(10000) / (half - 1) * torch.arange(half, dtype=torch.float64))
    angle = timesteps.double()[:, None] * frequencies
    return torch.cat((angle.sin(), angle.cos()), dim=1)


def redraw(network: nn.Module) -> None:
    """Draw every weight anew, none zero and none like another, so that each one counts in the output."""
    generator = torch.Generator().manual_seed(0)
    for module in network.modules():
        for name, parameter in module.named_parameters(recurse=False):
            noise = torch.randn(parameter.shape, generator=generator, dtype=parameter.dtype)
            if parameter.dim() > 1:
                parameter.data = noise / math.sqrt(3 * parameter[0].numel())  # as spread as PyTorch's own start
            else:
                parameter.data = 0.1 * noise + (isinstance(module, nn.GroupNorm) and name == "weight")
