"""The task `diffuse`: how noise is added, what the network predicts, and how the loss is weighted.

Time runs from 0, the data, to 1, noise: x_t = alpha(t) x_0 + sigma(t) noise. `tdspec/diffusion/` has
the formulas.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import ClassVar, Literal, get_args

from tdspec.language.fields import option

STEPS = "Steps of discrete time, 1000 in DDPM: t is then a multiple of 1/steps. Without, time is continuous."

Prediction = Literal["noise", "x0", "v", "velocity"]


@dataclass(frozen=True)
class VpNoise:
    """Variance preserving, at a rate that grows linearly; DDPM's with `steps: 1000`.

    Source: arXiv 2006.11239, section 4 (discrete); arXiv 2011.13456, equations 32 and 33 (continuous).
    """

    kind: ClassVar[str] = "vp"
    fits: ClassVar[tuple[Prediction, ...]] = ("noise", "x0", "v")

    beta_min: float = option(0.1, "Rate at t = 0; over `steps` it is the first beta of DDPM.", above=0)
    beta_max: float = option(20.0, "Rate at t = 1; over `steps` it is the last beta of DDPM.", above=0)
    steps: int | None = option(None, STEPS, minimum=2, examples=(1000,))


@dataclass(frozen=True)
class CosineNoise:
    """Variance preserving, with alpha along a cosine. Source: arXiv 2102.09672, section 3.2."""

    kind: ClassVar[str] = "cosine"
    fits: ClassVar[tuple[Prediction, ...]] = ("noise", "x0", "v")

    offset: float = option(0.008, "Keeps the noise near t = 0 from being too small; `s` of the paper.", minimum=0)
    steps: int | None = option(None, STEPS, minimum=2, examples=(1000,))


@dataclass(frozen=True)
class FlowNoise:
    """Straight lines from data to noise: x_t = (1 - t) x_0 + t noise. Source: arXiv 2209.03003; 2210.02747."""

    kind: ClassVar[str] = "flow"
    fits: ClassVar[tuple[Prediction, ...]] = ("velocity", "x0")


@dataclass(frozen=True)
class Simple:
    """The mean square of the error of what is predicted. Source: arXiv 2006.11239, equation 14."""

    kind: ClassVar[str] = "simple"


@dataclass(frozen=True)
class MinSnr:
    """Errors of x_0 weighted by the signal-to-noise ratio, cut off at `gamma`. Source: arXiv 2303.09556."""

    kind: ClassVar[str] = "min-snr"

    gamma: float = option(5.0, "The ratio alpha^2 / sigma^2 from which on the weight is constant.", above=0)


Noise = VpNoise | CosineNoise | FlowNoise
Weighting = Simple | MinSnr
NOISES: tuple[type[VpNoise] | type[CosineNoise] | type[FlowNoise], ...] = get_args(Noise)


@dataclass(frozen=True)
class Diffuse:
    """Learn to take noise away, and so to make images: the network is called as model(x_t, t), t in [0, 1].

    Images are scaled to [-1, 1]. Evaluation uses the same noise and the same times in every epoch.
    """

    kind: ClassVar[str] = "diffuse"

    noise: Noise = option(factory=partial(VpNoise, steps=1000), doc="How an image becomes noise; by default as DDPM.")
    predict: Prediction | None = option(
        None,
        "What the network gives: `noise` (vp and cosine, their default), `x0`, `v` (vp and cosine), "
        "or `velocity` (flow, its default).",
    )
    weighting: Weighting = option(factory=Simple, doc="How much the error counts at each t.")

    @property
    def predicts(self) -> Prediction:
        """What the network gives, where the spec leaves it to the noise too."""
        return self.predict or self.noise.fits[0]
