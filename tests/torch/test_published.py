"""Names and shapes of published U-Nets' weights: a key map that is a bijection, and what it refuses."""

from __future__ import annotations

import pytest
import torch

import tdspec
from tdspec.backend.network import Network
from tdspec.backend.published import LAYOUTS, key_map, load_published, published_state
from tests.torch.test_unet import BIGGAN

WIDTHS, BLOCKS = (8, 16), 2
SMALL = """
tdspec: 1
defaults: {Act: SiLU, GN: {groups: 4}}
time: {embed: [Sinusoid(8)–FC(12)–Act–FC(12)]}
blocks:
  Res: {pipeline: [GN–Act–Conv–Emb–GN–Act–Conv], shortcut: [Conv1x1]}
  Attn: {pipeline: [GN–SelfAttn], residual: true}
model:
  input: [3, 8, 8]
  unet:
    width: 8
    multipliers: [1, 2]
    blocks_per_level: 2
    block: Res
    attention: {block: Attn, at: [4]}
    middle: [Res–Attn–Res]
    down: [Conv(stride=2, padding=same_upper)]
    up: [Up–Conv]
  head: [GN–Act–Conv(3)]
"""
RES = ("norm1", "conv1", "time_emb_proj", "norm2", "conv2")
ATTENTION = ("group_norm", "to_q", "to_k", "to_v", "to_out.0")


def diffusers_shapes() -> dict[str, tuple[int, ...]]:
    """Every weight of diffusers' UNet2DModel with widths 8 and 16, by the loops of its own constructor."""
    shapes: dict[str, tuple[int, ...]] = {}

    def layer(name: str, *weight: int) -> None:
        shapes[f"{name}.weight"] = weight
        shapes[f"{name}.bias"] = weight[:1]

    def resnet(name: str, before: int, after: int) -> None:
        layer(f"{name}.norm1", before)
        layer(f"{name}.conv1", after, before, 3, 3)
        layer(f"{name}.time_emb_proj", after, 12)
        layer(f"{name}.norm2", after)
        layer(f"{name}.conv2", after, after, 3, 3)
        if before != after:
            layer(f"{name}.conv_shortcut", after, before, 1, 1)

    def attention(name: str, channels: int) -> None:
        layer(f"{name}.group_norm", channels)
        for part in ATTENTION[1:]:
            layer(f"{name}.{part}", channels, channels)

    layer("conv_in", 8, 3, 3, 3)
    layer("time_embedding.linear_1", 12, 8)
    layer("time_embedding.linear_2", 12, 12)
    for level, width in enumerate(WIDTHS):
        for index in range(BLOCKS):
            resnet(f"down_blocks.{level}.resnets.{index}", WIDTHS[max(level - 1, 0)] if index == 0 else width, width)
            if level == 1:
                attention(f"down_blocks.{level}.attentions.{index}", width)
    layer("down_blocks.0.downsamplers.0.conv", 8, 8, 3, 3)
    for index in range(2):
        resnet(f"mid_block.resnets.{index}", 16, 16)
    attention("mid_block.attentions.0", 16)
    for block, width in enumerate(reversed(WIDTHS)):
        for index in range(BLOCKS + 1):
            skip = WIDTHS[max(1 - block - 1, 0)] if index == BLOCKS else width
            before = 16 if index == 0 else width
            resnet(f"up_blocks.{block}.resnets.{index}", before + skip, width)
            if block == 0:
                attention(f"up_blocks.{block}.attentions.{index}", width)
    layer("up_blocks.0.upsamplers.0.conv", 16, 16, 3, 3)
    layer("conv_norm_out", 8)
    layer("conv_out", 3, 8, 3, 3)
    return shapes


def network(text: str = SMALL, seed: int = 0) -> Network:
    torch.manual_seed(seed)
    return tdspec.compile(text).eval()


def output(of: Network) -> torch.Tensor:
    x = torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        return of(x, torch.tensor([3.0, 500.0]))


def test_diffusers_names_and_shapes() -> None:
    state = published_state(network(), "diffusers")
    assert {name: tuple(value.shape) for name, value in state.items()} == diffusers_shapes()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_there_and_back_is_the_same_network(layout: str) -> None:
    one, other = network(seed=0), network(seed=1)
    assert not torch.equal(output(one), output(other))
    state = published_state(one, layout)
    load_published(other, state, layout)
    assert torch.equal(output(one), output(other))
    assert len(state) == len(one.state_dict())
    for value in state.values():  # a copy: whoever changes it leaves the network as it is
        value.zero_()
    assert torch.equal(output(one), output(other))


@pytest.mark.parametrize(
    ("layout", "ours", "theirs", "shape"),
    [
        ("diffusers", "unet.up_1_res_1.conv_1.weight", "up_blocks.0.resnets.0.conv1.weight", (16, 32, 3, 3)),
        ("diffusers", "unet.up_1_conv_1.bias", "up_blocks.0.upsamplers.0.conv.bias", (16,)),
        ("ddim", "unet.up_1_res_1.conv_1.weight", "up.1.block.0.conv1.weight", (16, 32, 3, 3)),
        ("ddim", "unet.down_0_conv_1.weight", "down.0.downsample.conv.weight", (8, 8, 3, 3)),
        ("ddim", "unet.middle_attn_1.self_attn_1.out.weight", "mid.attn_1.proj_out.weight", (16, 16, 1, 1)),
        ("ddim", "embed.fc_2.weight", "temb.dense.1.weight", (12, 12)),
        ("ddim", "head.gn_1.weight", "norm_out.weight", (8,)),
        ("score_sde", "embed.fc_2.bias", "all_modules.1.bias", (12,)),
        ("score_sde", "unet.conv_1.weight", "all_modules.2.weight", (8, 3, 3, 3)),
        ("score_sde", "unet.down_0_conv_1.weight", "all_modules.5.Conv_0.weight", (8, 8, 3, 3)),
        ("score_sde", "unet.down_1_res_1.shortcut_conv_1.weight", "all_modules.6.NIN_0.W", (8, 16)),
        ("score_sde", "unet.down_1_attn_1.self_attn_1.value.bias", "all_modules.7.NIN_2.b", (16,)),
    ],
)
def test_some_names_and_shapes(layout: str, ours: str, theirs: str, shape: tuple[int, ...]) -> None:
    one = network()
    assert key_map(one, layout)[ours][0] == theirs
    assert tuple(published_state(one, layout)[theirs].shape) == shape


def test_score_sde_counts_its_modules() -> None:
    """The embedding, the stem; blocks, attentions and a convolution down; the middle; the same up; the end."""
    numbers = {int(name.split(".")[1]) for name in published_state(network(), "score_sde")}
    assert numbers == set(range(2 + 1 + (4 + 2 + 1) + 3 + (6 + 3 + 1) + 2))
    load_published(network(), published_state(network(), "score_sde") | {"sigmas": torch.ones(1000)}, "score_sde")


def test_ncsnpp_counts_its_modules_too() -> None:
    """Features, the embedding, the stem; blocks, resampling ones and the pyramid down; the middle; the way up."""
    one, other = network(BIGGAN, seed=0), network(BIGGAN, seed=1)
    state = published_state(one, "ncsnpp")
    assert {int(name.split(".")[1]) for name in state} == set(
        range(3 + 1 + (3 + 3 + 1) + (2 + 2 + 1) + (2 + 2 + 1) + (2 + 2))
    )
    keys = {ours: theirs for ours, (theirs, _) in key_map(one, "ncsnpp").items()}
    assert keys["embed.fourier_1.frequencies"] == "all_modules.0.W"
    assert keys["unet.down_0_res_down_1.shortcut_conv_1.weight"] == "all_modules.5.Conv_2.weight"
    assert keys["unet.down_0_pyramid_conv_1.bias"] == "all_modules.6.Conv2d_0.bias"
    assert keys["unet.up_0_pyramid_project_gn_1.weight"] == "all_modules.23.weight"
    load_published(other, state, "ncsnpp")
    x, t = torch.randn(2, 3, 16, 16), torch.tensor([0.1, 0.8])
    with torch.no_grad():
        assert torch.equal(one(x, t), other(x, t))


@pytest.mark.parametrize("layout", ["diffusers", "ddim", "score_sde"])
def test_what_only_ncsnpp_has_is_refused_elsewhere(layout: str) -> None:
    with pytest.raises(
        ValueError, match=f"`embed.fourier_1.frequencies` has no place in a U-Net of the layout `{layout}`"
    ):
        published_state(network(BIGGAN), layout)
    plain = BIGGAN.replace("Fourier(8)", "Sinusoid(8)")
    with pytest.raises(ValueError, match=r"`unet.down_0_res_down_1.gn_1.weight` has no place"):
        published_state(network(plain), layout)


def test_files_from_before_diffusers_0_15_load() -> None:
    """As google/ddpm-cifar10-32 is stored: other names in attention."""
    one, other = network(seed=0), network(seed=1)
    old = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}
    state = {}
    for name, value in published_state(one).items():
        for new, was in old.items():
            name = name.replace(f".{new}.", f".{was}.")
        state[name] = value
    assert "mid_block.attentions.0.proj_attn.weight" in state
    load_published(other, state)
    assert torch.equal(output(one), output(other))


def test_what_does_not_fit_is_refused_by_name() -> None:
    state = published_state(network())
    with pytest.raises(ValueError, match=r"the state has no `conv_in.bias`$"):
        load_published(network(), {name: value for name, value in state.items() if name != "conv_in.bias"})
    with pytest.raises(ValueError, match=r"the network has no place for `class_embedding.weight`$"):
        load_published(network(), state | {"class_embedding.weight": torch.ones(1)})
    with pytest.raises(RuntimeError, match="size mismatch"):
        load_published(network(), state | {"mid_block.attentions.0.to_q.weight": torch.ones(3, 3)})
    with pytest.raises(ValueError, match="no layout `difusers`; there are diffusers, ddim, score_sde"):
        published_state(network(), "difusers")


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("Conv–Emb–GN", "Conv–Emb–PosEmb–GN", "pos_emb_1`, a PosEmb, has no place"),
        ("Emb–GN–Act–Conv]", "Emb–GN–Act–Conv–Conv]", "conv_3`, a Conv2d, has no place"),
        ("[GN–SelfAttn]", "[GN–SelfAttn–Conv]", "conv_1`, a Conv2d, has no place"),
        ("head: [GN", "head: [BN", "head.bn_1`, a BatchNorm2d, has no place"),
        ("head: [GN", "head: [Conv–GN", "have one place"),
        ("input: [3, 8, 8]", "input: [3, 8, 8]\n  stem: [Conv(3)]", "have one place"),
    ],
)
def test_other_networks_are_refused(old: str, new: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        published_state(network(SMALL.replace(old, new)))
