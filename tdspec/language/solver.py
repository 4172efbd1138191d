"""The section `solver`: how an ODE is solved and how its gradient is taken."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

from tdspec.language.fields import option


class Method(NamedTuple):
    """Facts of one Runge-Kutta or multistep method of torchdiffeq 0.2.5.

    order        order of convergence of the solution that is kept
    adaptive     whether the step is chosen from `rtol` and `atol`; otherwise the grid is fixed
    evaluations  evaluations of the field for each attempted step; None where it varies
    start        further evaluations of an adaptive solve, spent on f(t0) and on the first step's size
    """

    order: int
    adaptive: bool
    evaluations: int | None
    start: int = 0


METHODS: dict[str, Method] = {
    "dopri5": Method(5, True, 6, start=2),
    "dopri8": Method(8, True, 13, start=2),
    "bosh3": Method(3, True, 3, start=2),
    "fehlberg2": Method(2, True, 2, start=2),
    "adaptive_heun": Method(2, True, 1, start=2),
    "euler": Method(1, False, 1),
    "midpoint": Method(2, False, 2),
    "heun2": Method(2, False, 2),
    "heun3": Method(3, False, 3),
    "rk4": Method(4, False, 4),
    "explicit_adams": Method(4, False, None),
    "implicit_adams": Method(4, False, None),
}


@dataclass(frozen=True)
class Solver:
    """How an ODE is solved, and how its gradient is taken.

    torchdiffeq 0.2.5 solves; its names and defaults hold. A fixed-step method needs `steps` or
    `step_size`, an adaptive one takes neither.
    """

    method: Literal[
        "dopri5", "dopri8", "bosh3", "fehlberg2", "adaptive_heun",
        "euler", "midpoint", "heun2", "heun3", "rk4", "explicit_adams", "implicit_adams",
    ] = option(
        "dopri5",
        "Method of integration. dopri5 costs 2 + 6 x attempted steps evaluations; explicit_adams rises to "
        "order 11 and blows up on coarse grids.",
    )  # fmt: skip
    rtol: float = option(1e-3, "Relative tolerance of each element of the state.", above=0)
    atol: float = option(1e-3, "Absolute tolerance of each element of the state, in its own units.", above=0)
    gradient: Literal["adjoint", "seminorm", "direct"] = option(
        "adjoint",
        "`adjoint` solves backwards with memory independent of the number of steps; `seminorm` is the same "
        "with the parameters left out of the error norm; `direct` backpropagates through the steps taken.",
    )
    adjoint_rtol: float | None = option(None, "Relative tolerance of the backward solve; `rtol` by default.", above=0)
    adjoint_atol: float | None = option(
        None,
        "Absolute tolerance of the backward solve; `atol` by default. It is compared with the loss's "
        "gradient, so it should scale as the loss does.",
        above=0,
    )
    steps: int | None = option(None, "Number of equal steps of a fixed-step method.", minimum=1)
    step_size: float | None = option(None, "Step of a fixed-step method, in units of t.", above=0)
    max_evaluations: int = option(
        10_000,
        "Evaluations of the field that one solve, forward or backward, may take before the run ends with a diagnosis.",
        minimum=1,
    )


def conflict(solver: Solver) -> tuple[str, str] | None:
    """The key that does not go with the method, and why; None where all is well."""
    given = [key for key in ("steps", "step_size") if getattr(solver, key) is not None]
    if METHODS[solver.method].adaptive:
        reason = f"`{solver.method}` chooses its steps from `rtol` and `atol`"
        return (given[0], reason) if given else None
    if len(given) == 1:
        return None
    return ("steps", f"`{solver.method}` has a fixed grid: give `steps` or `step_size`, one of the two")
