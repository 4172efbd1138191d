"""Weights of published U-Nets: into a compiled spec, and out of it, under their own names.

    network = tdspec.compile("specs/diffusion/ddpm-cifar10.yaml")
    load_published(network, UNet2DModel.from_pretrained("google/ddpm-cifar10-32").state_dict(), "diffusers")
    unet.load_state_dict(published_state(network, "diffusers"))

There is no table of weights: the compiled network says which part of a U-Net a layer is, its slot, and
a layout says what a publisher calls that slot.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from torch import Tensor

from tdspec.backend.network import Network
from tdspec.backend.unet_slots import ATTENTION, Slot, slots

RES = ("norm1", "conv1", "time", "norm2", "conv2", "shortcut")
LAYERS = {"res": RES, "resample": RES, "attention": ("norm", *ATTENTION)}
EVERYWHERE = ("time", "in", "res", "attention", "sample", "out")  # kinds of slots that every publisher has
ATTENTION_SLOTS = tuple(("attention", layer) for layer in ATTENTION)


class Layout(NamedTuple):
    """How a publisher names the slots.

    block   the name of a slot's block, from the slot and the number of levels
    res     the layers of a residual block: norm, convolution, time, norm, convolution, shortcut
    attention  the layers of an attention block: norm, query, key, value, output
    sample  the convolution between levels
    conv    slots whose matrices are 1x1 kernels there
    nin     slots whose matrices are transposed there, and called W and b instead of weight and bias
    pyramid  the layer of a pyramid's slot, where there are such, and residual blocks that resample and Fourier features
    """

    block: Callable[[Slot, int], str]
    res: str
    attention: str
    sample: str
    conv: tuple[tuple[str, str], ...] = ()
    nin: tuple[tuple[str, str], ...] = ()
    pyramid: Callable[[Slot], str] | None = None

    def key(self, slot: Slot, leaf: str, levels: int) -> str:
        """The publisher's key of a slot's `weight` or `bias`."""
        names = {"res": self.res, "resample": self.res, "attention": self.attention}
        layer = self.sample if slot.kind == "sample" else ""
        if self.pyramid is not None and slot.kind in ("pyramid", "project"):
            layer = self.pyramid(slot)
        if slot.kind in names:
            layer = dict(zip(LAYERS[slot.kind], names[slot.kind].split(), strict=True))[slot.layer]
        if (slot.kind, slot.layer) in self.nin or slot.kind == "fourier":
            leaf = {"weight": "W", "bias": "b", "frequencies": "W"}[leaf]
        return ".".join(filter(None, (self.block(slot, levels), layer, leaf)))


def _diffusers(slot: Slot, levels: int) -> str:
    within = {"res": "resnets", "attention": "attentions"}.get(slot.kind, f"{slot.part}samplers")
    return {
        "time": f"time_embedding.linear_{slot.index + 1}",
        "in": "conv_in",
        "down": f"down_blocks.{slot.level}.{within}.{slot.index}",
        "middle": f"mid_block.{within}.{slot.index}",
        "up": f"up_blocks.{levels - 1 - slot.level}.{within}.{slot.index}",
        "out": "conv_out" if slot.layer == "conv" else "conv_norm_out",
    }[slot.part]


def _ddim(slot: Slot, levels: int) -> str:
    within = {"res": "block", "attention": "attn"}.get(slot.kind, "")
    level = f"{within}.{slot.index}" if within else f"{slot.part}sample"
    return {
        "time": f"temb.dense.{slot.index}",
        "in": "conv_in",
        "middle": f"mid.{within}_{slot.index + 1}",
        "out": f"{slot.layer}_out",
    }.get(slot.part, f"{slot.part}.{slot.level}.{level}")


def _score_sde(slot: Slot, levels: int) -> str:
    return f"all_modules.{slot.order}"


def _ncsnpp_pyramid(slot: Slot) -> str:
    if slot.kind == "project" and slot.part == "up":
        return ""  # norm and convolution stand there alone
    return "Conv2d_0" if slot.layer == "blurred" else "Conv_0"


LAYOUTS = {
    # UNet2DModel of github.com/huggingface/diffusers
    "diffusers": Layout(
        _diffusers, "norm1 conv1 time_emb_proj norm2 conv2 conv_shortcut", "group_norm to_q to_k to_v to_out.0", "conv"
    ),
    # models/diffusion.py of github.com/ermongroup/ddim
    "ddim": Layout(
        _ddim, "norm1 conv1 temb_proj norm2 conv2 nin_shortcut", "norm q k v proj_out", "conv", conv=ATTENTION_SLOTS
    ),
    # models/ddpm.py of github.com/yang-song/score_sde_pytorch
    "score_sde": Layout(
        _score_sde, "GroupNorm_0 Conv_0 Dense_0 GroupNorm_1 Conv_1 NIN_0", "GroupNorm_0 NIN_0 NIN_1 NIN_2 NIN_3",
        "Conv_0", nin=(*ATTENTION_SLOTS, ("res", "shortcut")),
    ),
    # models/ncsnpp.py of the same, DDPM++ and NCSN++, with `resblock_type` biggan
    "ncsnpp": Layout(
        _score_sde, "GroupNorm_0 Conv_0 Dense_0 GroupNorm_1 Conv_1 Conv_2", "GroupNorm_0 NIN_0 NIN_1 NIN_2 NIN_3",
        "Conv_0", nin=ATTENTION_SLOTS, pyramid=_ncsnpp_pyramid,
    ),
}  # fmt: skip

NO_WEIGHTS = {"sigmas"}  # a buffer of score_sde's, which its forward pass does not read
# What diffusers called the maps of attention up to 0.14, as the files of google/ddpm-cifar10-32 do.
DEPRECATED = {"query": "to_q", "key": "to_k", "value": "to_v", "proj_attn": "to_out.0"}


def published_state(network: Network, layout: str = "diffusers") -> dict[str, Tensor]:
    """A copy of a compiled U-Net's weights under the names and in the shapes of a publisher.

    layout  a name of `LAYOUTS`: `diffusers`, `ddim`, `score_sde` or `ncsnpp`
    Raises `ValueError` if the network has a layer that published U-Nets have not.
    """
    ours = network.state_dict()
    found = {}
    for key, (theirs, form) in key_map(network, layout).items():
        value = ours[key].detach()
        if form == "conv":
            value = value[..., None, None]
        elif form == "nin":
            value = value.flatten(1).T
        found[theirs] = value.contiguous().clone()
    return found


def load_published(network: Network, state: Mapping[str, Tensor], layout: str = "diffusers") -> None:
    """Load a publisher's weights into a compiled U-Net; in diffusers' layout also those saved before 0.15.

    state   every weight by the publisher's name
    layout  as for `published_state`
    Raises `ValueError` if the network has a layer that published U-Nets have not, or if names are missing
    or left over; torch's `RuntimeError` if a shape differs.
    """
    if layout == "diffusers":
        old = rf"(attentions\.\d+)\.({'|'.join(DEPRECATED)})\."
        state = {re.sub(old, lambda m: f"{m[1]}.{DEPRECATED[m[2]]}.", key): value for key, value in state.items()}
    keys = key_map(network, layout)
    names = {theirs for theirs, _ in keys.values()}
    _refuse("the state has no", names - state.keys())
    _refuse("the network has no place for", state.keys() - names - NO_WEIGHTS)
    ours = network.state_dict()
    for key, (theirs, form) in keys.items():
        value = state[theirs].T if form == "nin" and state[theirs].dim() == 2 else state[theirs]
        # A matrix and a 1x1 kernel hold the same numbers; whatever else differs, torch refuses.
        ours[key] = value.reshape(ours[key].shape) if form and value.numel() == ours[key].numel() else value
    network.load_state_dict(ours)


def key_map(network: Network, layout: str = "diffusers") -> dict[str, tuple[str, str]]:
    """For every key of the network's state dict the publisher's, and a matrix's form there, `conv`, `nin` or none."""
    if layout not in LAYOUTS:
        raise ValueError(f"there is no layout `{layout}`; there are {', '.join(LAYOUTS)}")
    scheme = LAYOUTS[layout]
    places = slots(network)
    levels = 1 + max(slot.level for slot in places.values())
    found: dict[str, tuple[str, str]] = {}
    taken: dict[str, str] = {}
    for key in network.state_dict():
        path, _, leaf = key.rpartition(".")
        if path not in places:
            raise ValueError(f"`{key}` has no place in a published U-Net")
        slot = places[path]
        if slot.kind not in EVERYWHERE and scheme.pyramid is None:
            raise ValueError(f"`{key}` has no place in a U-Net of the layout `{layout}`")
        place = (slot.kind, slot.layer)
        form = "conv" if place in scheme.conv else "nin" if place in scheme.nin else ""
        theirs = scheme.key(slot, leaf, levels)
        if theirs in taken:
            raise ValueError(f"`{key}` and `{taken[theirs]}` have one place in a published U-Net")
        taken[theirs] = key
        found[key] = (theirs, form if leaf == "weight" else "")
    return found


def _refuse(what: str, names: Iterable[str]) -> None:
    if found := sorted(names):
        more = f" and {len(found) - 3} more" if len(found) > 3 else ""
        raise ValueError(f"{what} {', '.join(f'`{name}`' for name in found[:3])}{more}")
