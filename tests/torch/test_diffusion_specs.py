"""The shipped diffusion specs: parameters to the last one, and starts as their sources draw them."""

from __future__ import annotations

import json
from functools import cache
from math import sqrt
from pathlib import Path

import pytest
import torch
from torch import nn

import tdspec
from tests.conftest import Run

SPECS = Path(__file__).parents[2] / "specs" / "diffusion"
DDPM = {
    "ddpm-cifar10": 35_746_307,  # ermongroup/ddim's Model and diffusers' UNet2DModel, counted; "35.7M" in run_cifar.py
    "ddpm-cifar10-scoresde": 35_218_947,  # score_sde_pytorch's DDPM, counted
    # A projection from 512, with a bias, to the positions of every block: 2 + 3 blocks at 32, 16, 8 and 4, two between.
    "ddpm-cifar10-position": 35_218_947 + 513 * (5 * (32**2 + 16**2 + 8**2 + 4**2) + 2 * 4**2),
    "ddpm-cifar10-zero-bias": 38_723_763,
    "ddpm-cifar10-one-group": 38_723_763,
}
NCSNPP = {  # score_sde_pytorch's NCSNpp, counted
    "ddpmpp-cifar10": 61_804_419,
    "ncsnpp-cifar10-ve": 62_758_787,
}
SCALE_SHIFT = {  # the released networks, counted
    "improved-ddpm-cifar10": 52_546_438,
    "rectified-flow-cifar10": 55_676_419,
}
DIT = {
    "dit-s-2": 32_865_056,  # the released network, without its fixed positions, counted
    # Other channels come in and go out: 2x2 patches of 3 and of 6 channels for 4 and 8. 10 labels and none for 1000.
    "dit-cifar10": 32_865_056 - 384 * 4 * 1 - 385 * 4 * 2 - 384 * 990,
}
COUNTS = DDPM | NCSNPP | SCALE_SHIFT | DIT


def test_every_spec_is_counted() -> None:
    small = {"ddpm-digits", "ddpm-fashion-mnist", "ddpm-toy"}
    trained = {"ddpm-cifar10-train", *small}  # the first has the network of score_sde's
    assert {path.stem for path in SPECS.glob("*.yaml")} == COUNTS.keys() | trained


@pytest.mark.parametrize("name", COUNTS)
def test_parameter_counts(name: str, run: Run) -> None:
    assert json.loads(run("build", "--json", str(SPECS / f"{name}.yaml")).out)["parameters"] == COUNTS[name]


def test_each_step_of_table_3_answers_a_note() -> None:
    notes = {name: {item.code for item in tdspec.validate(SPECS / f"{name}.yaml").findings} for name in DDPM}
    assert notes == {
        "ddpm-cifar10": {"TD106", "TD110", "TD114", "TD115"},
        "ddpm-cifar10-scoresde": {"TD106", "TD110", "TD114", "TD115"},
        "ddpm-cifar10-position": {"TD106", "TD110", "TD115"},
        "ddpm-cifar10-zero-bias": {"TD106", "TD115"},
        "ddpm-cifar10-one-group": set(),
    }


def test_notes_on_the_others_are_as_published() -> None:
    notes = {
        name: {item.code for item in tdspec.validate(SPECS / f"{name}.yaml").findings}
        for name in NCSNPP | SCALE_SHIFT | DIT
    }
    assert notes == {
        "ddpmpp-cifar10": {"TD106", "TD110", "TD114", "TD115"},
        "ncsnpp-cifar10-ve": {"TD106", "TD110", "TD114", "TD115"},
        "improved-ddpm-cifar10": set(),  # time scales and shifts behind the norm
        "rectified-flow-cifar10": {"TD112"},  # fed with t itself
        "dit-s-2": {"TD110", "TD111"},  # behind the norm too, and silent at first
        "dit-cifar10": {"TD110", "TD111"},
    }


@cache
def start(name: str) -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    return tdspec.compile(SPECS / f"{name}.yaml").state_dict()


def bound(weight: torch.Tensor, scale: float) -> float:
    """Largest value of a uniform draw with variance scale / ((fan_in + fan_out) / 2)."""
    positions = weight[0, 0].numel()
    return sqrt(3 * scale / ((weight.shape[0] + weight.shape[1]) * positions / 2))


def zeroed(key: str) -> bool:
    """Whether DDPM starts the layer at (nearly) zero."""
    return (
        ("_res_" in key and ".conv_2." in key and "shortcut" not in key)
        or "self_attn_1.out" in key
        or key.startswith("head.conv")
    )


@pytest.mark.parametrize("name", ["ddpm-cifar10", "ddpm-cifar10-scoresde", "ddpm-cifar10-zero-bias", *NCSNPP])
def test_weights_start_as_published(name: str) -> None:
    nins = ("query", "key.", "value") if name in NCSNPP else ("query", "key.", "value", "shortcut")
    for key, value in start(name).items():
        if value.dim() == 1:
            continue
        nin = name != "ddpm-cifar10" and any(part in key for part in nins)
        most = 0.0 if zeroed(key) else bound(value, 0.1 if nin else 1.0)
        assert value.abs().max() <= most * 1.0001, key
        if most:  # a uniform draw has a standard deviation of its bound over sqrt(3)
            assert value.std() * sqrt(3) / most == pytest.approx(1, abs=0.05), key


def test_improved_ddpms_zeros() -> None:
    """The last convolution of a block, attention's output and the head start at zero, biases and all; nothing else."""
    for key, value in start("improved-ddpm-cifar10").items():
        scale = "gn_" in key and key.endswith("bias")
        assert bool(value.any()) != (zeroed(key) or scale), key


@pytest.mark.parametrize("name", [*DDPM, *NCSNPP])
def test_biases_start_as_table_3_has_them(name: str) -> None:
    drawn = name in ("ddpm-cifar10-zero-bias", "ddpm-cifar10-one-group")
    for key, value in start(name).items():
        if key.endswith(".bias"):
            time = key.startswith("embed.") or "emb_1.projection" in key
            assert bool(value.any()) == (time and drawn), key


@pytest.mark.parametrize("name", [*DDPM, *NCSNPP])
def test_groups_eps_and_dropout(name: str) -> None:
    with torch.device("meta"):
        network = tdspec.compile(SPECS / f"{name}.yaml")
    norms = [module for module in network.modules() if isinstance(module, nn.GroupNorm)]
    assert {(norm.num_groups, norm.eps) for norm in norms} == {(1 if name.endswith("one-group") else 32, 1e-6)}
    for block in (module for module_name, module in network.named_modules() if module_name.endswith("_res_1")):
        order = [node.target for node in block.graph.nodes if node.op == "call_module"]
        assert order[-3 - order.count("shortcut_conv_1") :][:2] == ["act_2", "dropout_1"], order
