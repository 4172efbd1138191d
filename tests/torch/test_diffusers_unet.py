"""A compiled network behind the face of diffusers' UNet2DModel, without diffusers."""

from __future__ import annotations

import pytest
import torch

import tdspec
from tdspec.backend.diffusers_unet import DiffusersUNet

SPEC = """
tdspec: 1
time: {embed: [Sinusoid(8)–FC(8)]}
model: {input: %s, pipeline: [Conv(4)–Emb–GN(1)–Conv(%d)]}
"""


def unet(shape: str = "[3, 8, 8]", out: int = 3) -> DiffusersUNet:
    return DiffusersUNet(tdspec.compile(SPEC % (shape, out)))


@pytest.mark.parametrize("t", [7, 7.0, torch.tensor(7), torch.tensor([7]), torch.tensor([7.0, 7.0])])
def test_a_time_for_all_samples_in_every_form(t: object) -> None:
    wrapped, x = unet(), torch.randn(2, 3, 8, 8)
    with torch.no_grad():
        expected = wrapped.network(x, torch.tensor([7.0, 7.0]))
        assert torch.equal(wrapped(x, t).sample, expected)
        assert torch.equal(wrapped(x, t, return_dict=False)[0], expected)
        assert not torch.equal(wrapped(x, 8).sample, expected)


def test_a_network_that_was_trained_with_t_in_parts_gets_parts() -> None:
    network = tdspec.compile(SPEC % ("[3, 8, 8]", 3) + "task: {kind: diffuse}\n")
    with pytest.raises(TypeError, match="takes t in \\[0, 1\\]: give `steps`"):
        DiffusersUNet(network)
    x = torch.randn(2, 3, 8, 8)
    with torch.no_grad():
        found = DiffusersUNet(network, steps=1000)(x, 300).sample
        assert torch.equal(found, network(x, torch.tensor([0.3, 0.3])))


def test_what_a_pipeline_asks_for() -> None:
    wrapped = unet("[3, 8, 8]", 6)
    assert vars(wrapped.config) == {"sample_size": 8, "in_channels": 3, "out_channels": 6}
    assert unet("[3, 8, 6]").config.sample_size == (8, 6)
    assert wrapped.double().dtype == torch.float64 and wrapped.device == torch.device("cpu")


def test_what_it_cannot_be_is_said() -> None:
    with pytest.raises(TypeError, match="calls its network with x and t; this one takes input"):
        DiffusersUNet(tdspec.compile("tdspec: 1\nmodel: {input: [3, 8, 8], pipeline: [Conv(3)]}\n"))
    with pytest.raises(ValueError, match="no class labels"):
        unet()(torch.randn(1, 3, 8, 8), 3, class_labels=torch.tensor([1]))
