"""Which keys of a block and of the model go together: a key that would mean nothing is a finding."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tdspec.language.declared import options
from tdspec.language.structure import NAME, Block, Model
from tdspec.report.finding import Label

if TYPE_CHECKING:
    from tdspec.graph.wirer import Wirer

# What a block is, and the keys that mean something beside it; `share` and `allow` always do.
KINDS = {
    "pipeline": ("pre", "shortcut", "residual", "scale", "params"),
    "steps": ("inputs", "output", "params"),
    "ode": (),
    "unet": (),
}
ALWAYS = ("share", "allow")
HELP = {
    "params": "write its numbers out: expressions in an ODE or a U-Net know none of a block",
    "inputs": "several inputs are for `steps`; they may go `from: [a, b], do: [Concat–…]`",
    "output": "what leaves is the end of the pipeline; `output` is for `steps`",
}
AROUND = "give this one a block of its own, and use that in a `pipeline`"


def check_block_keys(wirer: Wirer) -> None:
    """Every block is one thing, and has only keys that mean something for it."""
    for name, block in wirer.spec.document.blocks.items():
        where = f"blocks.{name}"
        given = [option.key for option in options(Block) if getattr(block, option.field) != option.default]
        kinds = [key for key in KINDS if key in given] or ["pipeline"] * ("pre" in given)
        if not kinds:
            message = f"the block `{name}` needs a `pipeline`, `steps`, an `ode` or a `unet`"
            wirer.say("TD023", message, wirer.spec.key_span(where), where)
        elif len(kinds) > 1:
            first, second = kinds[:2]
            help_ = "keep one of them; blocks can use each other"
            conflict(wirer, where, first, second, f"a block has either `{first}` or `{second}`", help_)
        else:
            (kind,) = kinds
            for key in given:
                if key not in (kind, *KINDS[kind], *ALWAYS):
                    message = f"`{key}` means nothing in a block with `{kind}`"
                    conflict(wirer, where, kind, key, message, HELP.get(key, AROUND))
            if block.scale is not None and kind == "pipeline" and block.shortcut is None and not block.residual:
                message = "`scale` is a factor on a sum, but the block has neither `shortcut` nor `residual`"
                help_ = "add `residual: true`, or end the pipeline with `Scale(…)`"
                conflict(wirer, where, kind, "scale", message, help_)
        _check_inputs(wirer, block.inputs, f"{where}.inputs")


def _check_inputs(wirer: Wirer, inputs: tuple[str, ...], where: str) -> None:
    if not inputs:
        wirer.say("TD024", "`inputs` should have at least one name", wirer.spec.span(where), where)
    for position, name in enumerate(inputs):
        if not re.fullmatch(NAME, name):
            message = f"`{name}` should be a name: letters, digits and `_`"
            wirer.say("TD021", message, wirer.spec.span(where), where)
        elif name in inputs[:position]:
            wirer.say("TD039", f"`{name}` is the name of two inputs", wirer.spec.span(where), where)


def check_model_keys(wirer: Wirer, model: Model) -> bool:
    """Whether the model is written in exactly one of the ways there are."""
    ways = [key for key in ("pipeline", "steps") if getattr(model, key)]
    parts = [key for key in ("stem", "ode", "unet", "head") if getattr(model, key) is not None]
    both = (*ways, *parts) if ways else tuple(key for key in parts if key in ("ode", "unet"))
    if len(both) > 1:
        help_ = "keep one of them; for more, use `pipeline` and blocks"
        conflict(wirer, "model", both[0], both[1], f"a model has either `{both[0]}` or `{both[1]}`", help_, both)
        return False
    if not ways and not parts:
        message = "`model` needs a `pipeline`, `steps`, or a `stem`, `ode`, `unet` or `head`"
        wirer.say("TD023", message, wirer.spec.span("model"), "model")
        return False
    if model.output is not None and "steps" not in ways:
        beside = (*ways, *parts)[0]
        message = f"`output` means nothing in a model with `{beside}`"
        conflict(wirer, "model", beside, "output", message, "what leaves is its end; `output` is for `steps`")
    return True


def conflict(
    wirer: Wirer, where: str, first: str, second: str, message: str, help: str, keys: tuple[str, ...] = ()
) -> None:
    """Report two keys of a mapping that do not go together; `keys` are all that do not, if there are more."""
    spec = wirer.spec
    base = [key for key in keys or (first, second) if spec.span(f"{where}.{key}").source is not spec.tree.span.source]
    if base:
        help = f"{', '.join(f'`{key}: null`' for key in base)} deletes what the spec extends"
    labels = (Label(spec.key_span(f"{where}.{first}"), f"`{first}` stands here"),)
    wirer.say("TD025", message, spec.key_span(f"{where}.{second}"), where, help=help, labels=labels)
