"""Emission: the compiled network as one readable source file that needs torch alone.

One class per block, in the order in which they are used; blocks that read the same share a class. An
ODE needs torchdiffeq besides. The modules that torch lacks are printed from their own source.
"""

from __future__ import annotations

import builtins
import inspect
import json
import keyword
import re
from collections.abc import Iterator
from importlib import import_module
from typing import Any

from tdspec.backend.lower import argument_name, ode_options, placeholders
from tdspec.graph.graph import LABELS, Graph, Node, Ode
from tdspec.graph.names import node_name
from tdspec.graph.share import share_key
from tdspec.language.spec import Spec
from tdspec.ops.init import starter
from tdspec.ops.op import Call

HEADER = '''"""{name}: {about}

Compiled by tdspec {version} from {source}. `model = Network()` has the parameters and the outputs of
`tdspec.compile` on the same spec, and their names; load its weights with `load_state_dict`.
"""
'''


def emit_source(spec: Spec, graph: Graph) -> str:
    """The source file of a spec's network."""
    from tdspec import __version__

    emitter = _Emitter()
    emitter.network(graph)
    header = HEADER.format(
        name=spec.name,
        about=spec.document.about or "a network that depends on time.",
        version=__version__,
        source=spec.source.name,
    )
    body = "\n\n\n".join(part.strip("\n") for part in (*emitter.borrowed, *emitter.classes.values()))
    return f"{header}\n{emitter.imports(body)}\n\n\n{body}\n"


WIDTH = 120
STANDARD = ("import math", "import operator", "from collections.abc import Sequence", "from typing import Any")
# What a class of the emitted file must not hide.
TAKEN = {"F", "Tensor", "Any", "Sequence", *keyword.kwlist, *dir(builtins)}


Path = tuple[str, ...]  # attributes that lead to a module from the network


class _Frame:
    """One class while it is written.

    made   lines of its constructor
    known  what the constructor calls modules by their paths
    given  arguments of the constructor: shared modules that stand elsewhere, by their paths
    read   the entries of `known` that were used
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.made: list[str] = []
        self.known: dict[Path, str] = {path: "self"}
        self.given: dict[Path, str] = {}
        self.read: set[Path] = set()

    def module(self, path: Path) -> str:
        """What the constructor calls the module at a path."""
        for prefix in sorted(self.known, key=len, reverse=True):
            if path[: len(prefix)] == prefix:
                self.read.add(prefix)
                return ".".join((self.known[prefix], *path[len(prefix) :]))
        if path not in self.given:
            self.given[path] = node_name(path[-1], {"init", *self.given.values()})
        return self.given[path]


class _Emitter:
    def __init__(self) -> None:
        self.shared: dict[str, Path] = {}  # key of a shared block -> where its first use stands
        self.classes: dict[str, str] = {}  # body text -> whole class text
        self.names: dict[str, str] = {}  # body text -> class name
        self.taken: set[str] = {"Network", *TAKEN}
        self.borrowed: list[str] = []
        self.seen: set[str] = set()
        self.needed: set[str] = set()

    def imports(self, body: str) -> str:
        """What the source below needs."""
        standard = [line for line in STANDARD if line in self.needed and _names(body, line.split()[-1])]
        torch = [line for line in ("import torch", "import torch.nn.functional as F") if _names(body, line.split()[-1])]
        torch.append("from torch import Tensor, nn")
        if "torchdiffeq" in self.needed:
            torch.append("from torchdiffeq import odeint, odeint_adjoint")
        groups = (["from __future__ import annotations"], standard, torch)
        return "\n\n".join("\n".join(lines) for lines in groups if lines)

    # ------------------------------------------------------------ classes

    def block(self, graph: Graph, path: Path, above: _Frame | None = None) -> str:
        """The call that makes a graph's module; its class is written unless one that reads the same is there.

        path   attributes that lead to the module from the network
        above  the frame in which the call stands; None for the network itself
        """
        frame = _Frame(path)
        steps = []
        for node in graph.order():
            if node.kind == "input":
                continue
            target = f"self.{node.name}"
            key = share_key(node)
            if key is not None and key in self.shared:
                constructor: str | None = frame.module(self.shared[key])
            else:
                constructor = self.constructor(node, frame)
                if key is not None:
                    self.shared[key] = (*path, node.name)
            if constructor is not None:
                frame.made.extend(_commented(f"{target} = {constructor}", node))
                frame.made.extend(self.starts(node, target))
                steps.append((node.name, f"{target}({', '.join(map(argument_name, node.inputs))})"))
            else:
                steps.append((node.name, self.function(node)))
        name = self.write(graph, frame, steps, None if above is not None else "Network")
        return f"{name}({', '.join(above.module(source) for source in frame.given)})" if above is not None else name

    def write(self, graph: Graph, frame: _Frame, steps: list[tuple[str, str]], name: str | None) -> str:
        """The name of a class with this content; `name` is the network's."""
        arguments = ", ".join(f"{argument_name(name)}: {_type(name)}" for name in placeholders(graph))
        results = ", ".join(map(argument_name, graph.outputs.values()))
        many = len(graph.outputs) > 1
        given = "".join(f", {name}: nn.Module" for name in frame.given.values())
        lines = [
            f"    def __init__(self{given}) -> None:",
            "        super().__init__()",
            *(f"        {line}" for line in frame.made),
            "",
        ]
        lines.append(f"    def forward(self, {arguments}) -> {'tuple[Tensor, ...]' if many else 'Tensor'}:")
        lines += [f"        {target} = {call}" for target, call in steps]
        lines.append(f"        return {results}")
        body = "\n".join(lines)
        if body not in self.names:
            name = name or self.free(graph.title)
            self.names[body] = name
            where = f'    """{graph.where}."""\n\n' if graph.where else ""
            self.classes[body] = f"\nclass {name}(nn.Module):\n{where}{body}\n"
        return self.names[body]

    def free(self, title: str) -> str:
        title = title[:1].upper() + title[1:] if title[0] != "_" else f"Block{title}"  # Python renames `__a` in a class
        name, number = title, 1
        while name in self.taken:
            number += 1
            name = f"{title}{number}"
        self.taken.add(name)
        return name

    def network(self, graph: Graph) -> None:
        for _, node in graph.walk():  # what is borrowed has its name before any block asks for one
            if node.ode is not None:
                self.borrow("tdspec.backend.ode", "ODE")
            elif node.op is not None and node.site is not None:
                self.value(node.op.lower(node.site).module)
        self.block(graph, ())

    # ------------------------------------------------------------ nodes

    def constructor(self, node: Node, frame: _Frame) -> str | None:
        path = (*frame.path, node.name)
        if node.graph is not None:
            return self.block(node.graph, path, frame)
        if node.ode is not None:
            return self.ode(node.ode, path, frame)
        assert node.op is not None and node.site is not None
        call = node.op.lower(node.site).module
        return None if call is None else self.value(call)

    def ode(self, ode: Ode, path: Path, frame: _Frame) -> str:
        self.borrow("tdspec.backend.ode", "ODE")
        arguments = []
        if ode.init is not None:  # in front, as it draws its weights first
            init = self.block(ode.init, (*path, "init"), frame)
            frame.known[(*path, "init")] = "init"
            field = self.block(ode.field, (*path, "field"), frame)
            if (*path, "init") in frame.read:  # the field shares modules of it
                frame.made.append(f"init = {init}")
                init = "init"
            del frame.known[(*path, "init")]
            arguments = [f"init={init}", f"field={field}"]
        else:
            arguments = [self.block(ode.field, (*path, "field"), frame)]
        arguments += [f"{name}={literal(value)}" for name, value in ode_options(ode).items()]
        return f"ODE({', '.join(arguments)})"

    def function(self, node: Node) -> str:
        assert node.op is not None and node.site is not None
        function = node.op.lower(node.site).function
        assert function is not None
        inputs = [argument_name(name) for name in node.inputs]
        symbol = {"operator:add": " + ", "operator:sub": " - ", "operator:mul": " * "}.get(function.target)
        if symbol is not None:
            return symbol.join([*inputs, *map(literal, function.args)])
        if node.op.inputs[1] is None:
            inputs = [f"[{', '.join(inputs)}]"]
        module, _, name = function.target.partition(":")
        prefix = {"torch.nn.functional": "F"}.get(module, module)
        if prefix not in ("F", "torch"):
            self.needed.add(f"import {module}")
        arguments = [
            *inputs,
            *map(literal, function.args),
            *(f"{key}={literal(value)}" for key, value in function.kwargs.items()),
        ]
        return f"{prefix}.{name}({', '.join(arguments)})"

    def value(self, value: Any) -> str:
        """A call as source; anything else as its literal."""
        if not isinstance(value, Call):
            return literal(value)
        module, _, name = value.target.partition(":")
        if module.startswith("tdspec."):
            self.borrow(module, name)
        else:
            name = f"nn.{name}"
        arguments = [
            *map(self.value, value.args),
            *(f"{key}={self.value(item)}" for key, item in value.kwargs.items()),
        ]
        return f"{name}({', '.join(arguments)})"

    def starts(self, node: Node, target: str) -> Iterator[str]:
        """The lines that draw a module's weights, where they do not start as torch starts them."""
        for weight, rule in node.starts:
            call = starter(rule)
            if call is None or rule == weight.start:
                continue
            part = "" if weight.part is None else f"[:, {weight.part[0]}:{weight.part[1]}]"
            name = call.target.partition(":")[2]
            arguments = [
                f"{target}.{weight.name}.data{part}",
                *(f"{key}={literal(value)}" for key, value in call.kwargs.items()),
            ]
            yield f"nn.init.{name}({', '.join(arguments)})"

    def borrow(self, module: str, name: str) -> None:
        """Print a class of ours with what it stands on, once."""
        if f"{module}:{name}" in self.seen:
            return
        self.seen.add(f"{module}:{name}")
        home = import_module(module)
        cls = getattr(home, name)
        source = re.sub(r"  # type: ignore\[.*\]$", "", inspect.getsource(cls), flags=re.MULTILINE)
        for other, value in vars(home).items():
            mine = getattr(value, "__module__", None) == module and other != name
            if mine and inspect.isclass(value) and _names(source, other):
                self.borrow(module, other)
        self.taken.add(name)
        self.borrowed.append("\n" + source)
        for line in inspect.getsource(home).splitlines():
            if line.startswith(("import ", "from ")):
                self.needed.add(line)
        if any("torchdiffeq" in line for line in self.needed):
            self.needed.add("torchdiffeq")


def literal(value: Any) -> str:
    """A number, a text or a tuple of these, as Python writes it."""
    return json.dumps(value) if isinstance(value, str) else repr(value)


def _names(source: str, word: str) -> bool:
    return re.search(rf"\b{word}\b", source) is not None


def _type(name: str) -> str:
    """Of an argument; whoever has no labels leaves them out."""
    return "Tensor | None = None" if name == LABELS else "Tensor"


def _commented(line: str, node: Node) -> list[str]:
    """A line of a constructor and, beside it or above it, where the node stands in the spec."""
    if node.span is None or node.span.source.name.startswith("<"):
        return [line]
    comment = f"# {node.span!r}"
    return [f"{line}  {comment}"] if len(line) + len(comment) <= WIDTH - 10 else [comment, line]
