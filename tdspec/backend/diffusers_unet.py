"""A compiled network in the place of diffusers' UNet2DModel; diffusers itself is not imported."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, NamedTuple

import torch
import yaml
from torch import Tensor, nn

from tdspec.backend.network import Network
from tdspec.graph.graph import LABELS, TIME


class Output(NamedTuple):
    """What a U-Net answers in diffusers: `.sample`, or its first element."""

    sample: Tensor


class DiffusersUNet(nn.Module):
    """A compiled network that is called and answers as diffusers' pipelines expect of their `unet`.

        pipeline = DDPMPipeline(DiffusersUNet(network, steps=1000), DDPMScheduler(1000))

    network  of a spec called as `network(x, t)`; what it predicts, the scheduler has to know (`prediction_type`)
    steps    timesteps of the scheduler, for a network whose t is a part of them, in [0, 1], as `task: {kind: diffuse}`
             trains it; None for one that takes the timestep itself, as published weights do

    `config` has `sample_size`, `in_channels` and `out_channels`; `dtype` and `device` are those of the weights. For
    less than float32 run the pipeline under `torch.autocast`: bfloat16 itself cannot count to 1000, and t is lost.
    It has no `save_pretrained`: save the state dict, or bring it into a UNet2DModel by `tdspec.backend.published`.
    Raises `TypeError` for a network that takes no t, and for one that was trained with t in [0, 1] without `steps`.
    Source: github.com/huggingface/diffusers, UNet2DModel.forward and DDPMPipeline.__call__.
    """

    def __init__(self, network: Network, steps: int | None = None) -> None:
        super().__init__()
        if network.inputs[:2] != ("input", TIME):
            raise TypeError(f"a pipeline calls its network with x and t; this one takes {', '.join(network.inputs)}")
        if steps is None and "task" in (yaml.safe_load(network.spec_text) or {}):
            raise TypeError("this network takes t in [0, 1]: give `steps`, the scheduler's `num_train_timesteps`")
        self.network, self.steps = network, steps
        channels, *positions = network.input_shape
        size = positions[0] if len(positions) == 2 and len(set(positions)) == 1 else tuple(positions)
        self.config = SimpleNamespace(sample_size=size, in_channels=channels, out_channels=network.output_shape[0])

    @property
    def dtype(self) -> torch.dtype:
        return next(self.parameters()).dtype

    @property
    def device(self) -> torch.device:
        return next(self.parameters()).device

    def forward(
        self, sample: Tensor, timestep: Tensor | float, class_labels: Any = None, return_dict: bool = True
    ) -> Output | tuple[Tensor]:
        """sample: f32[B, *input]; timestep: one for all samples, a number or a tensor, or f32[B]."""
        labels = () if class_labels is None else (class_labels,)
        if labels and LABELS not in self.network.inputs:
            raise ValueError("this network takes no class labels")
        t = torch.as_tensor(timestep, device=sample.device).expand(sample.shape[0])
        if self.steps is not None:
            t = t.to(sample.dtype) / self.steps
        found = self.network(sample, t, *labels)
        return Output(found) if return_dict else (found,)
