"""How samples are drawn from a diffusion model: the samplers by name, and the options that each has.

What they compute is in `tdspec/diffusion/`; this table needs no torch, and the command's options follow from it.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from tdspec.language.declared import Choice, options
from tdspec.language.fields import option

Spacing = Literal["time", "logsnr", "karras"]
Variance = Literal["small", "large"]
# In steps; the solver of `ode` takes as many as it likes.
SamplerName = Literal["ddpm", "ddim", "euler", "heun", "dpm-solver++", "sde-dpm-solver++", "unipc", "pc"]


class Kind(NamedTuple):
    """A sampler: what it does, with its source, and its options with their defaults."""

    doc: str
    options: Mapping[str, Any]


SAMPLERS: dict[str, Kind] = {
    "ddpm": Kind(
        "ancestral sampling, with the posterior's variance at each step (arXiv 2006.11239, algorithm 2)",
        {"steps": 50, "spacing": "time", "variance": None},
    ),
    "ddim": Kind(
        "Euler's method for the flow from noise to data; `eta` adds noise (arXiv 2010.02502)",
        {"steps": 50, "eta": 0.0, "spacing": "time"},
    ),
    "euler": Kind(
        "the step of ddim without noise, spaced as in arXiv 2206.00364, equation 5",
        {"steps": 50, "spacing": "karras"},
    ),
    "heun": Kind(
        "the same flow at second order, with two evaluations to a step (arXiv 2206.00364, algorithm 1)",
        {"steps": 50, "spacing": "logsnr"},
    ),
    "dpm-solver++": Kind(
        "the flow by exponential integrators of x_0, from diffusers (arXiv 2211.01095)",
        {"steps": 20, "order": 2, "spacing": "logsnr", "singlestep": False},
    ),
    "sde-dpm-solver++": Kind(
        "its like for the reverse diffusion, with noise, from diffusers (arXiv 2211.01095, appendix)",
        {"steps": 20, "order": 2, "spacing": "logsnr"},
    ),
    "unipc": Kind(
        "a predictor and a corrector from the same evaluations, from diffusers (arXiv 2302.04867)",
        {"steps": 20, "order": 2, "spacing": "logsnr"},
    ),
    "pc": Kind(
        "Langevin steps at each level of noise, then an ancestral one (arXiv 2011.13456, algorithms 4 and 5)",
        {"steps": 50, "snr": 0.16, "corrections": 1, "spacing": "time"},
    ),
    "ode": Kind(
        "the flow by an adaptive solver, dopri5 of torchdiffeq (arXiv 2011.13456, section 4.3)",
        {"tolerance": 1e-5},
    ),
}


@dataclass(frozen=True)
class Sampler:
    """A sampler with its options; one that is left out, or None, is the sampler's default.

    An option that the sampler has not stays None. Raises `ValueError` for another name, for an option that the
    sampler has not, and for a value out of range.
    """

    name: str = "ddpm"
    steps: int | None = option(None, "Steps from noise to image", minimum=1)
    eta: float | None = option(None, "Noise that is added: 0 none, 1 as ddpm", minimum=0, maximum=1)
    spacing: Spacing | None = option(None, "What the steps divide evenly: t, log SNR, or (sigma/alpha)^(1/7)")
    order: int | None = option(None, "Order of convergence", minimum=1, maximum=3)
    singlestep: bool | None = option(None, "Each block of steps from its own evaluations alone")
    snr: float | None = option(None, "Signal-to-noise ratio of a Langevin step", above=0)
    corrections: int | None = option(None, "Langevin steps at each level of noise", minimum=1)
    tolerance: float | None = option(None, "Relative and absolute tolerance of the solver", above=0)
    variance: Variance | None = option(
        None, "Of the noise that is added: small, the posterior's, or large, beta; by default a learned one, else small"
    )

    def __post_init__(self) -> None:
        if self.name not in SAMPLERS:
            raise ValueError(f"there is no sampler `{self.name}`: {', '.join(SAMPLERS)}")
        has = SAMPLERS[self.name].options
        for declared in OPTIONS:
            key, value = declared.key, getattr(self, declared.key)
            if value is None:
                object.__setattr__(self, key, has.get(key))
            elif key not in has:
                raise ValueError(f"{key} is of {', '.join(having(key))}; {self.name} has none")
            elif isinstance(declared.type, Choice) and value not in declared.type.values:
                raise ValueError(f"{key} is one of {', '.join(declared.type.values)}, not {value}")
            for bound, limit in declared.bounds.items():
                if value is not None and not HOLDS[bound](value, limit):
                    raise ValueError(f"{key} is {value}; its {BOUNDS[bound]} {limit}")
        if self.name.startswith("sde") and self.order == 3:
            raise ValueError(f"order is 3; of {self.name} its greatest is 2")  # with noise, a third one is unstable

    def __str__(self) -> str:
        said = [self.name]
        for key in SAMPLERS[self.name].options:
            value = getattr(self, key)
            if value is None:
                continue
            if isinstance(value, bool):
                said += [key] if value else []
            else:
                said.append(f"{value} {key}" if key == "steps" else f"{key} {value}")
        return ", ".join(said)

    @property
    def clips(self) -> bool:
        """Whether x_0 is clipped at each evaluation; the solver's estimate of its error needs a smooth field."""
        return self.name != "ode"

    @property
    def evaluations(self) -> int | None:
        """How often the network is called for each sample; None if the solver decides."""
        if self.steps is None:
            return None
        if self.name == "heun":
            return 2 * self.steps - 1
        return self.steps * (1 + (self.corrections or 0))


OPTIONS = options(Sampler)[1:]
HOLDS = {"minimum": operator.ge, "maximum": operator.le, "exclusiveMinimum": operator.gt}


@dataclass(frozen=True)
class Drawing:
    """How images are drawn from a run.

    sampler   a sampler, or the name of one with its defaults
    seed      of the noise; an image's noise follows from it and from the image's number alone
    raw       with the last weights, where there are averaged ones too
    batch     images at a time
    device    `auto`, `cpu`, `cuda`, ...
    labels    classes, which the images get in turn, for a network that is told them; all of its classes by default
    guidance  how far what is said with a label is taken beyond what is said without: 1 not at all, 0 leaves the label
              out (arXiv 2207.12598, w + 1 there)
    """

    sampler: Sampler | str = Sampler()
    seed: int = 0
    raw: bool = False
    batch: int = 64
    device: str = "auto"
    labels: tuple[int, ...] = ()
    guidance: float = 1.0

    def __post_init__(self) -> None:
        if not 0 <= self.guidance < math.inf:
            raise ValueError(f"guidance is {self.guidance}; it is a number of 0 or more")
        if self.batch < 1 or self.seed < 0:
            raise ValueError(f"batch is {self.batch} and seed {self.seed}; their least are 1 and 0")

    @property
    def by(self) -> Sampler:
        """The sampler."""
        return Sampler(self.sampler) if isinstance(self.sampler, str) else self.sampler

    def __str__(self) -> str:
        said = [str(self.by)]
        if self.labels:
            said.append(f"labels {','.join(map(str, self.labels))}")
        if self.guidance != 1:
            said.append(f"guidance {self.guidance:g}")
        return ", ".join(said)

    @property
    def stem(self) -> str:
        """A name for a file of images: `ddim-50-0`, with all that is not by default before the seed."""
        by = self.by
        own = {key: getattr(by, key) for key, usual in SAMPLERS[by.name].options.items() if getattr(by, key) != usual}
        words = [by.name, *([] if by.steps is None else [by.steps])]
        words += [f"{key}{value}" for key, value in own.items() if key != "steps"]
        words += [f"labels{','.join(map(str, self.labels))}"] if self.labels else []
        words += [f"guidance{self.guidance:g}"] if self.guidance != 1 else []
        words += ["raw"] if self.raw else []
        return "-".join(map(str, (*words, self.seed)))


def having(key: str) -> dict[str, Any]:
    """The samplers that have an option, each with its default."""
    return {name: kind.options[key] for name, kind in SAMPLERS.items() if key in kind.options}


BOUNDS = {"minimum": "least is", "maximum": "greatest is", "exclusiveMinimum": "values are above"}
