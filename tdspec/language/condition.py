"""The section `condition`: what the network is told besides t."""

from __future__ import annotations

from dataclasses import dataclass

from tdspec.language.fields import option


@dataclass(frozen=True, kw_only=True)
class Labels:
    """The class of the image: a learned vector for each is added to the embedding of t.

    The network is called as model(x, t, labels), or model(x, t) for no class at all. Source: arXiv 2105.05233,
    section 3; arXiv 2207.12598 for `drop`.
    """

    classes: int | None = option(None, "How many there are; by default as many as the data have.", minimum=1)
    drop: float = option(
        0.1,
        "Share of images that are trained without their label, so that samples can be guided; 0 for none.",
        minimum=0,
        below=1,
    )


@dataclass(frozen=True, kw_only=True)
class Condition:
    """What a diffusion model is told besides t."""

    labels: Labels | None = option(None, "The class of the image.")
