"""Which part of a U-Net every layer of a compiled network is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from torch import fx, nn
from torch.nn.modules.conv import _ConvNd

from tdspec.backend.modules.attention import SelfAttention
from tdspec.backend.modules.embedding import Emb
from tdspec.backend.network import Network

EMBED = "embed"  # the part of a network that makes the embedding
ATTENTION = ("query", "key", "value", "out")


class Slot(NamedTuple):
    """One layer's place in a U-Net.

    part   `time`, `in`, `down`, `middle`, `up` or `out`
    level  from 0, the largest map; 0 where there are no levels
    kind   of the layer's block: `res`, `attention`, `sample` (between levels); else as `part`
    index  of the block among its kind in its level, from 0; of the layer in `time`
    layer  `norm1`, `conv1`, `time`, `norm2`, `conv2`, `shortcut`; `norm`, `query`, `key`, `value`, `out`; `conv`; `fc`
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
        kind = _kind(part, block)
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
    """Names and modules with weights of one level, in the order in which they are called."""
    assert isinstance(module, fx.GraphModule)
    for node in module.graph.nodes:
        if node.op == "call_module" and any(True for _ in module.get_submodule(node.target).parameters()):
            yield node.target, module.get_submodule(node.target)


def _kind(part: str, block: nn.Module) -> str:
    if part in ("down", "middle", "up"):
        if not isinstance(block, fx.GraphModule):
            return "sample"
        return "attention" if any(isinstance(inner, SelfAttention) for inner in block.modules()) else "res"
    return part


def _layers(block: nn.Module, kind: str, path: str) -> Iterator[tuple[str, str]]:
    """Path behind the block's, and layer, of everything with weights in a block."""
    alone = not isinstance(block, fx.GraphModule)
    uses: Counter[str] = Counter()
    for name, module in [("", block)] if alone else [(f".{name}", inner) for name, inner in _calls(block)]:
        title = _title(module)
        uses[title] += 1
        if kind == "res" and title == "conv" and name.startswith(".shortcut_"):
            layer, uses["conv"] = "shortcut", uses["conv"] - 1
        else:
            layer = f"{title}{uses[title]}" if kind == "res" and title in ("norm", "conv") else title
        known = {"time": ("fc",), "out": ("norm", "conv"), "attention": ("norm", "attention")}.get(kind, ("conv",))
        if kind == "res":
            known = ("norm1", "conv1", "time", "norm2", "conv2", "shortcut")
        if layer not in known or (not alone and layer == title and uses[title] > 1):
            raise ValueError(f"`{path}{name}`, a {type(module).__name__}, has no place in a published U-Net")
        if layer == "attention":
            yield from ((f"{name}.{part}", part) for part in ATTENTION)
        else:
            yield f"{name}.projection" if layer == "time" else name, layer


def _title(module: nn.Module) -> str:
    """What a layer is; empty for what a published U-Net has not."""
    kinds = {nn.GroupNorm: "norm", _ConvNd: "conv", nn.Linear: "fc", Emb: "time", SelfAttention: "attention"}
    return next((title for kind, title in kinds.items() if isinstance(module, kind)), "")
