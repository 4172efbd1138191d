"""How to call a model that somebody else wrote: where x goes, where t goes, and what kind of t.

The signature of `forward` says which argument is time; what it does not say (a scalar or one number for each
sample, integer steps or a continuum) follows from the argument's name and place, and is tried out.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from tdspec.witness.labels import label_of, time_alone

# What an argument called so ranges over: DDPM's steps, EDM's sigma and c_noise (arXiv 2206.00364), a log SNR.
STEPS, UNIT, SIGMA, NOISE, SNR = (0, 999), (0, 1), (0.002, 80), (-1.5, 1.1), (-10, 10)
RANGES: dict[str, tuple[float, float]] = {
    **dict.fromkeys(("timestep", "timesteps", "time_step", "time_steps", "step", "steps"), STEPS),
    **dict.fromkeys(("t", "ts", "time", "times", "t_cond", "time_cond"), UNIT),
    **dict.fromkeys(("sigma", "sigmas"), SIGMA),
    **dict.fromkeys(("noise_labels", "noise_label", "noise_level", "noise_levels", "noise_cond", "c_noise"), NOISE),
    **dict.fromkeys(("log_snr", "logsnr", "log_snrs", "gamma", "lam"), SNR),
}
GOLDEN = 0.618034  # times spread by the golden ratio meet no period of a sinusoid


class AuditError(Exception):
    """The model cannot be measured; the message says why, and what to do."""


class Inputs(NamedTuple):
    """What the caller says of the call.

    shapes      of the parts of the state, without the batch: ((3, 32, 32),)
    kwargs      further arguments of `forward`; a number becomes a tensor with one entry per sample
    time        first and last t
    integer     whether t are integer steps
    per_sample  whether each sample has a t of its own
    time_name   the argument of `forward` that is time
    None leaves a choice to the signature.
    """

    shapes: tuple[tuple[int, ...], ...]
    kwargs: Mapping[str, Any]
    time: tuple[float, float] | None = None
    integer: bool | None = None
    per_sample: bool | None = None
    time_name: str | None = None


class Convention(NamedTuple):
    """One way to call a model.

    names       of the arguments that take the state
    time_name   of the argument that takes t
    positions   arguments that are given by position, in order; the others go by name
    packed      the parts of the state are one tuple
    shape       of t: (), (1,), (B,) or (B, 1), with -1 for B
    extra       names of the further arguments
    """

    names: tuple[str, ...]
    time_name: str
    positions: tuple[str, ...]
    packed: bool
    shape: tuple[int, ...]
    integer: bool
    per_sample: bool
    low: float
    high: float
    extra: tuple[str, ...] = ()

    def times(self, count: int) -> Tensor:
        """`count` different times from the range, in no order; f64[count]."""
        parts = (0.07 + GOLDEN * torch.arange(count, dtype=torch.float64)) % 1
        found = self.low + (self.high - self.low) * parts
        return found.round() if self.integer else found

    def give(self, model: nn.Module, state: Sequence[Tensor], t: Tensor, kwargs: Mapping[str, Any]) -> Any:
        """Call the model. t: one number, or one for each sample, f64[] or f64[B]."""
        dtype = torch.int64 if self.integer else state[0].dtype
        t = t.to(state[0].device, dtype)
        batch = state[0].shape[0]
        shape = tuple(batch if extent == -1 else extent for extent in self.shape)
        t = (t.reshape(batch, *shape[1:]) if t.dim() else t.expand(shape)).clone()
        given: dict[str, Any] = {self.time_name: t, **kwargs}
        if self.packed:
            given[self.names[0]] = tuple(state)
        else:
            given.update(zip(self.names, state, strict=True))
        placed = [given.pop(name) for name in self.positions]
        return model(*placed, **given)

    def __str__(self) -> str:
        kind = "integer" if self.integer else "continuous"
        whose = "one for each sample" if self.per_sample else "one for the batch"
        shape = f"[{', '.join('B' if extent == -1 else str(extent) for extent in self.shape)}]"
        others = [name for name in (*self.names[: 1 if self.packed else None], self.time_name) if name]
        order = [name for name in self.positions if name in others]
        order += [f"{name}={name}" for name in others if name not in order]
        order += [f"{name}=…" for name in self.extra]
        call = f"model({', '.join(order)})"
        return f"{call}, {self.time_name}{shape} {kind} in [{self.low:g}, {self.high:g}], {whose}"


def conventions(model: nn.Module, inputs: Inputs) -> Iterator[Convention]:
    """The ways to call a model that its signature allows, the likeliest first. Raises `AuditError`."""
    try:
        signature = inspect.signature(model.forward)
    except ValueError as error:
        raise AuditError(
            f"`forward` of {type(model).__name__} does not say its arguments: audit the module it was made of"
        ) from error
    parameters = [item for item in signature.parameters.values() if item.kind is not item.VAR_KEYWORD]
    names: tuple[str, ...]
    positions: list[str] = []
    if parameters and all(parameter.kind is parameter.VAR_POSITIONAL for parameter in parameters):
        names, packed = ("x",), False
        time_name = inputs.time_name or "t"
        positions = ["x", "t"]
    else:
        parameters = [parameter for parameter in parameters if parameter.kind is not parameter.VAR_POSITIONAL]
        time_name = _time_name(model, [parameter.name for parameter in parameters], inputs)
        names, packed = _state_names(model, parameters, time_name, inputs)
        used = {*names, time_name}
        missing = [p.name for p in parameters if p.default is p.empty and p.name not in {*used, *inputs.kwargs}]
        if missing:
            example = ", ".join(f'"{name}": 0' for name in missing)
            raise AuditError(
                f"`forward` also needs {_listed(missing)}: give them, --kwargs '{{{example}}}' "
                "(a number stands for a tensor with one entry per sample, 0 for integers and 0.0 for floats)"
            )
        by_name = parameters[0].KEYWORD_ONLY
        for parameter in parameters:  # only arguments without a gap before them can go by position
            if parameter.name not in used or parameter.kind is by_name:
                break
            positions.append(parameter.name)
    leading = positions[0] if positions else names[0]
    shared = inputs.per_sample is False or (inputs.per_sample is None and leading == time_name)
    low, high = inputs.time or RANGES.get(time_name.lower(), UNIT)
    integer = inputs.integer
    guess = RANGES.get(time_name.lower()) == STEPS if integer is None else integer
    kinds = [guess] if integer is not None else [guess, not guess]
    for shape, per_sample in _shapes(shared, fixed=inputs.per_sample is not None):
        for kind in kinds:
            first, last = inputs.time or (STEPS if kind and (low, high) == UNIT else (low, high))
            yield Convention(
                names, time_name, tuple(positions), packed, shape, kind, per_sample, first, last, tuple(inputs.kwargs)
            )


def _shapes(shared: bool, *, fixed: bool) -> Iterator[tuple[tuple[int, ...], bool]]:
    if not shared:
        yield from (((-1,), True), ((-1, 1), True), ((-1, 1, 1, 1), True))
    if shared or not fixed:
        yield from (((), False), ((1,), False), ((-1,), False), ((-1, 1), False))


def _time_name(model: nn.Module, names: list[str], inputs: Inputs) -> str:
    if inputs.time_name is not None:
        if inputs.time_name not in names:
            raise AuditError(f"`forward` has no argument `{inputs.time_name}`; it has {_listed(names)}")
        return inputs.time_name
    found = [name for name in names if name.lower() in RANGES]
    if found:
        return found[0]
    fields = [
        f"`{path}` ({type(module).__name__})"
        for path, module in model.named_modules()
        if path and takes_time(module) and not takes_time(_parent(model, path))
    ]
    hint = f"what takes t inside is {', '.join(fields[:5])}: audit that, with --at" if fields else ""
    raise AuditError(
        f"`{type(model).__name__}.forward` does not take time: its arguments are {_listed(names)}; "
        + (hint or "if one of them is time, name it with --time-name")
    )


def takes_time(module: nn.Module) -> bool:
    """Whether `forward` has an argument that is called like time, and another one."""
    try:
        names = [name.lower() for name in inspect.signature(module.forward).parameters]
    except (TypeError, ValueError):
        return False
    return len(names) > 1 and any(name in RANGES for name in names)


def _parent(model: nn.Module, path: str) -> nn.Module:
    return model.get_submodule(path.rpartition(".")[0])


def _state_names(
    model: nn.Module, parameters: list[inspect.Parameter], time_name: str, inputs: Inputs
) -> tuple[tuple[str, ...], bool]:
    free = [p.name for p in parameters if p.name != time_name and p.name not in inputs.kwargs]
    if not free:
        raise AuditError(f"`{type(model).__name__}.forward` takes `{time_name}` and no state")
    required = [p.name for p in parameters if p.name in free and p.default is p.empty] or free[:1]
    wanted = len(inputs.shapes)
    if wanted == 1 or len(required) < wanted:
        return (free[0],), wanted > 1
    return tuple(required[:wanted]), False


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names) or "none"


def expanded(kwargs: Mapping[str, Any], batch: int, device: torch.device) -> dict[str, Any]:
    """Further arguments as tensors: a number for every sample, a list as it is, all else unchanged."""
    found: dict[str, Any] = {}
    for name, value in kwargs.items():
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            dtype = torch.int64 if isinstance(value, int) else torch.float32
            found[name] = torch.full((batch,), value, dtype=dtype, device=device)
        elif isinstance(value, list):
            found[name] = torch.tensor(value, device=device)
        else:
            found[name] = value
    return found


def result_of(output: Any, batch: int) -> tuple[Tensor, int]:
    """What a model returned, as one tensor [B, ...] (several parts are laid side by side), and its label."""
    found = getattr(output, "sample", output)
    parts = [part for part in _leaves(found) if part.dim() and part.shape[0] == batch and part.is_floating_point()]
    if not parts:
        raise AuditError(f"`forward` returned {type(output).__name__}, in which there is no tensor with the batch")
    parts = [part for part in parts if not time_alone(part)] or parts  # an embedding may be returned along
    joined = parts[0] if len(parts) == 1 else torch.cat([part.reshape(batch, -1) for part in parts], 1)
    return joined, label_of(parts)


def _leaves(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _leaves(item)
    elif isinstance(value, (tuple, list)):
        for item in value:
            yield from _leaves(item)
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        for field in dataclasses.fields(value):
            yield from _leaves(getattr(value, field.name))
