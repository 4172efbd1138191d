"""A compiled U-Net makes images in diffusers' own pipeline, the same as diffusers' U-Net of the same weights."""

from __future__ import annotations

import pytest
import torch

import tdspec
from tdspec.backend.diffusers_unet import DiffusersUNet
from tdspec.backend.published import load_published
from tests.peers import unets as peers

pytestmark = [pytest.mark.peer, pytest.mark.filterwarnings("ignore")]


def test_images_in_two_steps() -> None:
    theirs = peers.diffusers().network.eval()
    diffusers = pytest.importorskip("diffusers")
    ours = tdspec.compile("specs/diffusion/ddpm-cifar10.yaml").eval()
    load_published(ours, theirs.state_dict())
    images = []
    for unet in (theirs, DiffusersUNet(ours)):
        pipeline = diffusers.DDPMPipeline(unet, diffusers.DDPMScheduler(1000))
        pipeline.set_progress_bar_config(disable=True)
        made = pipeline(
            batch_size=2, num_inference_steps=2, generator=torch.Generator().manual_seed(0), output_type="np"
        )
        images.append(torch.as_tensor(made.images))
    expected, found = images
    assert found.shape == (2, 32, 32, 3) and found.std() > 0.05
    print(f"largest difference {float((expected - found).abs().max()):.2e}")
    assert (expected - found).abs().max() < 1e-5
    (picture, _) = pipeline(batch_size=2, num_inference_steps=2).images
    assert picture.size == (32, 32)
