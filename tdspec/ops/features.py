"""Sinusoid and Fourier: features of t, the start of a `time.embed` pipeline."""

from __future__ import annotations

from tdspec.ops.effects import Constant, Effect, Waves
from tdspec.ops.op import Call, Lowered, Op, Param, Site
from tdspec.ops.shape import Shape, ShapeError

DIM = Param("dim", "count", 128, "Number of features; even.", minimum=2)


def infer(site: Site) -> Shape:
    if site.x != Shape(1):
        raise ShapeError(
            "TD202",
            f"features are made of t alone, but {site.x} comes in",
            help="put it first in `time.embed`",
        )
    if site["dim"] % 2:
        raise ShapeError("TD202", f"{site['dim']} features cannot be half sines and half cosines", argument="dim")
    return Shape(site["dim"])


def effects(site: Site) -> tuple[Effect, ...]:
    return (Waves(),) if site["scale"] else (Constant(),)


def sinusoid_frequencies(site: Site) -> tuple[float, ...]:
    """Angular frequency of each sine, in radians per unit of the argument."""
    half = site["dim"] // 2
    last = half - 1 if site["endpoint"] and half > 1 else half
    return tuple(float(site["scale"]) * float(site["period"]) ** (-index / last) for index in range(half))


def sinusoid_lower(site: Site) -> Lowered:
    more = {
        name: site[name]
        for name, plain in (("period", 10000), ("endpoint", True), ("order", "sin_cos"), ("scale", 1))
        if site[name] != plain
    }
    return Lowered(Call("tdspec.backend.modules.features:Sinusoid", (site["dim"],), more))


SINUSOID = Op(
    "Sinusoid",
    """Sines and cosines of t at geometric frequencies from 1 down to 1/period.

    Shape: t, f32[B] or f32[1] -> f32[B,dim].
    Time: many features stay almost constant where the argument's range is small against the period.
    Source: arXiv 2006.11239, appendix B (endpoint); arXiv 2102.09672's code leaves the end point out.""",
    (
        DIM,
        Param("period", "number", 10000, "Ratio of the slowest feature's period to the fastest's.", minimum=1),
        Param("endpoint", "flag", True, "Whether the slowest frequency is exactly 1/period."),
        Param("order", "choice", "sin_cos", "Which half comes first.", choices=("sin_cos", "cos_sin")),
        Param("scale", "number", 1, "Factor on the argument."),
    ),
    effects, sinusoid_lower, infer, frequencies=sinusoid_frequencies,
)  # fmt: skip


def fourier_lower(site: Site) -> Lowered:
    return Lowered(
        Call(
            "tdspec.backend.modules.features:Fourier",
            (site["dim"],),
            {"scale": site["scale"]} if site["scale"] != 16 else {},
        )
    )


FOURIER = Op(
    "Fourier",
    """Sines and cosines of 2 pi w t at fixed random frequencies w, normal with standard deviation `scale`.

    Shape: t, f32[B] or f32[1] -> f32[B,dim]. The frequencies are a buffer, not learned.
    Time: high frequencies tell close times apart.
    Source: arXiv 2006.10739; arXiv 2011.13456, appendix G.""",
    (DIM, Param("scale", "number", 16, "Standard deviation of the frequencies.", minimum=0)),
    effects, fourier_lower, infer,
)  # fmt: skip

FEATURES = (SINUSOID, FOURIER)
