"""`data.augment` carried out on the device: uint8 images in, what the network sees out.

Every image of a batch gets a draw of its own, from torch's global random state, which checkpoints
hold. Nothing here runs once for each image in Python.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from tdspec.language.augmentation import Transform
from tdspec.training.errors import DataError


class RandomCrop(nn.Module):
    """A square of `size` pixels at a random place of the image framed with zeros.

    kornia's own crop of whole pixels goes through the batch image by image.
    """

    def __init__(self, size: int, padding: int) -> None:
        super().__init__()
        self.size, self.padding = size, padding

    def forward(self, x: Tensor) -> Tensor:
        x = nn.functional.pad(x, (self.padding,) * 4)
        batch, _, height, width = x.shape
        if min(height, width) < self.size:
            raise DataError(f"RandomCrop({self.size}) is larger than the image of {height}x{width} with its frame")
        pixels = torch.arange(self.size, device=x.device)
        top = torch.randint(height - self.size + 1, (batch, 1, 1), device=x.device)
        left = torch.randint(width - self.size + 1, (batch, 1, 1), device=x.device)
        image = torch.arange(batch, device=x.device)[:, None, None]
        return x[image, :, top + pixels[:, None], left + pixels].permute(0, 3, 1, 2).contiguous()


class Flip(nn.Module):
    """Turns a random part of the images over along one axis."""

    def __init__(self, p: float, axis: int) -> None:
        super().__init__()
        self.p, self.axis = p, axis

    def forward(self, x: Tensor) -> Tensor:
        chosen = torch.rand(len(x), 1, 1, 1, device=x.device) < self.p
        return torch.where(chosen, x.flip(self.axis), x)


class Normalize(nn.Module):
    """Subtracts each channel's mean and divides by its standard deviation."""

    mean: Tensor
    scale: Tensor

    def __init__(self, mean: Tensor, std: Tensor) -> None:
        super().__init__()
        self.register_buffer("mean", mean.view(1, -1, 1, 1))
        # A channel that never changes carries nothing: it becomes zero instead of infinite.
        self.register_buffer("scale", torch.where(std > 0, 1 / std, 0.0).view(1, -1, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        return (x - self.mean) * self.scale


def color_jitter(brightness: float, contrast: float, saturation: float, hue: float) -> nn.Module:
    from kornia.augmentation import ColorJitter

    return ColorJitter(brightness, contrast, saturation, hue)


def rotation(degrees: float) -> nn.Module:
    from kornia.augmentation import RandomRotation

    return RandomRotation(degrees, p=1.0)


STEPS: dict[str, Callable[..., nn.Module]] = {
    "RandomCrop": RandomCrop,
    "HorizontalFlip": lambda p: Flip(p, -1),
    "VerticalFlip": lambda p: Flip(p, -2),
    "Rotation": rotation,
    "ColorJitter": color_jitter,
}


class Augment(nn.Module):
    """uint8[B,C,H,W] to f32[B,C,h,w]: every step in training mode, `Normalize` alone in evaluation.

    mean, std  f32[C] of the training images, in [0, 1]
    """

    def __init__(self, transforms: tuple[Transform, ...], mean: Tensor, std: Tensor) -> None:
        super().__init__()
        self.steps = nn.ModuleList(
            Normalize(mean, std) if t.name == "Normalize" else STEPS[t.name](**t.arguments) for t in transforms
        )

    @torch.no_grad()
    def forward(self, images: Tensor) -> Tensor:
        x = images.float() / 255
        for step in self.steps:
            if self.training or isinstance(step, Normalize):
                x = step(x)
        return x
