"""Judging: run every rule over a spec's facts, and apply the spec's allowances.

A rule is one file of this folder with a `check(context)`; its docstring is its page. A rule that
crashes is a bug of ours and says so; it never becomes a finding.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from typing import TYPE_CHECKING

from tdspec.graph.graph import Graph
from tdspec.report.codes import finding
from tdspec.report.finding import Finding, Severity
from tdspec.rules.context import Context

if TYPE_CHECKING:
    from tdspec.language.spec import Allowance, Spec

RULES = (
    "td101_time_erased",
    "td102_time_route_erased",
    "td103_time_edge_only",
    "td104_batch_norm_in_ode",
    "td105_time_coupled_over_batch",
    "td106_few_channels_per_unit",
    "td107_time_unused",
    "td108_position_erased",
    "td109_operand_bias_nonzero",
    "td110_time_bias_zero",
    "td111_time_silent_at_init",
    "td112_embedding_argument_too_small",
    "td113_operand_dominates",
    "td114_no_positional_embedding",
    "td115_groups_above_one",
    "td116_scale_before_norm",
    "td205_input_dead",
    "td301_random_field",
    "td302_kink_in_field",
)

JUDGED = frozenset(name[:5].upper() for name in RULES)

Check = Callable[[Context], Iterator[Finding]]
SEVERITIES = (Severity.ERROR, Severity.WARNING, Severity.NOTE)


def judge(spec: Spec, graph: Graph) -> list[Finding]:
    """Every rule's findings, one for each use of a text: a block used twice may be judged twice."""
    context = Context(spec, graph)
    checks: list[Check] = [import_module(f"tdspec.rules.{name}").check for name in RULES]
    return [item for check in checks for item in check(context)]


def merged(findings: Iterable[Finding]) -> list[Finding]:
    """Findings with those of the rules once for each code and place, as severe as the worst of its uses."""
    found: dict[tuple[str, object], Finding] = {}
    for item in findings:
        key = (item.code, item.span if item.code in JUDGED else id(item))
        known = found.get(key)
        if known is None or SEVERITIES.index(item.severity) < SEVERITIES.index(known.severity):
            found[key] = item
    return list(found.values())


def allow(
    findings: Iterable[Finding], allowances: Iterable[Allowance]
) -> tuple[list[Finding], list[tuple[Finding, str]]]:
    """Findings that stand, and those that an allowance silences with its reason.

    An allowance holds for findings at its scope or below, and for those of blocks used there. One that silences
    nothing is itself a finding.
    """
    standing: list[Finding] = []
    silenced: list[tuple[Finding, str]] = []
    given = list(allowances)
    used: set[Allowance] = set()
    for item in findings:
        match = next((entry for entry in given if entry.code == item.code and _within(item, entry.scope)), None)
        if match is None:
            standing.append(item)
        else:
            used.add(match)
            silenced.append((item, match.reason))
    for entry in given:
        if entry not in used:
            from tdspec.rules.td038_allowance_unused import fix as removal

            where = f"below `{entry.scope}`" if entry.scope else "in this spec"
            standing.append(
                finding(
                    "TD038", f"nothing {where} needs the allowance of {entry.code}", entry.span,
                    where=entry.scope, help="remove it", fix=removal(entry),
                )
            )  # fmt: skip
    return standing, silenced


def _within(item: Finding, scope: str) -> bool:
    return any(path == scope or not scope or path.startswith(f"{scope}.") for path in (item.where, *item.uses))
