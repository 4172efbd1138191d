"""Lowering: from the graph to modules, one `torch.fx.Graph` per block, built node by node.

Nothing is traced. Every fx node carries in `meta` where in the spec it came from, and every module
is named after its node, so that the keys of a state dict are the names of the graph.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from typing import Any

import torch
from torch import fx, nn

from tdspec.backend.ode import ODE
from tdspec.graph.graph import TIME, Graph, Node, Ode
from tdspec.graph.share import share_key
from tdspec.language.solver import Solver
from tdspec.ops.init import starter
from tdspec.ops.op import Call, Rule, Weight


def resolve(target: str) -> Any:
    """The object that `package.module:name` names."""
    module, _, name = target.partition(":")
    return getattr(import_module(module), name)


def construct(value: Any) -> Any:
    """A call as the object it makes; anything else as it is."""
    if not isinstance(value, Call):
        return value
    args = [construct(item) for item in value.args]
    return resolve(value.target)(*args, **{name: construct(item) for name, item in value.kwargs.items()})


def placeholders(graph: Graph) -> list[str]:
    """The graph's inputs in the order its module takes them: t first in a field, as solvers call it."""
    names = [node.name for node in graph.inputs]
    if graph.scope == "ode":
        names.sort(key=lambda name: name != TIME)
    return names


def argument_name(name: str) -> str:
    """What an input is called in Python; `input` would hide a builtin."""
    return "x" if name == "input" else name


def lower(graph: Graph, shared: dict[str, nn.Module] | None = None) -> fx.GraphModule:
    """The module of one graph, with those of its blocks inside.

    shared  modules of the network's shared blocks so far
    """
    shared = {} if shared is None else shared
    root = nn.Module()
    code = fx.Graph()
    values: dict[str, Any] = {}
    for name in placeholders(graph):
        values[name] = code.placeholder(argument_name(name))
    for node in graph.order():
        if node.kind == "input":
            continue
        arguments = tuple(values[name] for name in node.inputs)
        module = module_of(node, shared)
        if module is not None:
            root.add_module(node.name, module)
            values[node.name] = code.call_module(node.name, arguments)
        else:
            values[node.name] = call_function(code, node, arguments)
        values[node.name].meta["spec"] = f"{node.span!r}" if node.span is not None else node.where
    results = tuple(values[name] for name in graph.outputs.values())
    code.output(results[0] if len(results) == 1 else results)
    return fx.GraphModule(root, code, class_name=graph.title)


def call_function(code: fx.Graph, node: Node, arguments: tuple[Any, ...]) -> Any:
    """A plain function; one of two arguments is folded over several inputs, `cat` takes them as a list."""
    assert node.op is not None and node.site is not None
    function = node.op.lower(node.site).function
    assert function is not None
    target = resolve(function.target)
    if node.op.inputs[1] is None and not function.kwargs and len(arguments) > 2:
        first, *middle, last = arguments
        for argument in middle:
            first = code.call_function(target, (first, argument))
        return code.create_node("call_function", target, (first, last), name=node.name)
    given = (list(arguments),) if node.op.inputs[1] is None and function.kwargs else arguments
    return code.create_node("call_function", target, (*given, *function.args), dict(function.kwargs), name=node.name)


def module_of(node: Node, shared: dict[str, nn.Module]) -> nn.Module | None:
    """The module of one node, started by its rules; None for a plain function.

    shared  modules of the network's shared blocks so far
    """
    key = share_key(node)
    if key is not None and key in shared:
        return shared[key]
    made: nn.Module
    if node.graph is not None:
        made = lower(node.graph, shared)
    elif node.ode is not None:
        made = ode_module(node.ode, shared)
    else:
        assert node.op is not None and node.site is not None, f"{node.name} was never wired"
        call = node.op.lower(node.site).module
        if call is None:
            return None
        made = construct(call)
        start(made, node.starts)
    if key is not None:
        shared[key] = made
    return made


def ode_module(ode: Ode, shared: dict[str, nn.Module]) -> ODE:
    init = lower(ode.init, shared) if ode.init is not None else None
    return ODE(lower(ode.field, shared), init=init, **ode_options(ode))


def ode_options(ode: Ode) -> dict[str, Any]:
    """The solver's options as ODE takes them, those that are not its defaults."""
    options: dict[str, Any] = {"t": ode.t}
    if len(ode.parts) > 1:
        options["read"] = ode.parts.index(ode.read)
    plain = Solver()
    for name in plain.__dataclass_fields__:
        value = getattr(ode.solver, name)
        if name in ("method", "rtol", "atol", "gradient") or value != getattr(plain, name):
            options[name] = value
    return options


@torch.no_grad()
def start(module: nn.Module, starts: Iterable[tuple[Weight, Rule]]) -> None:
    """Draw the weights that a rule other than the module's own starts."""
    for weight, rule in starts:
        call = starter(rule)
        if call is None or rule == weight.start:
            continue
        tensor = module.get_parameter(weight.name)
        part = tensor if weight.part is None else tensor[:, slice(*weight.part)]
        resolve(call.target)(part, **call.kwargs)
