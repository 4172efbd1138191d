"""The parts of a training step, each against what it should be equal to."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from torch import nn

from tdspec.language.augmentation import AUGMENTATIONS, Transform, bind
from tdspec.language.training import Adam, AdamW, Classify, Cosine, Plateau, Sgd, Step, Warmup
from tdspec.training.augment import STEPS, Augment, RandomCrop
from tdspec.training.batches import Order
from tdspec.training.errors import DataError
from tdspec.training.nonfinite import first_nonfinite
from tdspec.training.optimizer import make_optimizer
from tdspec.training.schedule import Rate
from tdspec.training.task import Classification
from tests.torch.small_run import pipeline


@pytest.fixture
def images() -> torch.Tensor:
    return torch.randint(0, 256, (64, 3, 10, 10), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def augment(*steps: tuple[str, dict[str, float]], channels: int = 3) -> Augment:
    transforms, problems = bind(pipeline(*steps))
    assert not problems
    return Augment(transforms, torch.full((channels,), 0.4), torch.full((channels,), 0.2))


def test_every_declared_step_is_carried_out() -> None:
    assert set(STEPS) | {"Normalize"} == set(AUGMENTATIONS)


def test_crop_takes_a_window_of_the_framed_image(images: torch.Tensor) -> None:
    torch.manual_seed(0)
    cropped = RandomCrop(8, 2)(images.float())
    framed = nn.functional.pad(images.float(), (2, 2, 2, 2))
    windows = framed.unfold(2, 8, 1).unfold(3, 8, 1)  # image, channel, top, left, 8, 8
    places = set()
    for image, options in zip(cropped, windows, strict=True):
        found = (options == image[:, None, None]).all(-1).all(-1).all(0).nonzero().tolist()
        assert len(found) == 1
        places.add(tuple(found[0]))
    assert len(places) > 20 and max(max(place) for place in places) == 6 and min(min(place) for place in places) == 0


def test_crop_larger_than_the_image_is_refused(images: torch.Tensor) -> None:
    with pytest.raises(DataError, match=r"RandomCrop\(20\) is larger"):
        RandomCrop(20, 1)(images.float())


def test_flip_turns_a_part_of_the_images(images: torch.Tensor) -> None:
    torch.manual_seed(0)
    flipped = augment(("HorizontalFlip", {"p": 0.5}))(images)
    plain = images.float() / 255
    kinds = [(torch.equal(a, b), torch.equal(a, b.flip(-1))) for a, b in zip(flipped, plain, strict=True)]
    assert all(one != other for one, other in kinds)
    assert 16 < sum(same for same, _ in kinds) < 48


@pytest.mark.parametrize("step", [("ColorJitter", {"hue": 0.05, "saturation": 0.3}), ("Rotation", {"degrees": 20})])
def test_each_image_gets_a_draw_of_its_own(step: tuple[str, dict[str, float]]) -> None:
    same = torch.randint(0, 256, (1, 3, 10, 10), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)).repeat(
        8, 1, 1, 1
    )
    changed = augment(step)(same)
    assert all(not torch.allclose(changed[0], other, atol=1e-4) for other in changed[1:])
    assert changed.min() >= 0 and changed.max() <= 1


def test_draws_follow_the_random_state(images: torch.Tensor) -> None:
    steps = augment(
        ("RandomCrop", {"size": 8, "padding": 1}),
        ("ColorJitter", {"hue": 0.05}),
        ("HorizontalFlip", {}),
        ("Normalize", {}),
    )
    state = torch.get_rng_state()
    first = steps(images)
    assert not torch.equal(steps(images), first)
    torch.set_rng_state(state)
    assert torch.equal(steps(images), first)


def test_evaluation_normalises_and_nothing_else(images: torch.Tensor) -> None:
    steps = augment(("HorizontalFlip", {}), ("VerticalFlip", {}), ("Normalize", {})).eval()
    torch.testing.assert_close(steps(images), (images.float() / 255 - 0.4) / 0.2)


def test_channel_without_variance_stays_finite() -> None:
    steps = Augment((Transform("Normalize", {}),), torch.zeros(1), torch.zeros(1))
    assert torch.isfinite(steps(torch.zeros(2, 1, 4, 4, dtype=torch.uint8))).all()


@pytest.mark.parametrize(
    ("step", "code", "words"),
    [
        (("RandomCorp", {"size": 3}), "TD030", "did you mean `RandomCrop`?"),
        (("RandomCrop", {"size": 3, "pading": 1}), "TD031", "did you mean `padding`?"),
        (("RandomCrop", {}), "TD033", "needs `size`"),
        (("RandomCrop", {"size": 3.5}), "TD032", "a whole number"),
        (("HorizontalFlip", {"p": 1.5}), "TD032", "from 0 to 1, found 1.5"),
        (("Normalize", {"mean": 0.5}), "TD031", "it takes none"),
    ],
)
def test_mistakes_in_augmentation_are_findings(step: tuple[str, dict[str, float]], code: str, words: str) -> None:
    transforms, problems = bind(pipeline(step))
    assert not transforms and [problem.code for problem in problems] == [code]
    assert words in problems[0].message + problems[0].help


def run_torch(
    optimizer: torch.optim.Optimizer, scheduler: torch.optim.lr_scheduler.LRScheduler, steps: int
) -> list[float]:
    rates = []
    for _ in range(steps):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return rates


def sgd(lr: float = 1.0) -> torch.optim.SGD:
    return torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=lr)


def test_step_schedule_is_torchs() -> None:
    for section, make in (
        (Step(milestones=(2, 5), factor=0.1), lambda o: torch.optim.lr_scheduler.MultiStepLR(o, [2, 5], 0.1)),
        (Step(every=3, factor=0.5), lambda o: torch.optim.lr_scheduler.StepLR(o, 3, 0.5)),
    ):
        rate, optimizer = Rate(section, 80, 10), sgd()
        expected = run_torch(optimizer, make(optimizer), 8)
        assert [rate.factor(10 * epoch) for epoch in range(8)] == pytest.approx(expected)
        assert rate.factor(9) == expected[0]


def test_cosine_schedule_is_torchs() -> None:
    optimizer = sgd()
    expected = run_torch(optimizer, torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 50, eta_min=0.1), 50)
    rate = Rate(Cosine(final=0.1), 50, 10)
    assert [rate.factor(step) for step in range(50)] == pytest.approx(expected)


@pytest.mark.parametrize("metric", ["loss", "accuracy"])
def test_plateau_schedule_is_torchs(metric: str) -> None:
    values = torch.rand(60, generator=torch.Generator().manual_seed(0)).tolist()
    optimizer = sgd(0.5)
    mode = "max" if metric == "accuracy" else "min"
    reference = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, mode, factor=0.5, patience=3, min_lr=0.01)
    rate = Rate(Plateau(patience=3, factor=0.5, metric=metric, min_lr=0.01), 600, 10)  # type: ignore[arg-type]
    for epoch, value in enumerate(values):
        assert 0.5 * rate.factor(10 * epoch) == pytest.approx(optimizer.param_groups[0]["lr"])
        reference.step(value)
        rate.epoch_ended({metric: value}, 0.5)
    assert rate.reduced == pytest.approx(0.02)
    twin = Rate(rate.section, 600, 10)
    twin.restore(rate.state())
    assert twin.state() == rate.state()


def test_warm_up_rises_and_then_leaves_the_schedule_alone() -> None:
    rate = Rate(Warmup(steps=4), 100, 10)
    assert [rate.factor(step) for step in range(6)] == [0.25, 0.5, 0.75, 1, 1, 1]
    rate = Rate(Cosine(warmup_epochs=1), 100, 10)
    assert rate.factor(0) == 0.1 and rate.factor(10) == 1 and rate.factor(55) == pytest.approx(0.5)
    assert Rate(None, 100, 10).factor(50) == 1


@pytest.mark.parametrize(
    ("section", "kind", "settings"),
    [
        (Sgd(lr=0.1, momentum=0.9, nesterov=True, weight_decay=1e-4), torch.optim.SGD, ("momentum", "nesterov")),
        (Adam(lr=0.1, betas=(0.8, 0.9), eps=1e-6), torch.optim.Adam, ("betas", "eps")),
        (AdamW(lr=0.1), torch.optim.AdamW, ("betas", "eps")),
    ],
)
def test_optimizers(section: Sgd | Adam | AdamW, kind: type, settings: tuple[str, ...]) -> None:
    model = nn.Linear(2, 2)
    model.bias.requires_grad_(False)
    optimizer = make_optimizer(section, model)
    assert type(optimizer) is kind and len(optimizer.param_groups[0]["params"]) == 1
    for name in ("lr", "weight_decay", *settings):
        assert optimizer.param_groups[0][name] == dataclasses.asdict(section)[name]


@pytest.mark.parametrize(("world", "accumulate"), [(1, 1), (2, 1), (3, 2)])
def test_order_shows_each_image_once_whoever_looks(world: int, accumulate: int) -> None:
    orders = [Order(107, 20, seed=3, rank=rank, world=world, accumulate=accumulate) for rank in range(world)]
    whole = list(Order(107, 20, seed=3).epoch(5))
    for batch, shares in zip(whole, zip(*(order.epoch(5) for order in orders), strict=True), strict=True):
        rows = torch.cat([part for share in shares for part in share.parts])
        assert all(share.size == batch.size and len(share.parts) == accumulate for share in shares)
        assert sorted(rows.tolist()) == sorted(batch.parts[0].tolist())
    seen = torch.cat([batch.parts[0] for batch in whole])
    assert sorted(seen.tolist()) == list(range(107))


def test_order_can_begin_anywhere_and_differs_between_epochs_and_seeds() -> None:
    order = Order(50, 8, seed=0)
    whole = list(order.epoch(2))
    for all_of_it, rest in zip(whole[3:], order.epoch(2, 3), strict=True):
        assert torch.equal(all_of_it.parts[0], rest.parts[0])
    assert not torch.equal(whole[0].parts[0], next(order.epoch(3)).parts[0])
    assert not torch.equal(whole[0].parts[0], next(Order(50, 8, seed=1).epoch(2)).parts[0])


def test_last_batch_too_small_for_all_processes_is_left_out() -> None:
    assert Order(101, 20, 0, world=1).batches == 6
    assert Order(101, 20, 0, world=2).batches == 5
    assert Order(5, 20, 0).batches == 1


def test_classification_measures_each_sample() -> None:
    logits = torch.tensor([[2.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    labels = torch.tensor([0, 1])
    measured = Classification(Classify(label_smoothing=0.1)).measure(nn.Identity(), logits, labels)
    assert measured["accuracy"].tolist() == [100, 0]
    expected = nn.functional.cross_entropy(logits, labels, label_smoothing=0.1)
    torch.testing.assert_close(measured["loss"].mean(), expected)
    evaluated = Classification(Classify(label_smoothing=0.1)).measure(nn.Identity().eval(), logits, labels)
    torch.testing.assert_close(evaluated["loss"].mean(), nn.functional.cross_entropy(logits, labels))


class Root(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return (x - 10).sqrt()


def test_first_layer_that_is_not_finite_is_named() -> None:
    model = nn.Sequential(nn.Linear(2, 2), nn.Sequential(nn.ReLU(), Root()), nn.Linear(2, 2))
    x = torch.ones(3, 2)
    assert "`1.1` (Root) is the first layer" in first_nonfinite(model, x, lambda: model(x))
    assert "images" in first_nonfinite(model, x / 0, lambda: model(x))
    with torch.no_grad():
        model[2].bias[0] = torch.nan
    assert "`2.bias`" in first_nonfinite(model, x, lambda: model(x))
