"""The probability flow: the differential equation along which samples of every level of noise lie.

dx/dt = x_0 dalpha/dt + noise dsigma/dt, with what the network says of x_0 and noise (arXiv 2011.13456, equation 13,
written in alpha and sigma as in arXiv 2206.00364, equation 4). It is finite where alpha is 0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torchdiffeq import odeint

from tdspec.diffusion.predict import Denoise
from tdspec.diffusion.process import Process

MOST_STEPS = 2_000  # of six evaluations each; a flow that can be solved takes some tens


@contextmanager
def full_precision() -> Iterator[None]:
    """All digits of float32 in products: TF32's errors look like a rough field to a solver with tolerances."""
    products, convolutions = torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32
    torch.set_float32_matmul_precision("highest")
    torch.backends.cudnn.allow_tf32 = False
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(products)
        torch.backends.cudnn.allow_tf32 = convolutions


def needs_continuous(process: Process) -> None:
    """Raises `ValueError` for discrete time."""
    if process.steps is not None:
        raise ValueError(
            f"the probability flow needs continuous time, this noise has {process.steps} steps; heun, dpm-solver++ and "
            "unipc follow the same flow in discrete time"
        )


class Flow:
    """dx/dt of x, f32[B,...], at t, f32[]; the derivatives of alpha and sigma are taken by torch, in float64.

    Raises `ValueError` for discrete time, which has none.
    """

    def __init__(self, denoise: Denoise, process: Process) -> None:
        needs_continuous(process)
        self.denoise, self.process = denoise, process

    def __call__(self, t: Tensor, x: Tensor) -> Tensor:
        time = t.cpu().double()
        dalpha, dsigma = torch.autograd.functional.jacobian(self.process.level, time)
        found = self.denoise(x, time.item())
        return dalpha.to(x) * found.x0 + dsigma.to(x) * found.noise


def probability_flow(denoise: Denoise, process: Process, x: Tensor, tolerance: float) -> Tensor:
    """Samples, f32[B,...], from standard normal x: along the flow to the least time, and from there x_0.

    Raises `ValueError` for discrete time.
    """
    high = torch.tensor(process.high, dtype=torch.float64)
    x = process.level(high).sigma.to(x) * x
    return denoise(solve(Flow(denoise, process), x, process.high, process.low, tolerance), process.low).x0


def solve(field: Callable[..., Any], state: Any, start: float, end: float, tolerance: float) -> Any:
    """The state, a tensor or a tuple of them, at the time `end`, by dopri5; `tolerance` is relative and absolute.

    Raises `ValueError` where the solver fails or takes more than `MOST_STEPS`.
    """
    first = state[0] if isinstance(state, tuple) else state
    times = torch.tensor([start, end], dtype=torch.float64, device=first.device)
    # Without `step_t` the last step goes past the end, where alpha and sigma may not be defined.
    options = {"step_t": times[1:], "max_num_steps": MOST_STEPS}
    try:
        with full_precision():
            found = odeint(field, state, times, rtol=tolerance, atol=tolerance, method="dopri5", options=options)
    except AssertionError as error:  # torchdiffeq has no other way to say it
        raise ValueError(
            f"dopri5 cannot solve the probability flow to a tolerance of {tolerance:g} ({error}): raise the tolerance, "
            "or train longer, as a network that says little of the data has a rough flow"
        ) from error
    return tuple(part[-1] for part in found) if isinstance(state, tuple) else found[-1]
