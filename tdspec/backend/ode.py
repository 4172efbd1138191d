"""The neural ODE as a module.

The three classes stand alone: `build --emit` prints their source into `model.py`, which then needs
torch and torchdiffeq only.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torchdiffeq import odeint, odeint_adjoint


class SolverError(RuntimeError):
    """An ODE could not be solved.

    found        what happened, as a clause
    reason       `budget`: more evaluations than allowed; `stiff`: the step fell below what t can
                 resolve; `nonfinite`: the field returned NaN or infinity
    phase        `forward`, or `backward` in the adjoint's solve
    evaluations  evaluations of the field in this solve
    t            time that was reached
    """

    def __init__(self, found: str, reason: str, phase: str, evaluations: int, t: float) -> None:
        self.found, self.reason, self.phase = found, reason, phase
        self.evaluations, self.t = evaluations, t
        remedy = {
            "budget": "loosen rtol and atol, raise max_evaluations, or take a fixed grid (rk4 with 8 steps); "
            "evaluations that grow while training ask for a lower learning rate or clip_norm",
            "stiff": "lower the learning rate, set clip_norm, use a smoother activation, loosen atol, "
            "or take a fixed grid (rk4 with 8 steps)",
            "nonfinite": "look for weights that are no longer finite, a learning rate too high, "
            "or a division, root or logarithm in the field",
        }
        place = f"the {phase} solve stopped at t = {t:.6g} after {evaluations} evaluations"
        super().__init__(f"{found}: {place}; {remedy[reason]}")


class Solve:
    """One solve and its adjoint: the function and the callbacks that torchdiffeq calls.

    torchdiffeq calls the same function in both, and finds the callbacks by their names.
    """

    def __init__(self, ode: ODE, like: Tensor) -> None:
        self.ode = ode
        self.phase = "forward"
        self.evaluations = 0
        self.t: Any = ode.t[0]
        self.kind = like.device.type
        # The adjoint calls the field outside the caller's autocast, so what holds now is kept.
        self.half = torch.get_autocast_dtype(self.kind) if torch.is_autocast_enabled(self.kind) else None
        if ode.method in ode.ADAPTIVE:  # a fixed grid has neither, and torchdiffeq warns of those it never calls
            self.callback_accept_step = self.callback_accept_step_adjoint = self.accept
            self.callback_reject_step = self.callback_reject_step_adjoint = self.reject

    def __call__(self, t: Tensor, y: Any) -> Any:
        if self.evaluations == 0:
            self.count("solves")
        self.evaluations += 1
        self.count("evaluations")
        if self.evaluations > self.ode.max_evaluations:
            self.stop(f"{self.ode.method} needs more than {self.ode.max_evaluations} evaluations", "budget")
        if self.ode.gradient == "seminorm":  # else torchdiffeq puts the integral of dL/dt into the error norm
            t = t.detach()
        parts = (y,) if isinstance(y, Tensor) else y
        if self.half is None:
            slopes = self.ode.field(t, *parts)
        else:
            # Weights that autocast keeps from the forward solve were cast without gradients: no cache.
            with torch.autocast(self.kind, dtype=self.half, cache_enabled=False):
                slopes = self.ode.field(t, *parts)
        slopes = (slopes,) if isinstance(slopes, Tensor) else slopes
        slopes = tuple(slope.to(part.dtype) for slope, part in zip(slopes, parts, strict=True))
        return slopes[0] if isinstance(y, Tensor) else slopes

    def enter_backward(self) -> None:
        self.phase, self.evaluations, self.t = "backward", 0, self.ode.t[1]

    def count(self, what: str) -> None:
        self.ode.counts[f"{self.phase}_{what}"] += 1

    def stop(self, found: str, reason: str) -> None:
        raise SolverError(found, reason, self.phase, self.evaluations, float(self.t))

    def callback_step(self, t: Tensor, y: Any, dt: Tensor) -> None:
        """Before each step: what torchdiffeq is about to assert, as an error that says more."""
        self.t = t
        if self.ode.method not in self.ode.ADAPTIVE:
            self.count("accepted")
        elif t + dt == t or t - dt == t:
            if float(dt) == 0.0:  # torchdiffeq turns a step that is not finite into zero
                self.stop("the field returned NaN or infinity", "nonfinite")
            self.stop(f"the step of {self.ode.method} fell to {float(dt):.1e}", "stiff")

    callback_step_adjoint = callback_step

    def accept(self, t: Tensor, y: Any, dt: Tensor) -> None:
        self.count("accepted")

    def reject(self, t: Tensor, y: Any, dt: Tensor) -> None:
        self.count("rejected")


class ODE(nn.Module):
    """Solves y' = field(t, y) from t[0] to t[1], starting at what comes in, and returns y(t[1]).

    field     called as `field(t, *parts)`, t a scalar tensor; returns one derivative for each part
    init      makes the state of the input, one tensor or a tuple; by default the input is the state
    read      index of the part that is returned, or a tuple of indices
    method    one of torchdiffeq's names; a fixed-step method needs `steps` or `step_size`
    gradient  `adjoint`: torchdiffeq's, with memory independent of the number of steps; `seminorm`: the
              same, with the integrals of parameters and t left out of the error norm (arXiv 2009.09457);
              `direct`: backpropagation through the steps taken
    adjoint_rtol, adjoint_atol  tolerances of the backward solve, by default the forward ones
    max_evaluations             of one forward or one backward solve; beyond, `SolverError`

    Shape: each part keeps its shape. A part is at least float32, under autocast too.
    `counts` sums up solves, evaluations of the field and steps, forward and backward apart.
    """

    ADAPTIVE = ("dopri5", "dopri8", "bosh3", "fehlberg2", "adaptive_heun")

    def __init__(
        self,
        field: nn.Module,
        *,
        init: nn.Module | None = None,
        read: int | tuple[int, ...] = 0,
        t: tuple[float, float] = (0.0, 1.0),
        method: str = "dopri5",
        rtol: float = 1e-3,
        atol: float = 1e-3,
        gradient: str = "adjoint",
        adjoint_rtol: float | None = None,
        adjoint_atol: float | None = None,
        steps: int | None = None,
        step_size: float | None = None,
        max_evaluations: int = 10_000,
    ) -> None:
        super().__init__()
        if method not in self.ADAPTIVE and (steps is None) == (step_size is None):
            raise ValueError(f"{method} has a fixed grid: give steps or step_size, one of the two")
        if gradient not in ("adjoint", "seminorm", "direct"):
            raise ValueError(f"gradient is adjoint, seminorm or direct, found {gradient}")
        self.field = field
        self.init = init
        self.read = read
        self.t = (float(t[0]), float(t[1]))
        self.method, self.rtol, self.atol = method, rtol, atol
        self.gradient, self.adjoint_rtol, self.adjoint_atol = gradient, adjoint_rtol, adjoint_atol
        self.steps, self.step_size = steps, step_size
        self.max_evaluations = max_evaluations
        self.counts: dict[str, int] = {}
        self.reset_counts()

    def reset_counts(self) -> None:
        """Set every count to zero."""
        for phase in ("forward", "backward"):
            for what in ("solves", "evaluations", "accepted", "rejected"):
                self.counts[f"{phase}_{what}"] = 0

    @torch.compiler.disable  # a solver branches on data; what is worth compiling is the field, `ode.field.compile()`
    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        state = x if self.init is None else self.init(x)
        parts = (state,) if isinstance(state, Tensor) else tuple(state)
        parts = tuple(part.float() if part.dtype in (torch.bfloat16, torch.float16) else part for part in parts)
        t = torch.tensor(self.t, dtype=parts[0].dtype, device=parts[0].device)
        solve = Solve(self, parts[0])
        keywords: dict[str, Any] = {"rtol": self.rtol, "atol": self.atol, "method": self.method}
        keywords["options"] = self.grid()
        if self.gradient != "direct":
            keywords["adjoint_rtol"], keywords["adjoint_atol"] = self.adjoint_rtol, self.adjoint_atol
            keywords["adjoint_params"] = tuple(self.field.parameters())
            if self.gradient == "seminorm":
                keywords["adjoint_options"] = {**self.grid(), "norm": "seminorm"}
        integrate = odeint if self.gradient == "direct" else odeint_adjoint
        solution = integrate(solve, parts[0] if len(parts) == 1 else parts, t, **keywords)
        solve.enter_backward()
        ends = (solution[-1],) if isinstance(solution, Tensor) else tuple(part[-1] for part in solution)
        return ends[self.read] if isinstance(self.read, int) else tuple(ends[index] for index in self.read)

    def grid(self) -> dict[str, Any]:
        """torchdiffeq's options for a fixed grid; a count of steps is kept exactly, where a size may round up."""
        if self.step_size is not None:
            return {"step_size": self.step_size}
        if self.steps is None:
            return {}
        return {"grid_constructor": self.equal_steps}

    def equal_steps(self, field: Any, y: Tensor, t: Tensor) -> Tensor:
        assert self.steps is not None
        times = t[0] + (t[-1] - t[0]) * torch.linspace(0, 1, self.steps + 1, dtype=t.dtype, device=t.device)
        times[-1] = t[-1]  # torchdiffeq asks for the very same number
        return times

    def extra_repr(self) -> str:
        return f"t={self.t}, method={self.method}, rtol={self.rtol:g}, atol={self.atol:g}, gradient={self.gradient}"
