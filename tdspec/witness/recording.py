"""One run of a model, watched: every normalisation, and every place at which time enters.

A `TorchFunctionMode` sees each call of torch, from whichever module it comes; hooks keep the name of the module
that is running. While a run goes on, the recording can replace what time adds at chosen entries by what it added
in an earlier run: that freezes them, and what still moves is due to the other ones.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from tdspec.witness.labels import (
    FIRST_SOURCE,
    T,
    X,
    label_of,
    put_label,
    relabel,
    tensors,
    time_alone,
    values_used,
    writes,
)  # fmt: skip
from tdspec.witness.norm_calls import NormCall, read
from tdspec.witness.views import WRITTEN, View, seen_through

Key = tuple[str, str, int]  # name of the module, name of the function, how many-th call of it there
Place = tuple[str, Any]  # ("before", key), ("behind", key), ("operand", entry), ("module", name), ("output", "")
Visit = Callable[[Place, Tensor], None]

KINDS = {
    **dict.fromkeys(("add", "sub", "subtract"), "added"),
    **dict.fromkeys(("mul", "multiply", "div", "divide", "truediv"), "multiplied"),
    **dict.fromkeys(("cat", "concat", "concatenate", "stack"), "concatenated"),
    **dict.fromkeys(("linear", "bilinear", "matmul", "bmm", "mm", "einsum", "conv1d", "conv2d", "conv3d"), "mixed"),
    "scaled_dot_product_attention": "attended",
    **dict.fromkeys(("setitem", "copy", "index_put", "where"), "written"),
    "addcmul": "modulated",
}
PRODUCT = "_tdspec_product"  # on a tensor: the source that it is a product with


class Norm(NamedTuple):
    """A normalisation, as it was met in a run.

    name    qualified name of its module; of the module that calls it, where it is a plain function
    title   `GroupNorm(32, 128)`, or `F.group_norm(32, 128)`
    label   of its input
    """

    key: Key
    name: str
    title: str
    call: NormCall
    label: int


class Recording(TorchFunctionMode):
    """Watches the runs of one model. Use as a context around each run.

    view     how calls are rewritten
    dtype    the run's; in float64 what the model casts to less is kept
    visit    called with each place and what is there
    frozen   what time adds, by entry, in place of what it would add
    sources  entries of an earlier run, by key; unknown ones are added
    modules  visit what leaves every module, too
    stops    by normalisation: bits of the label that do not get through
    blind    where time goes cannot be followed: all that is met may depend on x and on t
    everything  visit normalisations that no time reaches, too
    """

    def __init__(
        self, model: nn.Module, *, dtype: torch.dtype, view: View = WRITTEN, visit: Visit | None = None,
        frozen: Mapping[Key, list[Tensor]] | None = None, sources: dict[Key, int] | None = None, modules: bool = False,
        stops: Mapping[Key, int] | None = None, blind: bool = False, everything: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        self.blind, self.everything = blind, everything or blind
        self.model, self.dtype, self.view, self.modules = model, dtype, view, modules
        self.stops: Mapping[Key, int] = stops or {}
        self.visit: Visit = visit or (lambda place, value: None)
        self.frozen: Mapping[Key, list[Tensor]] = frozen or {}
        self.sources: dict[Key, int] = {} if sources is None else sources
        self.operands: dict[Key, list[Tensor]] = {}
        self.constant_along: dict[Key, set[int]] = {}
        self.norms: list[Norm] = []
        self.label = 0  # of the output
        self.stack: list[tuple[str, nn.Module]] = []
        self.counts: Counter[tuple[str, str]] = Counter()

    @contextmanager
    def running(self) -> Iterator[Recording]:
        """The model's modules report when they run, and calls of torch are seen."""
        hooks = []
        for name, module in self.model.named_modules():
            hooks.append(module.register_forward_pre_hook(self._enter(name)))
            hooks.append(module.register_forward_hook(self._leave(name)))
        try:
            with self:
                yield self
        finally:
            for hook in hooks:
                hook.remove()

    def _enter(self, name: str) -> Callable[..., None]:
        return lambda module, args: self.stack.append((name, module))

    def _leave(self, name: str) -> Callable[..., None]:
        def leave(module: nn.Module, args: Any, output: Any) -> None:
            self.stack.pop()
            if self.modules and isinstance(output, Tensor) and (self.blind or label_of(output) & T):
                self.visit(("module", name), output.detach())

        return leave

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if getattr(func, "__name__", "") == "__get__":
            return self._got(func(*args, **kwargs), label_of(args))
        used = values_used(func, args, kwargs)
        label = label_of(used)
        product: Key | None = None
        if not self.blind and label & T and label & X and any(time_alone(tensor) for tensor in tensors(used)):
            key = self._key(func)
            source = self._source(key, used)
            label |= FIRST_SOURCE << source
            product = key if kind_of(key) == "multiplied" else None
            args, kwargs = self._met(key, func, args, kwargs)
        norm = read(func, args, kwargs)
        if norm is not None:
            return self._normalise(norm, func, args, kwargs, label)
        call, given, named = seen_through(self.view, self.dtype, (func, args, kwargs))
        result = call(*given, **named)
        relabel(func, args, result, label)
        if product is not None:
            setattr(result, PRODUCT, product)
        return result

    def _got(self, value: Any, label: int) -> Any:
        """An attribute of a tensor, such as `.mT` or `.real`: another tensor of the same numbers."""
        if label and isinstance(value, Tensor):
            put_label(value, label)
        return value

    def _normalise(self, norm: NormCall, func: Any, args: Any, kwargs: Any, label: int) -> Any:
        key = self._key(func)
        name, module = self.stack[-1] if self.stack else ("", self.model)
        own = not list(module.children()) and "norm" in type(module).__name__.lower()
        title = f"{type(module).__name__ if own else f'F.{norm.kind}'}({norm.arguments})"
        x = args[0] if args else kwargs["input"]
        self.norms.append(Norm(key, name, title, norm, X | T if self.blind else label_of(x)))
        if label & T or self.everything:
            self.visit(("before", key), x.detach())
        call, given, named = seen_through(self.view, self.dtype, (func, args, kwargs))
        result = call(*given, **named)
        put_label(result, label & ~self.stops.get(key, 0))
        if label & T or self.everything:
            self.visit(("behind", key), result.detach())
        return result

    def _key(self, func: Any) -> Key:
        name = self.stack[-1][0] if self.stack else ""
        word = getattr(func, "__name__", "?")
        self.counts[name, word] += 1
        return name, word, self.counts[name, word]

    def _source(self, key: Key, used: tuple[Any, ...]) -> int:
        """The number of the source that this entry is part of.

        A sum right behind a product, in the same module, is the shift to its scale: both are one source.
        """
        if key not in self.sources:
            products = [getattr(tensor, PRODUCT, None) for tensor in tensors(used)]
            scale = next((product for product in products if product and product[0] == key[0]), None)
            if scale is not None and kind_of(key) == "added":
                self.sources[key] = self.sources[scale]
            else:
                self.sources[key] = max(self.sources.values(), default=-1) + 1
        return self.sources[key]

    def _met(self, key: Key, func: Any, args: Any, kwargs: Any) -> tuple[Any, Any]:
        """Keep what time adds here, or put in its place what was kept earlier."""
        operands = [tensor for tensor in tensors((args, kwargs)) if time_alone(tensor)]
        self.operands[key] = [tensor.detach().clone() for tensor in operands]
        if kind_of(key) == "added":
            x = max((tensor for tensor in tensors((args, kwargs)) if not time_alone(tensor)), key=Tensor.numel)
            self.constant_along[key] = {
                # Channels are the second axis of a map; of three axes, the second or the last, of tokens.
                axis
                for axis in (1, -1)
                if all(same_along(axis if x.dim() == 3 else 1, t, x) for t in operands)
            }
        if key not in self.frozen:
            for index, tensor in enumerate(self.operands[key]):
                self.visit(("operand", (key, index)), tensor)
            return args, kwargs
        kept = iter(self.frozen[key])
        if writes(func) and args and time_alone(args[0]):
            args[0].copy_(next(kept))  # in place: who holds this tensor is to see it change
            args = (args[0], *_replaced(args[1:], kept))
            return args, _replaced(kwargs, kept)
        return _replaced(args, kept), _replaced(kwargs, kept)


def _replaced(value: Any, kept: Iterator[Tensor]) -> Any:
    """A value with its signals of time alone replaced, in their order."""
    if isinstance(value, Tensor):
        return next(kept) if time_alone(value) else value
    if type(value) in (tuple, list):
        return type(value)(_replaced(item, kept) for item in value)
    if type(value) is dict:
        return {name: _replaced(item, kept) for name, item in value.items()}
    return value


def same_along(axis: int, signal: Tensor, x: Tensor) -> bool:
    """Whether what is added to x is the same along an axis: along channels, it is positional."""
    if x.dim() < 2 or x.shape[axis] == 1 or signal.dim() > x.dim():
        return False
    whole = signal.expand_as(x)
    return bool((whole == whole.narrow(axis, 0, 1)).all())


def kind_of(key: Key) -> str:
    """How time enters by a call: added, multiplied, concatenated, ..."""
    word = key[1].strip("_")
    if word in KINDS:
        return KINDS[word]
    return KINDS.get(word[1:], word) if word[:1] in ("i", "r") else word
