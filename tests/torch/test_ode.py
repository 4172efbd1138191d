"""The ODE module against torchdiffeq itself, against hand-written loops and against exact solutions."""

from __future__ import annotations

import copy
import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torchdiffeq import odeint, odeint_adjoint
from torchdiffeq._impl.odeint import SOLVERS

from tdspec.backend.ode import ODE, SolverError
from tdspec.language.solver import METHODS, Solver, conflict

torch.set_num_threads(1)  # these tensors are too small to share out


class ConcatConv(nn.Conv2d):
    def __init__(self, channels: int) -> None:
        super().__init__(channels + 1, channels, 3, padding=1)

    def forward(self, x: Tensor, t: Tensor) -> Tensor:  # type: ignore[override]
        return super().forward(torch.cat([t.expand_as(x[:, :1]), x], 1))


class Field(nn.Module):
    """[GN–ReLU–ConcatConv–GN–ReLU–ConcatConv–GN]."""

    def __init__(self, channels: int = 8) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.GroupNorm(4, channels) for _ in range(3))
        self.convs = nn.ModuleList(ConcatConv(channels) for _ in range(2))

    def forward(self, t: Tensor, y: Tensor) -> Tensor:
        for norm, conv in zip(self.norms, self.convs, strict=False):
            y = conv(torch.relu(norm(y)), t)
        return self.norms[2](y)


class Exponential(nn.Module):
    """y' = rate y."""

    def __init__(self, rate: float = -1.0) -> None:
        super().__init__()
        self.rate = nn.Parameter(torch.tensor(rate))

    def forward(self, t: Tensor, y: Tensor) -> Tensor:
        return self.rate * y


class Oscillator(nn.Module):
    """x' = v, v' = -x."""

    def forward(self, t: Tensor, x: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        return v, -x


class AtRest(nn.Module):
    """Starts the oscillator at x, with velocity zero."""

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return x, torch.zeros_like(x)


class Expression(nn.Module):
    """A field given as a function."""

    def __init__(self, function: Any) -> None:
        super().__init__()
        self.function = function

    def forward(self, t: Tensor, *parts: Tensor) -> Any:
        return self.function(t, *parts)


@pytest.fixture
def field() -> Field:
    torch.manual_seed(0)
    return Field()


@pytest.fixture
def x() -> Tensor:
    return torch.randn(4, 8, 6, 6, generator=torch.Generator().manual_seed(1))


def grads(module: nn.Module, x: Tensor) -> list[Tensor]:
    module.zero_grad()
    x = x.clone().requires_grad_()
    module(x).square().mean().backward()
    return [x.grad, *(p.grad.clone() for p in module.parameters())]


@pytest.mark.parametrize("gradient", ["adjoint", "seminorm", "direct"])
def test_output_is_that_of_torchdiffeq(field: Field, x: Tensor, gradient: str) -> None:
    plain = odeint(field, x, torch.tensor([0.0, 1.0]), rtol=1e-3, atol=1e-3, method="dopri5")[1]
    assert torch.equal(ODE(field, gradient=gradient)(x), plain)


def test_gradient_is_that_of_torchdiffeq(field: Field, x: Tensor) -> None:
    class Plain(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.field = field

        def forward(self, x: Tensor) -> Tensor:
            return odeint_adjoint(field, x, torch.tensor([0.0, 1.0]), rtol=1e-3, atol=1e-3, method="dopri5")[1]

    for ours, theirs in zip(grads(ODE(field), x), grads(Plain(), x), strict=True):
        assert torch.equal(ours, theirs)


@pytest.mark.parametrize("gradient", ["adjoint", "seminorm"])
def test_adjoint_gradient_agrees_with_direct(x: Tensor, gradient: str) -> None:
    torch.manual_seed(0)
    smooth = nn.Sequential(nn.Conv2d(8, 8, 3, padding=1), nn.Tanh(), nn.Conv2d(8, 8, 3, padding=1)).double()
    field = Expression(lambda t, y: smooth(y) * (1 + t))
    field.add_module("smooth", smooth)
    tight = {"rtol": 1e-8, "atol": 1e-8}
    pairs = zip(
        grads(ODE(field, gradient=gradient, **tight), x.double()),
        grads(ODE(field, gradient="direct", **tight), x.double()),
        strict=True,
    )
    for adjoint, direct in pairs:
        torch.testing.assert_close(adjoint, direct, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("method", METHODS)
def test_every_method_finds_the_exponential(method: str) -> None:
    grid = {} if METHODS[method].adaptive else {"steps": 256}  # explicit_adams is unstable on coarser grids
    ode = ODE(Exponential().double(), method=method, rtol=1e-6, atol=1e-6, **grid)
    found = ode(torch.ones(3, dtype=torch.float64))
    assert found.detach().numpy() == pytest.approx(math.exp(-1), rel=2e-3 if method == "euler" else 4e-4)


@pytest.mark.parametrize("method", [name for name in METHODS if METHODS[name].adaptive])
def test_cost_of_adaptive_methods_is_as_declared(field: Field, x: Tensor, method: str) -> None:
    ode = ODE(field, method=method)
    ode(x)
    facts, steps = METHODS[method], ode.counts["forward_accepted"] + ode.counts["forward_rejected"]
    assert ode.counts["forward_evaluations"] == facts.start + facts.evaluations * steps


@pytest.mark.parametrize(
    "method", [name for name in METHODS if METHODS[name].evaluations and not METHODS[name].adaptive]
)
def test_cost_of_fixed_methods_is_as_declared(field: Field, x: Tensor, method: str) -> None:
    ode = ODE(field, method=method, steps=3)
    ode(x).sum().backward()
    expected = 3 * METHODS[method].evaluations
    assert ode.counts == {
        "forward_solves": 1, "forward_evaluations": expected, "forward_accepted": 3, "forward_rejected": 0,
        "backward_solves": 1, "backward_evaluations": expected, "backward_accepted": 3, "backward_rejected": 0,
    }  # fmt: skip


def test_methods_and_orders_are_those_of_torchdiffeq() -> None:
    aliases = {"fixed_adams", "scipy_solver"}
    assert set(METHODS) == set(SOLVERS) - aliases
    for name, facts in METHODS.items():
        assert facts.order == SOLVERS[name].order
        assert facts.adaptive == hasattr(SOLVERS[name], "tableau")
    assert {name for name in METHODS if METHODS[name].adaptive} == set(ODE.ADAPTIVE)


def test_solver_section_says_what_does_not_go_together() -> None:
    assert conflict(Solver()) is None
    assert conflict(Solver(method="rk4", steps=4)) is None
    assert conflict(Solver(method="rk4"))[0] == "steps"
    assert conflict(Solver(method="dopri5", step_size=0.1))[0] == "step_size"


def test_evaluations_are_counted_and_steps_told_apart(field: Field, x: Tensor) -> None:
    calls = []
    field.register_forward_hook(lambda *_: calls.append(None))
    ode = ODE(field)
    y = ode(x)
    forward = ode.counts["forward_evaluations"]
    assert forward == len(calls) and forward % 6 == 2 and ode.counts["backward_evaluations"] == 0
    y.mean().backward()
    assert ode.counts["backward_evaluations"] == len(calls) - forward > 0
    assert ode.counts["backward_solves"] == 1
    ode.reset_counts()
    assert not any(ode.counts.values())


def test_direct_gradient_has_no_backward_solve(field: Field, x: Tensor) -> None:
    ode = ODE(field, gradient="direct")
    ode(x).sum().backward()
    assert ode.counts["backward_evaluations"] == 0


def test_seminorm_takes_fewer_evaluations_at_large_gradients(field: Field, x: Tensor) -> None:
    cost = {}
    for gradient in ("adjoint", "seminorm"):
        ode = ODE(field, gradient=gradient)
        (1e3 * ode(x).sum()).backward()
        cost[gradient] = ode.counts["backward_evaluations"]
    assert cost["seminorm"] < cost["adjoint"]


def test_euler_is_the_loop(field: Field, x: Tensor) -> None:
    y = x
    for k in range(4):
        y = y + 0.25 * field(torch.tensor(k / 4), y)
    torch.testing.assert_close(ODE(field, method="euler", steps=4)(x), y)
    torch.testing.assert_close(ODE(field, method="euler", step_size=0.25)(x), y)


def test_any_count_of_steps_is_kept() -> None:
    for steps in range(1, 60):
        ode = ODE(Exponential(), method="euler", steps=steps, t=(0.1, 2.3))
        ode(torch.ones(2)).sum().backward()
        assert ode.counts["forward_accepted"] == ode.counts["backward_accepted"] == steps


def test_time_may_run_backwards() -> None:
    ode = ODE(Exponential(), t=(1.0, 0.0), rtol=1e-6, atol=1e-6)
    ode(torch.ones(3)).sum().backward()
    assert ode(torch.ones(3)).detach().numpy() == pytest.approx(math.e, rel=1e-4)
    assert ode.field.rate.grad.item() == pytest.approx(-3 * math.e, rel=1e-3)


def test_field_sees_t() -> None:
    ode = ODE(Expression(lambda t, y: torch.ones_like(y) * t), t=(0.0, 2.0), rtol=1e-6, atol=1e-6)
    assert ode(torch.zeros(3)).numpy() == pytest.approx(2.0, rel=1e-4)


@pytest.mark.parametrize("gradient", ["adjoint", "seminorm", "direct"])
def test_state_of_several_parts(gradient: str) -> None:
    tight = {"rtol": 1e-7, "atol": 1e-7, "t": (0.0, math.pi / 2), "gradient": gradient}
    x = torch.ones(3, 1, requires_grad=True)
    position, velocity = ODE(Oscillator(), init=AtRest(), read=(0, 1), **tight)(x)
    torch.testing.assert_close(position, torch.zeros(3, 1), atol=1e-4, rtol=0)
    torch.testing.assert_close(velocity, -torch.ones(3, 1), atol=1e-4, rtol=0)
    (velocity.sum()).backward()
    torch.testing.assert_close(x.grad, -torch.ones(3, 1), atol=1e-4, rtol=0)
    assert torch.equal(ODE(Oscillator(), init=AtRest(), read=1, **tight)(x), velocity)


@pytest.mark.parametrize("gradient", ["adjoint", "seminorm", "direct"])
@pytest.mark.parametrize("backward_inside", [True, False])
def test_state_stays_float32_under_autocast(field: Field, x: Tensor, gradient: str, backward_inside: bool) -> None:
    exact = grads(ODE(field, gradient=gradient), x)
    field.zero_grad()
    states: list[torch.dtype] = []
    field.register_forward_hook(lambda _, args, out: states.append(args[1].dtype))
    ode, x = ODE(field, gradient=gradient), x.clone().requires_grad_()
    seen: set[torch.dtype] = set()
    field.convs[0].register_forward_hook(lambda _, __, out: seen.add(out.dtype))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss = ode(x.to(torch.bfloat16)).square().mean()
        if backward_inside:
            loss.backward()
    if not backward_inside:
        loss.backward()
    assert set(states) == {torch.float32} and seen == {torch.bfloat16}
    for parameter, reference in zip(field.parameters(), exact[1:], strict=True):
        assert parameter.grad is not None
        assert torch.nn.functional.cosine_similarity(parameter.grad.flatten(), reference.flatten(), 0) > 0.9


def test_budget_ends_with_a_diagnosis(field: Field, x: Tensor) -> None:
    with pytest.raises(
        SolverError, match=r"more than 10 evaluations: the forward solve stopped at t = .* rtol"
    ) as caught:
        ODE(field, max_evaluations=10)(x)
    assert (caught.value.reason, caught.value.phase, caught.value.evaluations) == ("budget", "forward", 11)
    assert 0 <= caught.value.t < 1


def test_budget_of_the_adjoint(field: Field, x: Tensor) -> None:
    loss = 1e6 * ODE(field, max_evaluations=30)(x).sum()
    with pytest.raises(SolverError) as caught:
        loss.backward()
    assert (caught.value.reason, caught.value.phase) == ("budget", "backward")


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_field_that_is_not_finite(bad: float) -> None:
    ode = ODE(Expression(lambda t, y: torch.where(t > 0.5, bad, -y)))
    with pytest.raises(SolverError, match="NaN or infinity") as caught:
        ode(torch.ones(4))
    assert caught.value.reason == "nonfinite" and 0 < caught.value.t <= 0.51


def test_gradient_that_is_not_finite() -> None:
    ode = ODE(Expression(lambda t, y: y.square().sqrt() * t - y))  # the root has no derivative at 0
    with pytest.raises(SolverError) as caught:
        ode(torch.zeros(4, requires_grad=True)).sum().backward()
    assert (caught.value.reason, caught.value.phase) == ("nonfinite", "backward")


def test_underflow_of_the_step_is_named_stiff() -> None:
    ode = ODE(Expression(lambda t, y: y**2), t=(0.0, 2.0), rtol=1e-6, atol=1e-6)  # blows up at t = 1
    with pytest.raises(SolverError) as caught:
        ode(torch.ones(4, dtype=torch.float64))
    assert caught.value.reason == "stiff" and caught.value.t == pytest.approx(1.0, abs=1e-3)


def test_assertions_of_the_field_pass_through() -> None:
    def field(t: Tensor, y: Tensor) -> Tensor:
        raise AssertionError("mine")

    with pytest.raises(AssertionError, match="mine"):
        ODE(Expression(field))(torch.ones(2))


def test_wrong_settings_are_refused(field: Field) -> None:
    with pytest.raises(ValueError, match="steps or step_size"):
        ODE(field, method="rk4")
    with pytest.raises(ValueError, match="steps or step_size"):
        ODE(field, method="rk4", steps=3, step_size=0.1)
    with pytest.raises(ValueError, match="gradient is"):
        ODE(field, gradient="exact")


def test_copies_and_modes(field: Field, x: Tensor) -> None:
    ode = ODE(field)
    twin = copy.deepcopy(ode)
    expected = ode(x)
    assert not any(twin.counts.values())
    assert torch.equal(twin(x), expected)
    assert set(ode.state_dict()) == {f"field.{name}" for name in field.state_dict()}
    with torch.no_grad():
        assert torch.equal(ode.eval()(x), expected)
    with torch.inference_mode():
        assert torch.equal(ode(x), expected)
