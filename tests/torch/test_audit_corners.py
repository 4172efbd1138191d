"""Audits of models that do what a watcher of torch's calls may miss: in place, out of sight, from memory, at random."""

from __future__ import annotations

import math
import random
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import tdspec
from tdspec.report.finding import Severity
from tdspec.witness.calling import AuditError

C = 16
torch.set_num_threads(1)


def gn() -> nn.Module:
    return nn.GroupNorm(2, C)


def instance() -> nn.Module:
    return nn.InstanceNorm2d(C)


class Added(nn.Module):
    """conv, time added, norm, conv; padding is circular, so that a norm of one channel erases time exactly."""

    def __init__(self, norm: Callable[[], nn.Module] = gn) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, C, 3, padding=1, padding_mode="circular")
        self.emb = nn.Sequential(nn.Linear(1, 32), nn.SiLU(), nn.Linear(32, C))
        self.norm = norm()
        self.last = nn.Conv2d(C, 3, 3, padding=1, padding_mode="circular")

    def enter(self, x: Tensor, t: Tensor) -> Tensor:
        return self.first(x) + self.emb(t.reshape(-1, 1))[:, :, None, None]

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        return self.last(F.silu(self.norm(self.enter(x, t))))


class Sinusoid(Added):
    """The embedding of many tutorials, written column by column."""

    def __init__(self, norm: Callable[[], nn.Module] = gn) -> None:
        super().__init__(norm)
        self.emb = nn.Sequential(nn.Linear(32, 32), nn.SiLU(), nn.Linear(32, C))

    def forward(self, x: Tensor, timestep: Tensor) -> Tensor:
        waves = torch.zeros(timestep.shape[0], 32)
        rates = torch.exp(torch.arange(0, 32, 2) * (-math.log(1e4) / 32))
        waves[:, 0::2] = torch.sin(timestep[:, None] * rates)
        waves[:, 1::2] = torch.cos(timestep[:, None] * rates)
        return self.last(F.silu(self.norm(self.first(x) + self.emb(waves)[:, :, None, None])))


class Narrow(Sinusoid):
    """The same into a table that is float32 wherever it is made."""

    def forward(self, x: Tensor, timestep: Tensor) -> Tensor:
        waves = torch.from_numpy(np.zeros((timestep.shape[0], 32), np.float32))
        rates = torch.exp(torch.arange(0, 32, 2) * (-math.log(1e4) / 32))
        waves[:, 0::2] = torch.sin(timestep[:, None] * rates)
        waves[:, 1::2].copy_(torch.cos(timestep[:, None] * rates))
        return self.last(F.silu(self.norm(self.first(x) + self.emb(waves)[:, :, None, None])))


class Written(nn.Module):
    """t and x are written into the channels of one tensor, and the result into another."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.norm, self.last = nn.Conv2d(4, C, 3), gn(), nn.Conv2d(C, 3, 1)

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        both = torch.zeros(x.shape[0], 4, 8, 8)
        both[:, 0], both[:, 1:] = t[:, None, None], x
        result = torch.zeros(x.shape[0], 3, 6, 6)
        result[:] = self.last(F.silu(self.norm(self.first(both))))
        return result


class OutOf(Added):
    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        h = self.enter(x, t)
        return self.last(self.norm(torch.mul(h, 2.0, out=torch.empty(h.shape))))


def swish(x: Tensor) -> Tensor:
    return x * torch.sigmoid(x)


def scripted(what: Any) -> Any:
    """By TorchScript, which is deprecated and in use."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.jit.script(what)


class Via(Added):
    """A function behind the norm whose result may come without a trace of where it came from."""

    def __init__(self, function: Callable[[Tensor], Tensor], norm: Callable[[], nn.Module] = gn) -> None:
        super().__init__(norm)
        self.function = function

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        return self.last(self.function(self.norm(self.enter(x, t))))


class Counts(Added):
    """Remembers how often it was called."""

    def __init__(self, norm: Callable[[], nn.Module] = gn, *, timeless: bool = False) -> None:
        super().__init__(norm)
        self.timeless, self.calls = timeless, 0
        self.register_buffer("seen", torch.zeros(()))
        self.register_buffer("mean", torch.zeros(()))

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        self.calls += 1
        self.seen += 1
        self.mean = 0.9 * self.mean + 0.1 * x.square().mean()  # replaced, not written into
        h = self.last(self.first(x)) if self.timeless else super().forward(x, t)
        return h * (1 + 0.01 * self.calls + 0.01 * self.seen + 0.01 * self.mean)


class Spectral(nn.Module):
    """Its norm takes a step of power iteration in each call; t is ignored."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.utils.parametrizations.spectral_norm(nn.Conv2d(3, 3, 3, padding=1))

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        found: Tensor = self.conv(x)
        return found


class Chances(Added):
    """Random numbers from elsewhere than torch, in training."""

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        scale = 1 + random.random() + np.random.rand() if self.training else 1.0
        return super().forward(x, t) * scale


class Noisy(Added):
    """A mask written by hand, in training: it lets time through a norm of one channel."""

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        h = self.enter(x, t)
        return self.last(F.silu(self.norm(h * (torch.rand_like(h) > 0.3) / 0.7 if self.training else h)))


class OnlyInTraining(Added):
    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        h = self.enter(x, t) if self.training else self.first(x)
        return self.last(F.silu(self.norm(h)))


class Steps(Added):
    """A step's number under the name of a continuous time."""

    def __init__(self) -> None:
        super().__init__()
        self.emb = nn.Embedding(1000, C)

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        return self.last(F.silu(self.norm(self.first(x) + self.emb(t.long())[:, :, None, None])))


class Late(Added):
    """Layers that are made in the first call."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.LazyConv2d(C, 3)
        self.more: nn.Module | None = None

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        if self.more is None:
            self.more = nn.Conv2d(3, 3, 1).to(x)
        found: Tensor = self.more(super().forward(x, t))
        return found


class OldWeightNorm(Added):
    def __init__(self) -> None:
        super().__init__()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.first = nn.utils.weight_norm(nn.Conv2d(3, C, 3))


class Doubled(Added):
    """Guidance: the batch twice."""

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        return super().forward(torch.cat((x, x)), torch.cat((t, t)))[: len(x)]


class Sums(Added):
    def forward(self, x: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:  # type: ignore[override]
        found = super().forward(x, t)
        return found.mean((1, 2, 3)), found


class Padded(nn.Module):
    """Audio: zeros around a line, given by `F.pad`."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.norm, self.last = nn.Conv1d(2, C, 3), nn.InstanceNorm1d(C), nn.Conv1d(C, 1, 1)

    def forward(self, t: Tensor, x: Tensor) -> Tensor:
        both = torch.cat((x, torch.ones_like(x) * t), 1)
        return self.last(torch.tanh(self.norm(self.first(F.pad(both, (1, 1))))))


def errors(model: nn.Module, shape: tuple[int, ...] = (3, 8, 8)) -> list[str]:
    found = tdspec.audit(model, shape)
    alive = [source.end for source in found.sources] == ["alive"]
    assert found.ok == alive, str(found)
    return [item.code for item in found.findings if item.severity is Severity.ERROR]


@pytest.mark.filterwarnings("ignore")  # of what is deprecated and in use
@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (Sinusoid(), []),
        (Sinusoid(instance), ["TD101"]),
        (Narrow(), []),
        (Narrow(instance), ["TD101"]),
        (Written(), []),
        (OutOf(), []),
        (OutOf(instance), ["TD101"]),
        (Via(scripted(swish)), []),
        (Via(scripted(swish), instance), ["TD101"]),
        (Via(lambda h: torch.fft.ifft2(torch.fft.fft2(h)).real), []),
        (Via(lambda h: h.mT), []),
        (Via(lambda h: h.data, instance), ["TD101"]),
        (Via(lambda h: torch.from_numpy(h.detach().numpy().copy()).to(h)), []),
        (Counts(), []),
        (Counts(instance), ["TD101"]),
        (Counts(timeless=True), ["TD107"]),
        (Spectral(), ["TD107"]),
        (Chances(), []),
        (Chances(instance), ["TD101"]),
        (Noisy(instance), ["TD101"]),
        (Noisy(), []),
        (OnlyInTraining(), ["TD101"]),
        (Added(lambda: nn.InstanceNorm2d(C, track_running_stats=True)), ["TD101"]),
        (Steps(), []),
        (Late(), []),
        (OldWeightNorm(), []),
        (Doubled(instance), ["TD101"]),
        (Sums(), []),
        (torch.compile(Added(), backend="eager"), []),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, nn.Module) else None,
)
def test_errors(model: nn.Module, expected: list[str]) -> None:
    assert errors(model) == expected


def test_how_t_is_given_is_not_changed_to_find_it_alive() -> None:
    """BatchNorm erases one t for the batch; one for each sample would pass, and is not what a solver gives."""

    class Field(Added):
        def forward(self, t: Tensor, x: Tensor) -> Tensor:  # type: ignore[override]
            return super().forward(x, t.expand(len(x)) if t.dim() == 0 else t)

    found = tdspec.audit(Field(lambda: nn.BatchNorm2d(C)), (3, 8, 8))
    assert not found.per_sample and "integer" not in found.call
    assert [item.code for item in found.findings if item.severity is Severity.ERROR] == ["TD104"]


def test_rounding_of_large_steps_is_not_taken_for_a_sign_of_life() -> None:
    """It erases t in [0, 1], and would leave what is rounded off beside an offset of 999."""

    class Cast(Added):
        def __init__(self) -> None:
            super().__init__(instance)
            self.emb = nn.Sequential(nn.Linear(1, C))

        def forward(self, x: Tensor, t: Tensor) -> Tensor:
            return super().forward(x, t.float())

    assert "continuous in [0, 1]" in tdspec.audit(Cast(), (3, 8, 8)).call


def test_padding_of_a_line_is_a_border_too() -> None:
    assert errors(Padded(), (1, 64)) == ["TD103"]


def test_an_audit_leaves_everything_as_it_was() -> None:
    model = Counts()
    states = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state()  # type: ignore[union-attr]
    tdspec.audit(model, (3, 8, 8))
    assert model.calls == 0 and model.seen == 0 and torch.get_default_dtype() is torch.float32
    assert random.getstate() == states[0] and torch.equal(torch.get_rng_state(), states[2])
    assert np.random.get_state()[1].tolist() == states[1]  # type: ignore[union-attr]


class Remembers(Added):
    """What is kept in a list is not put back."""

    def __init__(self) -> None:
        super().__init__()
        self.before: list[float] = []

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        self.before.append(0.1)
        return super().forward(x, t) * (1 + sum(self.before))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("model", "options", "said"),
    [
        (Remembers(), {}, "two calls with the same weights, x, t and random state give different outputs"),
        (scripted(nn.Linear(3, 3)), {}, "a model of TorchScript cannot be watched"),
        (Added(), {"time": (math.nan, 1.0)}, "two finite numbers, not nan and 1"),
        (Added(), {"time": (0.5, 0.5)}, "two finite numbers"),
    ],
)
def test_what_cannot_be_audited_says_why(model: nn.Module, options: dict[str, tuple[float, float]], said: str) -> None:
    with pytest.raises(AuditError, match=said):
        tdspec.audit(model, (3, 8, 8), time=options.get("time"))


def test_a_batch_that_is_asked_for_is_taken() -> None:
    class Fixed(Added):
        def forward(self, x: Tensor, t: Tensor) -> Tensor:
            return super().forward(x, t) + torch.zeros(4, 1, 1, 1)

    assert tdspec.audit(Fixed(), (3, 8, 8), batch=4).ok
