"""Which part of a U-Net every layer of a compiled network is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from torch import fx, nn
from torch.nn.modules.conv import _ConvNd

from tdspec.backend.modules.attention import SelfAttention
from tdspec.backend.modules.embedding import Emb, ScaleShift
from tdspec.backend.modules.features import Fourier
from tdspec.backend.modules.low_pass import LowPass, LowPassUp
from tdspec.backend.network import Network

EMBED = "embed"  # the part of a network that makes the embedding
ATTENTION = ("query", "key", "value", "out")
RESAMPLING = (nn.Upsample, nn.AvgPool2d, LowPass, LowPassUp)


@dataclass(frozen=True)
class Slot:
    """One layer's place in a U-Net.

    part   `time`, `in`, `down`, `middle`, `up` or `out`
    level  from 0, the largest map; 0 where there are no levels
    kind   of the layer's block: `res`, `attention`, `sample` (a convolution between levels), `resample` (a residual
           block there), `pyramid` (a step of one), `project` (from one or to it); `fourier`; else as `part`
    index  of the block among its kind in its level, from 0; of the layer in `time`
    layer  `norm1`, `conv1`, `time`, `norm2`, `conv2`, `shortcut`; `norm`, `query`, `key`, `value`, `out`; `conv`;
           `blurred` (a convolution behind a low-pass filter); `fc`; `frequencies`
    order  of the block in the order of execution, from 0; in `time` and `out` every layer is a block
    """

    part: str
    level: int
    kind: str
    index: int
    layer: str
    order: int


def slots(network: Network) -> dict[str, Slot]:
    """The slot of every module with weights, by its path in the network: `unet.down_0_res_1.conv_1`.

    network  of a spec with `time.embed`, a `unet` of residual blocks (two norms and two convolutions) and a `head`
    Raises `ValueError` for a layer that has no place in such a U-Net.
    """
    found: dict[str, Slot] = {}
    uses: Counter[tuple[str, int, str]] = Counter()
    for order, (part, level, path, block) in enumerate(_blocks(network)):
        kind = _kind(part, path, block)
        index = uses[part, level, kind]
        uses[part, level, kind] += 1
        for name, layer in _layers(block, kind, path):
            found[path + name] = Slot(part, level, kind, index, layer, order)
    return found


def _blocks(network: Network) -> Iterator[tuple[str, int, str, nn.Module]]:
    """Part, level, path and module of every block with weights, in the order of execution, the embedding first."""
    outer = {EMBED: "time", "stem": "in", "head": "out"}
    for name, _ in sorted(network.plan, key=lambda step: step[0] != EMBED):
        for target, block in _calls(network.get_submodule(name)):
            part, level = outer.get(name), 0
            if part is None:  # a part of the U-Net itself, whose nodes say where they stand: `down_0_res_1`
                part, *more = target.split("_")
                level = int(more[0]) if part in ("down", "up") else 0
                part = part if part in ("down", "middle", "up") else "in"
            yield part, level, f"{name}.{target}", block


def _calls(module: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """Names and modules with weights of one level (or fixed frequencies), in the order in which they are called."""
    assert isinstance(module, fx.GraphModule)
    for node in module.graph.nodes:
        if node.op == "call_module" and module.get_submodule(node.target).state_dict():
            yield node.target, module.get_submodule(node.target)


def _kind(part: str, path: str, block: nn.Module) -> str:
    if part not in ("down", "middle", "up"):
        return "fourier" if isinstance(block, Fourier) else part
    if "_pyramid_" in path:
        return "project" if "_pyramid_project_" in path or "_pyramid_start_" in path else "pyramid"
    if not isinstance(block, fx.GraphModule):
        return "sample"
    if any(isinstance(inner, SelfAttention) for inner in block.modules()):
        return "attention"
    return "resample" if any(isinstance(inner, RESAMPLING) for inner in block.modules()) else "res"


KNOWN = {
    "time": ("fc",),
    "fourier": ("frequencies",),
    "out": ("norm", "conv"),
    "attention": ("norm", "attention"),
    "pyramid": ("conv", "blurred"),
    "project": ("norm", "conv"),
    **dict.fromkeys(("res", "resample"), ("norm1", "conv1", "time", "norm2", "conv2", "shortcut")),
}  # the layers of a kind; of all others it is one convolution


def _layers(block: nn.Module, kind: str, path: str) -> Iterator[tuple[str, str]]:
    """Path behind the block's, and layer, of everything with weights in a block."""
    alone = not isinstance(block, fx.GraphModule)
    uses: Counter[str] = Counter()
    for name, module in [("", block)] if alone else [(f".{name}", inner) for name, inner in _calls(block)]:
        title = _title(module)
        uses[title] += 1
        residual = kind in ("res", "resample")
        if residual and title == "conv" and name.startswith(".shortcut_"):
            layer, uses["conv"] = "shortcut", uses["conv"] - 1
        else:
            layer = f"{title}{uses[title]}" if residual and title in ("norm", "conv") else title
        if kind == "pyramid" and type(module) is nn.Conv2d and module.stride == (2, 2) and module.padding == (0, 0):
            layer = "blurred"  # without the filter it would leave less than half of the map
        if layer not in KNOWN.get(kind, ("conv",)) or (not alone and layer == title and uses[title] > 1):
            raise ValueError(f"`{path}{name}`, a {type(module).__name__}, has no place in a published U-Net")
        if layer == "attention":
            yield from ((f"{name}.{part}", part) for part in ATTENTION)
        else:
            yield f"{name}.projection" if layer == "time" else name, layer


def _title(module: nn.Module) -> str:
    """What a layer is; empty for what a published U-Net has not."""
    kinds = {
        nn.GroupNorm: "norm", _ConvNd: "conv", nn.Linear: "fc", Emb: "time", ScaleShift: "time",
        SelfAttention: "attention", Fourier: "frequencies",
    }  # fmt: skip
    return next((title for kind, title in kinds.items() if isinstance(module, kind)), "")
