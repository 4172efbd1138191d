"""Fixes that several rules propose, each as an edit of the step or of the section that the rule is about."""

from __future__ import annotations

from tdspec.graph.graph import Node
from tdspec.ops import OPS
from tdspec.ops.effects import Normalise
from tdspec.ops.normalization import groups_for
from tdspec.ops.op import Rule, Weight
from tdspec.report.fix import Fix
from tdspec.rules.context import Context, effects_of
from tdspec.text.step_edit import insert_behind, replace_step, set_argument, step_at
from tdspec.text.syntax import Number, Step
from tdspec.text.yaml_edit import set_key

WIDE = 8  # channels in a group from which no rule has a word to say about them (TD106)


def wider_units(context: Context, norm: Node, most: int | None = None) -> Fix | None:
    """A norm whose units hold several channels, wherever its step is used; None where there are too few.

    A norm that has groups gets fewer; another is replaced by `GN(1)`, which divides any number of channels.

    most  greatest number of groups; by default, one that leaves `WIDE` channels in each, if there are so many
    """
    if norm.span is None or not any(isinstance(effect, Normalise) for effect in effects_of(norm)):
        return None  # a softmax
    assert norm.op is not None
    step, met = step_at(norm.span), context.met[norm.span]
    channels = {count for count, _ in met}
    if step is None or min(channels) < 2:
        return None
    if norm.op.param("groups") is None:
        edit = replace_step(step, "GN", "1", _arguments_for(step, norm, "GN"))
        return Fix(f"write `{edit.text}`", (edit,))
    text = str(groups_for(channels, most or min(groups for _, groups in met), WIDE if most is None else 1))
    if most is None and _is_rule(step) and all(count % WIDE == 0 and count // WIDE <= groups for count, groups in met):
        text = f"C/{WIDE}"  # what was a rule of C stays one, where that gives no use of the step more groups
    edit = set_argument(step, "groups", text, first=True)
    return Fix(f"use {text} group{'s' * (text != '1')}", (edit,))


def _is_rule(step: Step) -> bool:
    """Whether the number of groups is written as an expression."""
    values = [argument.value for argument in step.arguments if argument.name in (None, "groups")]
    return bool(values) and not isinstance(values[0], Number)


def _arguments_for(step: Step, norm: Node, name: str) -> dict[str, str]:
    """The arguments of a step that another op takes, too, by name and as written."""
    assert norm.op is not None
    names = [param.name for param in norm.op.params]
    written = {
        argument.name or names[position]: argument.value.span.text for position, argument in enumerate(step.arguments)
    }
    return {key: text for key, text in written.items() if OPS[name].param(key) is not None}


def position_behind(source: Node) -> Fix | None:
    """A positional embedding behind the step at which t enters."""
    step = step_at(source.span) if source.span is not None else None
    return Fix(f"add `PosEmb` behind `{source.title}`", (insert_behind(step, "PosEmb"),)) if step is not None else None


def start_with(context: Context, node: Node, weight: Weight, rule: str) -> Fix | None:
    """Another initialisation of a weight: at the step if that has one of its own, else for its role."""
    assert node.site is not None
    if weight.by and isinstance(node.site.arguments.get(weight.by), Rule):
        step = step_at(node.span) if node.span is not None else None
        return Fix(f"write `{weight.by}={rule}`", (set_argument(step, weight.by, rule),)) if step is not None else None
    part = "bias" if weight.bias else "weight"
    edit = set_key(context.spec.tree, context.spec.source, ("init", weight.role, part), rule)
    return Fix(f"write `init: {{{weight.role}: {{{part}: {rule}}}}}`", (edit,)) if edit is not None else None
