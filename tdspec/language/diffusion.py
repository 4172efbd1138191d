"""The task `diffuse`: how noise is added, what the network predicts, and how the loss is weighted.

Time runs from 0, the data, to 1, noise: x_t = alpha(t) x_0 + sigma(t) noise. `tdspec/diffusion/` has
the formulas.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import ClassVar, Literal, get_args

from tdspec.language.fields import option
from tdspec.language.sampler import SamplerName

STEPS = "Steps of discrete time, 1000 in DDPM: t is then a multiple of 1/steps. Without, time is continuous."
BETA_MIN, BETA_MAX = "Rate at t = 0", "Rate at t = 1"
SIGMA_MIN = "Standard deviation of the noise at t = 0, for images in [-1, 1]."
SIGMA_MAX = "The same at t = 1; much more than the data's own."

Prediction = Literal["noise", "x0", "v", "velocity", "score", "edm"]


@dataclass(frozen=True)
class VpNoise:
    """Variance preserving, at a rate that grows linearly; DDPM's with `steps: 1000`.

    Source: arXiv 2006.11239, section 4 (discrete); arXiv 2011.13456, equations 32 and 33 (continuous).
    """

    kind: ClassVar[str] = "vp"
    fits: ClassVar[tuple[Prediction, ...]] = ("noise", "x0", "v", "score")

    beta_min: float = option(0.1, f"{BETA_MIN}; over `steps` it is the first beta of DDPM.", above=0)
    beta_max: float = option(20.0, f"{BETA_MAX}; over `steps` it is the last beta of DDPM.", above=0, maximum=100)
    steps: int | None = option(None, STEPS, minimum=2, examples=(1000,))


@dataclass(frozen=True)
class SubVpNoise:
    """As `vp`, with less noise: sigma = 1 - alpha^2. Source: arXiv 2011.13456, equations 13 and 29."""

    kind: ClassVar[str] = "sub-vp"
    fits: ClassVar[tuple[Prediction, ...]] = ("noise", "x0", "score")

    beta_min: float = option(0.1, f"{BETA_MIN}.", above=0)
    beta_max: float = option(20.0, f"{BETA_MAX}.", above=0, maximum=100)


@dataclass(frozen=True)
class CosineNoise:
    """Variance preserving, with alpha along a cosine. Source: arXiv 2102.09672, section 3.2."""

    kind: ClassVar[str] = "cosine"
    fits: ClassVar[tuple[Prediction, ...]] = ("noise", "x0", "v", "score")

    offset: float = option(0.008, "Keeps the noise near t = 0 from being too small; `s` of the paper.", minimum=0)
    steps: int | None = option(None, STEPS, minimum=2, examples=(1000,))


@dataclass(frozen=True)
class SigmoidNoise:
    """Variance preserving, with alpha^2 along a part of a sigmoid, brought to 1 and 0 at its ends.

    Source: arXiv 2212.11972, section 3.4; arXiv 2301.10972, algorithm 1.
    """

    kind: ClassVar[str] = "sigmoid"
    fits: ClassVar[tuple[Prediction, ...]] = ("noise", "x0", "v", "score")

    start: float = option(-3.0, "Where the part of the sigmoid begins.")
    end: float = option(3.0, "Where it ends; more than `start`.")
    temperature: float = option(1.0, "Both are divided by it; `tau` of the paper.", above=0)
    steps: int | None = option(None, STEPS, minimum=2, examples=(1000,))


@dataclass(frozen=True)
class VeNoise:
    """Variance exploding: alpha = 1, and sigma grows geometrically. Source: arXiv 2011.13456, equation 30.

    The paper's 0.01 and 50 are for images in [0, 1]; in [-1, 1] the same noise is 0.02 and 100.
    """

    kind: ClassVar[str] = "ve"
    fits: ClassVar[tuple[Prediction, ...]] = ("score", "noise", "x0")

    sigma_min: float = option(0.02, SIGMA_MIN, above=0)
    sigma_max: float = option(100.0, SIGMA_MAX, above=0)


@dataclass(frozen=True)
class EdmNoise:
    """As `ve`, and the network is shown x_t with a standard deviation of 1. Source: arXiv 2206.00364, section 5."""

    kind: ClassVar[str] = "edm"
    fits: ClassVar[tuple[Prediction, ...]] = ("edm", "score", "noise", "x0")

    sigma_min: float = option(0.002, SIGMA_MIN, above=0)
    sigma_max: float = option(80.0, SIGMA_MAX, above=0)


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


@dataclass(frozen=True)
class Likelihood:
    """Errors of the noise weighted by the rate at which log SNR falls: a bound on the likelihood.

    Source: arXiv 2101.09258, theorem 1; arXiv 2107.00630, equation 18.
    """

    kind: ClassVar[str] = "likelihood"


@dataclass(frozen=True)
class EdmWeighting:
    """Errors of x_0 weighted by the signal-to-noise ratio plus 4, which is 1 for errors of `edm`.

    Source: arXiv 2206.00364, section 5, with data of standard deviation 0.5.
    """

    kind: ClassVar[str] = "edm"


@dataclass(frozen=True)
class UniformTimes:
    """Every t alike."""

    kind: ClassVar[str] = "uniform"

    stratified: bool = option(False, "One t in each of as many equal parts as there are images in a batch.")


@dataclass(frozen=True)
class LognormalTimes:
    """log(sigma/alpha) is normal: most where there is most to learn. Source: arXiv 2206.00364, section 5."""

    kind: ClassVar[str] = "lognormal"

    mean: float = option(-1.2, "Mean of the natural logarithm of sigma/alpha.")
    std: float = option(1.2, "Its standard deviation.", above=0)
    stratified: bool = option(False, "One in each of as many equally likely parts as there are images in a batch.")


@dataclass(frozen=True)
class ImportanceTimes:
    """Every log SNR alike; the loss is divided by the density of t, so that its mean stays what it is.

    With the weighting `likelihood` all errors of the noise then count alike. Source: arXiv 2101.09258, section 5.1.
    """

    kind: ClassVar[str] = "importance"

    stratified: bool = option(False, "One in each of as many equally likely parts as there are images in a batch.")


Noise = VpNoise | SubVpNoise | CosineNoise | SigmoidNoise | VeNoise | EdmNoise | FlowNoise
Weighting = Simple | MinSnr | Likelihood | EdmWeighting
Times = UniformTimes | LognormalTimes | ImportanceTimes
NOISES: tuple[type[Noise], ...] = get_args(Noise)


def log_sigma(noise: Noise) -> tuple[float, float] | None:
    """log sigma at t = 0, and how much it grows until t = 1, where it is affine in t; else None."""
    match noise:
        case VeNoise() | EdmNoise():
            return math.log(noise.sigma_min), math.log(noise.sigma_max / noise.sigma_min)
    return None


@dataclass(frozen=True)
class Preview:
    """Images that are drawn at every evaluation, as a grid in the run's folder `samples`, the same noise each time."""

    count: int = option(36, "How many.", minimum=1)
    sampler: SamplerName = option("ddim", "How noise becomes an image, as in `tdspec sample`.")
    steps: int = option(20, "Steps from noise to image.", minimum=1)


@dataclass(frozen=True)
class Diffuse:
    """Learn to take noise away, and so to make images: the network is called as model(x_t, t), t in [0, 1].

    Images are scaled to [-1, 1]. Evaluation uses the same noise and the same times in every epoch.
    """

    kind: ClassVar[str] = "diffuse"

    noise: Noise = option(factory=partial(VpNoise, steps=1000), doc="How an image becomes noise; by default as DDPM.")
    predict: Prediction | None = option(
        None,
        "What the network gives: `noise`, `x0`, `v` (variance preserving noise), `velocity` (flow), `score` (it gives "
        "sigma times that), or `edm`, a mixture of data and noise (edm). Each noise has its own default.",
    )
    weighting: Weighting = option(factory=Simple, doc="How much the error counts at each t.")
    times: Times = option(factory=UniformTimes, doc="How t is drawn in training.")
    variance: Literal["fixed", "learned"] = option(
        "fixed",
        "`learned`: the network ends in twice the channels, and the second half says where the log variance of each "
        "step lies between its least and its greatest; discrete time only (arXiv 2102.09672, section 3.1).",
    )

    preview: Preview | None = option(None, "Images that are drawn while it is trained; none by default.")

    @property
    def predicts(self) -> Prediction:
        """What the network gives, where the spec leaves it to the noise too."""
        return self.predict or self.noise.fits[0]

    @property
    def channels(self) -> int:
        """How many channels leave the network for each one that enters."""
        return 2 if self.variance == "learned" else 1
