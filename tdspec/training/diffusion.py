"""The task `diffuse`: images are mixed with noise, and the network is to tell the two apart."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from tdspec.diffusion.predict import Parts, clipped, parts, target, weights
from tdspec.diffusion.process import Level, make_process
from tdspec.diffusion.randomness import generators, normal
from tdspec.diffusion.sampler import check, draw
from tdspec.diffusion.times import density, drawn, times
from tdspec.diffusion.variance import bound
from tdspec.language.diffusion import Diffuse
from tdspec.language.sampler import Drawing, Sampler
from tdspec.language.spec import Spec
from tdspec.training.data.images import Splits
from tdspec.training.errors import DataError, TrainError

LOOKED_AT = 0.5  # the time at which a network is looked at: neither end says much
BOUND = 1 / 1000  # weight of the variational bound, times the number of steps (openai/improved-diffusion)


class Diffusion:
    """The weighted mean square error of what is predicted, one t and one noise for each image.

    In training both come from torch's global random state. In evaluation they are the same in every epoch and
    every run, the times evenly spread over each batch, so that losses can be compared; they depend on
    `train.batch_size`.
    """

    best = ("loss", False)

    def __init__(self, section: Diffuse, classes: int | None = None, drop: float = 0.0) -> None:
        """`classes` that the network is told of, and the share of images that it is trained on without."""
        self.section = section
        self.classes, self.drop = classes, drop
        self.process = make_process(section.noise)
        self.predict = section.predicts

    @classmethod
    def of(cls, spec: Spec) -> Diffusion:
        """The task of a spec whose task it is."""
        if spec.labels is None:
            return cls(spec.task)
        return cls(spec.task, spec.label_classes, spec.labels.drop)

    def measure(self, model: nn.Module, x: Tensor, labels: Tensor, fixed: int | None = None) -> dict[str, Tensor]:
        x0 = scaled(x)
        t, noise = self.drawn(x0) if fixed is None else self.repeated(x0, fixed)
        level = self.process.level(t).like(x0)
        noisy = self.process.mix(x0, noise, t)
        told = () if self.classes is None else (labels if fixed is not None else self.dropped(labels),)
        given, share = self.called(model, noisy, t, level, *told)
        error = (given - target(self.predict, Parts(x0, noise), level)).square().flatten(1).mean(1)
        loss = weights(self.section.weighting, self.predict, self.process, t) * error
        loss = loss / density(self.section.times, self.process, t)
        if share is None:
            return {"loss": loss}
        assert self.process.steps is not None
        bits = bound(self.process, t, x0, parts(self.predict, given, noisy, level).x0, share)
        return {"loss": loss + BOUND * self.process.steps * bits}

    def called(
        self, model: nn.Module, x: Tensor, t: Tensor, level: Level, *labels: Tensor
    ) -> tuple[Tensor, Tensor | None]:
        """What the network gives for x_t = x, f32[B,C,...], and where it says the log variance lies, from 0 to 1."""
        given = model(self.process.shown(x, level), t, *labels).float()
        if self.section.variance == "fixed":
            return given, None
        given, share = given.chunk(2, dim=1)
        return given, (share + 1) / 2

    def dropped(self, labels: Tensor) -> Tensor:
        """Labels of which a share is replaced by that for none, i64[B]."""
        none = torch.full_like(labels, self.classes or 0)
        return torch.where(torch.rand(len(labels), device=labels.device) < self.drop, none, labels)

    def drawn(self, x0: Tensor) -> tuple[Tensor, Tensor]:
        """A time for each sample, f32[B], and its noise, of the shape of x0."""
        uniform = drawn(self.section.times, len(x0), x0.device)
        return times(self.section.times, self.process, uniform), torch.randn_like(x0)

    def repeated(self, x0: Tensor, start: int) -> tuple[Tensor, Tensor]:
        """The same from the place of the batch in its set alone, the times one in each of B equal parts."""
        generator = torch.Generator().manual_seed(start)
        uniform = (torch.arange(len(x0)) + 0.5) / len(x0)
        noise = torch.randn(x0.shape, generator=generator)
        return times(self.section.times, self.process, uniform.to(x0.device)), noise.to(x0.device)

    def arguments(self, x: Tensor) -> tuple[Tensor, ...]:
        """Images x with noise of the middle of time, and that time; the same for the same images."""
        x0 = scaled(x)
        t = self.process.times(torch.full((len(x0),), LOOKED_AT, device=x0.device))
        noisy = self.process.mix(x0, self.repeated(x0, 0)[1], t)
        return self.process.shown(noisy, self.process.level(t).like(x0)), t

    def denoise(
        self,
        model: nn.Module,
        x: Tensor,
        t: float,
        clip: bool = True,
        labels: Tensor | None = None,
        guidance: float = 1.0,
    ) -> Parts:
        """Data and noise in x at the time t, as the network says; with `clip`, data in [-1, 1].

        labels    i64[B], for a network that is told them
        guidance  what is said with them, less what is said without, counts as often (arXiv 2207.12598, equation 6)
        """
        times = torch.full((len(x),), t, device=x.device)
        level = Level(*(value.to(x) for value in self.process.level(times.cpu().double()))).like(x)
        if labels is None or guidance == 1:
            given, share = self.called(model, x, times, level, *(() if labels is None else (labels,)))
        else:
            none = torch.full_like(labels, self.classes or 0)
            twice = Level(*(torch.cat((value, value)) for value in level))
            both, shares = self.called(
                model, torch.cat((x, x)), torch.cat((times, times)), twice, torch.cat((labels, none))
            )
            told, untold = both.chunk(2)
            given, share = untold + guidance * (told - untold), None if shares is None else shares.chunk(2)[0]
        found = parts(self.predict, given, x, level)._replace(share=share)
        return clipped(found, x, level) if clip else found

    @torch.no_grad()
    def sampled(
        self, model: nn.Module, shape: tuple[int, ...], count: int, drawing: Drawing,
        on_step: Callable[[], None] | None = None,
    ) -> tuple[Tensor, float]:  # fmt: skip
        """Images of a network, uint8[count, *shape] on the CPU, and how often it was called for each.

        model    in evaluation, on its device
        on_step  called after each step of each batch
        Leaves torch's global random state as it was. Raises `TrainError` where samples are not finite, `ValueError`
        where the flow cannot be solved.
        """
        sampler, place = drawing.by, next(model.parameters()).device
        turn = torch.tensor(drawing.labels or range(self.classes or 0), device=place)
        images, calls = [], 0
        for start in range(0, count, drawing.batch):
            size = min(drawing.batch, count - start)
            labels = turn[torch.arange(start, start + size, device=place) % len(turn)] if self.classes else None

            def denoise(x: Tensor, t: float, labels: Tensor | None = labels) -> Parts:
                nonlocal calls
                calls += 1 if labels is None or drawing.guidance == 1 else 2
                return self.denoise(model, x, t, clip=sampler.clips, labels=labels, guidance=drawing.guidance)

            source = generators(drawing.seed, range(start, start + size))
            x = normal(torch.empty(size, *shape, device=place), source)
            for step in draw(sampler, denoise, self.process, x, source):
                x = step
                if on_step is not None:
                    on_step()
            if not x.isfinite().all():
                raise TrainError(
                    f"not all of samples {start} to {start + size - 1} are finite ({drawing}): take another sampler,"
                    " more steps or less guidance; if nothing helps, the weights are to blame"
                )
            images.append(unscaled(x).cpu())
        return torch.cat(images), calls / len(images)

    def preview(self, model: nn.Module, shape: tuple[int, ...]) -> Tensor | None:
        asked = self.section.preview
        if asked is None:
            return None
        drawing = Drawing(Sampler(asked.sampler, asked.steps))
        return self.sampled(model.eval(), shape, asked.count, drawing)[0]

    def check(self, output: Tensor, splits: Splits) -> None:
        if self.section.preview is not None:
            try:  # before hours are spent
                check(Sampler(self.section.preview.sampler, self.section.preview.steps), self.process)
            except (ValueError, ImportError) as error:
                raise DataError(f"`task.preview` cannot be drawn: {error}") from error
        channels, *positions = splits.train.shape
        wanted = (channels * self.section.channels, *positions)
        if tuple(output.shape[1:]) != wanted:
            raise DataError(
                f"what is predicted has the shape {wanted}, for images of {splits.train.shape}; this network gives "
                f"{tuple(output.shape[1:])}"
            )
        if self.classes is not None and splits.train.classes > self.classes:
            raise DataError(f"`condition.labels` has {self.classes} classes, the data have {splits.train.classes}")


def scaled(x: Tensor) -> Tensor:
    """Images in [0, 1] as the process takes them, in [-1, 1]."""
    return 2 * x - 1


def unscaled(x0: Tensor) -> Tensor:
    """Samples as uint8, of what the process gives in [-1, 1]."""
    return ((x0 + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)
