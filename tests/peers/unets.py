"""Other people's U-Nets for CIFAR-10, from copies outside of this repository.

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
    call      what it predicts, from x and t as the shipped spec's network takes them
    patched   the module and the name of its sinusoid, which is of float32
    times     two values of t
    """

    network: nn.Module
    call: Call
    patched: tuple[ModuleType, str]
    times: tuple[float, float] = (3.0, 977.0)


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
            if other.partition(".")[0] in ("models", "sde_lib", "op"):
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


def improved_ddpm() -> Peer:
    """UNet2DModel with the configuration of Improved DDPM for CIFAR-10; time scales and shifts."""
    package = pytest.importorskip("diffusers", reason="install diffusers, or put it on PYTHONPATH")
    network = package.UNet2DModel(
        sample_size=32, in_channels=3, out_channels=6, layers_per_block=3, block_out_channels=(128, 256, 256, 256),
        down_block_types=("DownBlock2D", "AttnDownBlock2D", "AttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "AttnUpBlock2D", "AttnUpBlock2D", "UpBlock2D"), attention_head_dim=64,
        resnet_time_scale_shift="scale_shift", attn_norm_num_groups=32, flip_sin_to_cos=True, freq_shift=0,
    )  # fmt: skip
    embeddings = importlib.import_module("diffusers.models.embeddings")
    patched = (embeddings, "get_timestep_embedding")
    return Peer(network, lambda x, t: network(x, 1000 * t).sample, patched, times=(0.003, 0.977))


NCSNPP = {
    "nonlinearity": "swish", "nf": 128, "ch_mult": (1, 2, 2, 2), "num_res_blocks": 4, "attn_resolutions": (16,),
    "dropout": 0.1, "resamp_with_conv": True, "conditional": True, "fir": False, "fir_kernel": [1, 3, 3, 1],
    "skip_rescale": True, "resblock_type": "biggan", "progressive": "none", "progressive_input": "none",
    "progressive_combine": "sum", "init_scale": 0.0, "embedding_type": "positional", "fourier_scale": 16,
    "scale_by_sigma": False, "sigma_min": 0.01, "sigma_max": 50, "num_scales": 1000,
}  # fmt: skip


def ncsnpp(size: int = 32, centered: bool = True, **model: Any) -> tuple[nn.Module, ModuleType]:
    """NCSNpp of models/ncsnpp.py, and its module; by default with configs/vp/cifar10_ddpmpp_continuous.py.

    Its filters are compiled for a GPU on import: that is left out, and the CPU's way is taken in any dtype.
    """
    config = SimpleNamespace(
        model=SimpleNamespace(**{**NCSNPP, **model}),
        data=SimpleNamespace(image_size=size, centered=centered, num_channels=3),
        training=SimpleNamespace(continuous=True),
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("torch.utils.cpp_extension.load", lambda *_, **__: None)
        with imported(folder() / "score_sde_pytorch", "models.ncsnpp") as module:
            filters = module.layerspp.up_or_down_sampling
            plain = filters.upfirdn2d
            filters.upfirdn2d = lambda x, kernel, **more: plain(x, kernel.to(x.dtype), **more)
            return module.NCSNpp(config), module


def ddpmpp() -> Peer:
    network, module = ncsnpp()
    return Peer(network, lambda x, t: network(x, 999 * t), (module.layers, "get_timestep_embedding"), (0.003, 0.977))


def ncsnpp_ve() -> Peer:
    """configs/ve/cifar10_ncsnpp_continuous.py, which takes images in [0, 1] and divides by sigma."""
    network, module = ncsnpp(
        centered=False, fir=True, progressive_input="residual", embedding_type="fourier", scale_by_sigma=True
    )

    def call(x: Tensor, t: Tensor) -> Tensor:
        sigma = torch.exp(math.log(0.01) + t.double() * math.log(5000)).to(x.dtype)
        found: Tensor = network((x + 1) / 2, sigma)
        return found * sigma[:, None, None, None]

    return Peer(network, call, (module.layers, "get_timestep_embedding"), (0.1, 0.9))


PEERS: dict[str, Callable[[], Peer]] = {
    "diffusers": diffusers, "ddim": ddim, "score_sde": score_sde, "improved_ddpm": improved_ddpm, "ddpmpp": ddpmpp,
    "ncsnpp_ve": ncsnpp_ve,
}  # fmt: skip


def sinusoid(
    timesteps: Tensor, dim: int, flip_sin_to_cos: bool = False, downscale_freq_shift: float = 1, *_: Any, **__: Any
) -> Tensor:
    """Their common sinusoid in float64: frequencies from 1 to 1/10000 or a step short of it, sines first or cosines."""
    half = dim // 2
    frequencies = torch.exp(-math.log(10000) / (half - downscale_freq_shift) * torch.arange(half, dtype=torch.float64))
    angle = timesteps.double()[:, None] * frequencies
    halves = (angle.cos(), angle.sin()) if flip_sin_to_cos else (angle.sin(), angle.cos())
    return torch.cat(halves, dim=1)


def redraw(network: nn.Module) -> None:
    """Draw every learned weight anew, none zero and none like another, so that each one counts in the output."""
    generator = torch.Generator().manual_seed(0)
    for module in network.modules():
        for name, parameter in module.named_parameters(recurse=False):
            if not parameter.requires_grad:
                continue  # the frequencies of features
            noise = torch.randn(parameter.shape, generator=generator, dtype=parameter.dtype)
            if parameter.dim() > 1:
                parameter.data = noise / math.sqrt(3 * parameter[0].numel())  # as spread as PyTorch's own start
            else:
                parameter.data = 0.1 * noise + (isinstance(module, nn.GroupNorm) and name == "weight")
