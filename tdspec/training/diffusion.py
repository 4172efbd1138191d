"""The task `diffuse`: images are mixed with noise, and the network is to tell the two apart."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from tdspec.diffusion.predict import Parts, clipped, parts, target, weights
from tdspec.diffusion.process import Level, make_process
from tdspec.language.diffusion import Diffuse
from tdspec.training.data.images import Splits
from tdspec.training.errors import DataError

LOOKED_AT = 0.5  # the time at which a network is looked at: neither end says much


class Diffusion:
    """The weighted mean square error of what is predicted, one t and one noise for each image.

    In training both come from torch's global random state. In evaluation they are the same in every epoch and
    every run, the times evenly spread over each batch, so that losses can be compared; they depend on
    `train.batch_size`.
    """

    best = ("loss", False)

    def __init__(self, section: Diffuse) -> None:
        self.process = make_process(section.noise)
        self.predict = section.predicts
        self.weighting = section.weighting

    def measure(self, model: nn.Module, x: Tensor, labels: Tensor, fixed: int | None = None) -> dict[str, Tensor]:
        x0 = scaled(x)
        t, noise = self.drawn(x0) if fixed is None else self.repeated(x0, fixed)
        level = self.process.level(t)
        wide = level.like(x0)
        given = model(self.process.mix(x0, noise, t), t).float()
        error = (given - target(self.predict, Parts(x0, noise), wide)).square().flatten(1).mean(1)
        return {"loss": weights(self.weighting, self.predict, level) * error}

    def drawn(self, x0: Tensor) -> tuple[Tensor, Tensor]:
        """A time for each sample, f32[B], and its noise, of the shape of x0."""
        return self.process.times(torch.rand(len(x0), device=x0.device)), torch.randn_like(x0)

    def repeated(self, x0: Tensor, start: int) -> tuple[Tensor, Tensor]:
        """The same from the place of the batch in its set alone, the times one in each of B equal parts."""
        generator = torch.Generator().manual_seed(start)
        uniform = (torch.arange(len(x0)) + 0.5) / len(x0)
        noise = torch.randn(x0.shape, generator=generator)
        return self.process.times(uniform.to(x0.device)), noise.to(x0.device)

    def arguments(self, x: Tensor) -> tuple[Tensor, ...]:
        """Images x with noise of the middle of time, and that time; the same for the same images."""
        x0 = scaled(x)
        t = self.process.times(torch.full((len(x0),), LOOKED_AT, device=x0.device))
        return self.process.mix(x0, self.repeated(x0, 0)[1], t), t

    def denoise(self, model: nn.Module, x: Tensor, t: float, clip: bool = True) -> Parts:
        """Data and noise in x at the time t, as the network says; with `clip`, data in [-1, 1]."""
        times = torch.full((len(x),), t, device=x.device)
        level = Level(*(value.to(x) for value in self.process.level(times.double().cpu()))).like(x)
        found = parts(self.predict, model(x, times).float(), x, level)
        return clipped(found, x, level) if clip else found

    def check(self, output: Tensor, splits: Splits) -> None:
        if tuple(output.shape[1:]) != splits.train.shape:
            raise DataError(
                f"what is predicted has the shape of an image, {splits.train.shape}; this network gives "
                f"{tuple(output.shape[1:])}"
            )


def scaled(x: Tensor) -> Tensor:
    """Images in [0, 1] as the process takes them, in [-1, 1]."""
    return 2 * x - 1


def unscaled(x0: Tensor) -> Tensor:
    """Samples as uint8, of what the process gives in [-1, 1]."""
    return ((x0 + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)
