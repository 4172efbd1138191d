"""What the audit says of published models: docs/audit.md has the table."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from functools import partial

import pytest
import torch
from torch import nn

import tdspec
from tests.peers import wild

pytestmark = [pytest.mark.peer, pytest.mark.timeout(900)]

needs_diffusers = pytest.mark.skipif(importlib.util.find_spec("diffusers") is None, reason="pip install diffusers")
LABELS = {"class_labels": 0}
CONTEXT = {"c": 3, "context_mask": 0.0}


def needs(name: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(not wild.path(name).exists(), reason=f"TDSPEC_PEERS names no folder with {name}.py")


@pytest.mark.parametrize(
    ("factory", "shape", "kwargs", "errors", "others"),
    [
        pytest.param(wild.unet, (3, 32, 32), {}, set(), {"TD106"}, id="unet", marks=needs_diffusers),
        pytest.param(
            partial(wild.unet, norm_num_groups=128), (3, 32, 32), {}, {"TD101"}, {"TD106"}, id="unet-128-groups",
            marks=needs_diffusers,
        ),
        pytest.param(
            partial(wild.unet, norm_num_groups=128, block_out_channels=(128, 128, 128, 128)), (3, 32, 32), {},
            {"TD101"}, set(), id="unet-groups-are-channels", marks=needs_diffusers,
        ),
        pytest.param(
            partial(wild.unet, norm_num_groups=128, block_out_channels=(128, 128, 128, 128),
                    resnet_time_scale_shift="scale_shift"),
            (3, 32, 32), {}, set(), set(), id="unet-scale-shift", marks=needs_diffusers,
        ),
        pytest.param(partial(wild.dit, 2), (4, 32, 32), LABELS, set(), set(), id="dit", marks=needs_diffusers),
        pytest.param(wild.odenet, (64, 6, 6), {}, set(), {"TD106"}, id="odenet", marks=needs("odenet_mnist")),
        pytest.param(
            partial(wild.odenet, "BatchNorm2d"), (64, 6, 6), {}, {"TD104"}, set(), id="odenet-bn",
            marks=needs("odenet_mnist"),
        ),
        pytest.param(
            partial(wild.odenet, "InstanceNorm2d"), (64, 6, 6), {}, {"TD103"}, set(), id="odenet-in",
            marks=needs("odenet_mnist"),
        ),
        pytest.param(
            partial(wild.odenet, "Identity"), (64, 6, 6), {}, set(), set(), id="odenet-without",
            marks=needs("odenet_mnist"),
        ),
        pytest.param(wild.anode, (65, 6, 6), {}, {"TD103"}, set(), id="anode", marks=needs("mnist_anode")),
        pytest.param(
            wild.context_unet, (1, 28, 28), CONTEXT, set(), {"TD105"}, id="context-unet",
            marks=needs("conditional_diffusion_mnist"),
        ),
        pytest.param(wild.Ignoring, (3, 8, 8), {}, {"TD107"}, set(), id="ignoring"),
    ],
)  # fmt: skip
def test_what_is_vulnerable_in_the_wild(
    factory: Callable[[], nn.Module], shape: tuple[int, ...], kwargs: dict[str, object], errors: set[str],
    others: set[str],
) -> None:  # fmt: skip
    torch.manual_seed(0)
    found = tdspec.audit(factory(), shape, kwargs=kwargs)
    assert {item.code for item in found.findings if item.severity.value == "error"} == errors
    assert {item.code for item in found.findings if item.severity.value != "error"} == others
