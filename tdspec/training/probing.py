"""What a probe measures: which weights, and which images enter."""

from __future__ import annotations

import torch
from torch import Tensor

from tdspec.backend.compile import compile_spec
from tdspec.backend.network import Network
from tdspec.graph.graph import Graph
from tdspec.graph.wire import wire
from tdspec.language.augmentation import bind
from tdspec.language.diffusion import Diffuse
from tdspec.language.spec import Spec
from tdspec.rules.context import Context
from tdspec.training import checkpoint as checkpoints
from tdspec.training.augment import Augment
from tdspec.training.data import load
from tdspec.training.diffusion import Diffusion
from tdspec.training.errors import DataError
from tdspec.training.random_state import seed_all
from tdspec.training.resume import Origin
from tdspec.witness.probe import Probe, probe, scopes_of

BATCH = 8


def probe_spec(
    spec: Spec, *, origin: Origin | None = None, seeds: int = 3, data: bool = False, batch: int = BATCH
) -> Probe:
    """Measure a spec's time shares, under weights drawn by its rules or those of a run.

    origin  a run, whose last checkpoint is taken
    seeds   how many draws of the weights, without `origin`
    data    whether images of the spec's data enter, instead of standard normal numbers
    batch   how many of them

    Raises `DataError` if the images cannot be read, `CheckpointError` if the checkpoint cannot.
    """
    graph: Graph = wire(spec)[0]
    scopes = scopes_of(graph, Context(spec, graph).scopes)
    x, inputs = images(spec, batch) if data else (noise(spec, batch), f"{batch} draws of standard normal noise")
    if origin is not None and origin.checkpoint is not None:
        network = compile_spec(spec)
        saved = checkpoints.load(origin.checkpoint)
        network.load_state_dict(saved.ema or saved.model)
        return probe(
            scopes, [network], x, name=spec.name, weights=f"{origin.checkpoint.name} of {origin.folder}", inputs=inputs
        )
    weights = f"drawn by the spec's rules, {seeds} seed{'s' * (seeds != 1)}"
    return probe(
        scopes, [drawn(spec, seed) for seed in range(seeds)], x, name=spec.name, weights=weights, inputs=inputs
    )


def drawn(spec: Spec, seed: int) -> Network:
    seed_all(seed)
    return compile_spec(spec)


def noise(spec: Spec, batch: int) -> Tensor:
    return torch.randn(batch, *spec.input, generator=torch.Generator().manual_seed(0))


def images(spec: Spec, batch: int) -> tuple[Tensor, str]:
    """Test images as the network sees them, and what they are."""
    if spec.data is None:
        raise DataError("the spec has no `data` to take images from: leave --data away, and noise enters")
    splits = load(spec.data)
    transforms, problems = bind(spec.data.augment)
    if problems:
        raise DataError(f"data.augment: {problems[0].message}; {problems[0].help}")
    seen = Augment(transforms, *splits.train.statistics()).eval()
    test = splits.test.images[:batch]
    about = f"{len(test)} test images of {spec.data.name}"
    if isinstance(spec.task, Diffuse):
        x, t = Diffusion.of(spec).arguments(seen(test))
        return x, f"{about} with the noise of t = {t[0]:g}"
    return seen(test), about
