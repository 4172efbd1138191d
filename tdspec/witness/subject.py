"""A model under measurement: its copies, the inputs, and one run of it.

The model that is given is never changed: what runs are copies, with weights as given or drawn at random, and under
a random state of their own. A run is the same function of its inputs every time, dropout included.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from tdspec.witness.calling import AuditError, Convention, Inputs, conventions, expanded, result_of
from tdspec.witness.labels import T, X, put_label
from tdspec.witness.recording import Key, Recording, Visit
from tdspec.witness.share import redraw
from tdspec.witness.views import WRITTEN, View

TIMES = 4  # different values of t
STILL = 1e-11  # variance over t, of E[z^2], where in float32 nothing has moved


class Subject:
    """A model, and how it is called.

    batch  samples in a run
    seed   of inputs, masks and the first redrawn weights
    blind  t does not enter as a tensor only: whatever depends on x is taken to depend on t
    """

    def __init__(self, model: nn.Module, inputs: Inputs, *, batch: int | None = None, seed: int = 0) -> None:
        if isinstance(model, torch.jit.ScriptModule):
            raise AuditError("a model of TorchScript cannot be watched: audit the module that it was made of")
        model = getattr(model, "_orig_mod", model)  # of `torch.compile`, which sees no more than this does
        self.model = model
        self.inputs = inputs
        self.seed = seed
        self.asked = batch
        self.batch = batch or self.size(4)
        self.device = next((item.device for item in model.parameters()), torch.device("cpu"))
        if self.device.type == "mps":  # has no float64
            self.device = torch.device("cpu")
        self.blind = False
        self._copies: dict[torch.dtype, nn.Module] = {}
        self._drawn: dict[torch.dtype, int] = {}  # of which draw the weights of a copy are

    def size(self, least: int) -> int:
        """A number of samples that is no extent of the state: t[B] shall not broadcast along another axis."""
        if self.asked is not None:
            return self.asked
        taken = {extent for shape in self.inputs.shapes for extent in shape}
        while least in taken:
            least += 1
        return least

    @cached_property
    def convention(self) -> Convention:
        """The first way to call the model that works, in training. Raises `AuditError`."""
        failed: tuple[Convention, Exception] | None = None
        for convention in conventions(self.model, self.inputs):
            module = nn.Module.to(_copied(self.model), self.device, torch.float32).train()
            try:
                output = self._call(module, convention, convention.times(self.batch), self.batch)
            except AuditError:
                raise
            except Exception as raised:
                failed = failed or (convention, raised)
                continue
            result_of(output, self.batch)  # says so where there is no tensor
            if _layout(module) != _layout(self.model):
                self.model = module  # which makes layers when it is first called
            return self._of_its_kind(convention)
        assert failed is not None
        convention, error = failed
        shapes = ", ".join(f"f32{[self.batch, *shape]}" for shape in self.inputs.shapes)
        reason = " ".join(str(error).split())[:300]
        raise AuditError(
            f"`forward` failed with state {shapes}, called as {convention}: {type(error).__name__}: {reason}"
        )

    def _of_its_kind(self, convention: Convention) -> Convention:
        """With integer t, where the kind was guessed and the model cuts t off behind the point: all it saw was 0."""
        if self.inputs.integer is None and not convention.integer and self._change(convention) == 0:
            for other in conventions(self.model, self.inputs):
                alike = (other.shape, other.per_sample) == (convention.shape, convention.per_sample)
                if alike and other.integer and self._change(other) > STILL:
                    return other
        return convention

    def _change(self, convention: Convention) -> float:
        """By how much the output changes with t, with redrawn weights, of its mean square; 0 where that fails."""
        module = self.redrawn(torch.float32, 0, training=True)
        times = convention.times(self.batch)
        try:
            with unchanged(module):
                first, second = (
                    result_of(self._call(module, convention, t, self.batch), self.batch)[0]
                    for t in (times, times.roll(1))
                )
        except Exception:  # of a way to call the model that nobody has asked for
            return 0.0
        return float((first - second).square().mean() / first.square().mean().clamp(min=1e-30))

    def given(self, *, training: bool, dtype: torch.dtype = torch.float32) -> nn.Module:
        """A copy with the weights as they are."""
        module = self._copy(dtype)
        self._drawn.pop(dtype, None)
        with torch.no_grad():
            for ours, theirs in zip(_tensors(module), _tensors(self.model), strict=True):
                ours.copy_(theirs)
        return module.train(training)

    def redrawn(self, dtype: torch.dtype, draw: int, *, training: bool) -> nn.Module:
        """A copy whose every parameter is drawn at random: zero starts otherwise read as erased."""
        module = self._copy(dtype)
        if self._drawn.get(dtype) != draw:
            redraw(module, self.seed + draw, eps=None)
            self._drawn[dtype] = draw
        return module.train(training)

    def _copy(self, dtype: torch.dtype) -> nn.Module:
        """The copy of a dtype, made once. Models may forbid `to`; torch's own is meant."""
        if dtype not in self._copies:
            self._copies[dtype] = nn.Module.to(_copied(self.model), self.device, dtype)
        return self._copies[dtype]

    def run(
        self, module: nn.Module, step: int, *, batch: int | None = None, view: View = WRITTEN,
        visit: Visit | None = None, frozen: Mapping[Key, list[Tensor]] | None = None,
        sources: dict[Key, int] | None = None, modules: bool = False, times: Tensor | None = None,
        stops: Mapping[Key, int] | None = None, everything: bool = False,
    ) -> Recording:  # fmt: skip
        """Run a copy at a step of the grid of times, watched; `times` takes the grid's place."""
        batch = batch or self.batch
        dtype = torch.float64 if module is self._copies.get(torch.float64) else torch.float32
        recording = Recording(
            module,
            dtype=dtype,
            view=view,
            visit=visit,
            frozen=frozen,
            sources=sources,
            modules=modules,
            stops=stops,
            blind=self.blind,
            everything=everything,
        )
        t = self.times(step, batch) if times is None else times
        with recording.running(), unchanged(module):
            try:
                output = self._call(module, self.convention, t, batch, dtype)
            except Exception as error:
                reason = " ".join(str(error).split())[:300]
                raise AuditError(f"`forward` works, and fails in {dtype}: {type(error).__name__}: {reason}") from error
        result, label = result_of(output, batch)
        recording.label = X | T if self.blind else label
        if not result.isfinite().all():
            raise AuditError("the output is not finite: with these weights nothing can be measured")
        if visit is not None:
            visit(("output", ""), result.detach())
        return recording

    def times(self, step: int, batch: int) -> Tensor:
        """t at a step: one for the batch, or sample i has t[(i + step) mod J]."""
        count = min(batch, TIMES) if self.convention.per_sample else TIMES
        grid = self.convention.times(count)
        return grid[(torch.arange(batch) + step) % count] if self.convention.per_sample else grid[step]

    def _call(
        self, module: nn.Module, convention: Convention, t: Tensor, batch: int, dtype: torch.dtype = torch.float32
    ) -> Any:
        generator = torch.Generator().manual_seed(self.seed)
        state = [torch.randn(batch, *shape, generator=generator).to(self.device, dtype) for shape in self.inputs.shapes]
        kwargs = expanded(self.inputs.kwargs, batch, self.device)
        put_label(state, X)
        put_label(t, T)
        devices = [self.device] if self.device.type == "cuda" else []
        with torch.random.fork_rng(devices), torch.no_grad(), default_dtype(dtype):
            torch.manual_seed(self.seed)
            random.seed(self.seed)
            np.random.seed(self.seed % 2**32)
            return convention.give(module, state, t if convention.per_sample or t.dim() == 0 else t[0], kwargs)


@contextmanager
def unchanged(module: nn.Module) -> Iterator[None]:
    """Undoes what a run leaves behind: in buffers, numbers and tensors that modules keep, and random generators."""
    parts = list(module.modules())
    values = [(buffer, buffer.clone()) for buffer in module.buffers()]
    buffers = [dict(part._buffers) for part in parts]
    attributes = [{k: v for k, v in vars(part).items() if isinstance(v, (int, float, Tensor))} for part in parts]
    states = random.getstate(), np.random.get_state()
    try:
        yield
    finally:
        with torch.no_grad():
            for buffer, value in values:
                buffer.copy_(value)
        for part, held, kept in zip(parts, buffers, attributes, strict=True):
            part._buffers.update(held)  # one may have been replaced
            vars(part).update(kept)
        random.setstate(states[0])
        np.random.set_state(states[1])


@contextmanager
def default_dtype(dtype: torch.dtype) -> Iterator[None]:
    """What a model makes without saying of which dtype is of this one."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


def _copied(model: nn.Module) -> nn.Module:
    """A copy. Raises `AuditError`.

    What hooks keep as an attribute and make anew in each call, such as weight_norm's product, is no leaf of autograd
    and not to be copied as it is; functions of TorchScript cannot be copied and need not be.
    """
    memo: dict[int, Any] = {}
    for part in model.modules():
        for value in vars(part).values():
            if isinstance(value, Tensor) and not value.is_leaf:
                memo[id(value)] = value.detach().clone()
            elif isinstance(value, torch.jit.ScriptFunction):
                memo[id(value)] = value
    try:
        return copy.deepcopy(model, memo)
    except Exception as error:
        reason = " ".join(str(error).split())[:200]
        raise AuditError(
            f"the model cannot be copied, and is not to be changed: {type(error).__name__}: {reason}"
        ) from error


def _layout(model: nn.Module) -> list[object]:
    """The shapes of parameters and buffers; None for those that the first call makes."""
    return [None if is_lazy(item) else item.shape for item in _tensors(model)]


def _tensors(module: nn.Module) -> list[Tensor]:
    return [*module.parameters(), *module.buffers()]
