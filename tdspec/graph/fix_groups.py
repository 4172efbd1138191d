"""The fix of group counts that do not divide: a divisor of all the channels that the step ever meets."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tdspec.graph.graph import Graph
from tdspec.ops.normalization import groups_for
from tdspec.report.finding import Finding
from tdspec.report.fix import Fix
from tdspec.text.step_edit import set_argument, step_at

if TYPE_CHECKING:
    from tdspec.graph.wirer import Wirer


def fix_groups(wirer: Wirer, graph: Graph) -> list[Finding]:
    """What the wirer has found, with fixes; only the whole graph shows every use of a step in a block."""
    return [replace(item, fix=_fix(item, wirer, graph)) if item.code == "TD201" else item for item in wirer.found]


def _fix(item: Finding, wirer: Wirer, graph: Graph) -> Fix | None:
    assert item.span is not None
    uses = wirer.undivided[item.span]
    step = step_at(uses[0][0].span)
    met = {node.shape.channels for _, node in graph.walk() if node.span == uses[0][0].span and node.shape is not None}
    if step is None or not met:
        return None
    groups = groups_for(met, most=min(groups for _, groups in uses))
    return Fix(f"use {groups} group{'s' * (groups > 1)}", (set_argument(step, "groups", str(groups), first=True),))
