"""The sum of two branches, of a block or of a pyramid, and the factor on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tdspec.graph.builder import GraphBuilder
from tdspec.graph.place import Place
from tdspec.graph.wire_op import environment_of, implied, op_node
from tdspec.ops import OPS
from tdspec.text.expression import ExpressionError, evaluate
from tdspec.text.source import Span
from tdspec.text.syntax import Expression, Step

if TYPE_CHECKING:
    from tdspec.graph.wirer import Wirer


def wire_sum(
    wirer: Wirer, builder: GraphBuilder, side: str, end: str, scale: Expression | None, place: Place,
    span: Span | None, help: str = "",
) -> str:  # fmt: skip
    """Add two nodes, and scale their sum; gives the node that leaves.

    help  what to write where their shapes differ
    """
    before, after = builder.shape(side), builder.shape(end)
    if before is None or after is None or before != after:
        if before is not None and after is not None:
            message = f"what is added differs in shape: {before} and {after}"
            wirer.say("TD202", message, span, place.where, help=help)
        return wirer.unknown(builder, "Add", (side, end), span, place).name
    assert span is not None
    total = op_node(wirer, builder, OPS["Add"], Step("Add", None, (), 1, span, span), (side, end), place).name
    if scale is None:
        return total
    try:
        by = evaluate(scale, environment_of(place, before))
        if by == 0:
            help_ = "`/` floors between whole numbers: write `1/sqrt(2)`, or `1.0/C`"
            raise ExpressionError(scale.span, "should not be 0, which is what it comes to", help_)
    except ExpressionError as error:
        wirer.say("TD032", f"`scale` {error.message}", error.span, place.where, help=error.help, fix=error.fix)
        return total
    values: dict[str, object] = {"by": by, "learned": False, "squash": "none"}
    return implied(builder, OPS["Scale"], values, total, span, place.where, place.prefix).name
