"""Arithmetic in arguments and options: `C/4`, `min(C/4, 32)`, `1/sqrt(2)`, `normal(0.02)`.

    expression  sum
    sum         product {("+" | "-") product}
    product     operand {("*" | "/") operand}
    operand     "-" operand | number | name | name "(" [sum {"," sum}] ")" | "(" sum ")"

Read by this grammar, never by `eval`, and bounded in size and in magnitude.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from tdspec.text.cursor import Cursor
from tdspec.text.expression_mistakes import expected_operand, not_closed, unexpected
from tdspec.text.mistake import Mistake
from tdspec.text.respell import respell
from tdspec.text.source import Span
from tdspec.text.suggest import nearest, quote_list
from tdspec.text.syntax import Binary, Expression, Invoke, Name, Negate, Number

if TYPE_CHECKING:
    from tdspec.report.fix import Fix

LIMIT = 10**15
"""Greatest magnitude of a whole number; greater ones are typing errors."""

BOUNDS = "whole numbers go up to 1e15, others to 1e308"
MOST_WORK = 100
"""Operators, calls, commas and parentheses in one expression: bounds its depth, too."""

OPERAND = re.compile(
    r"\s*(?:(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?)(?![\w.])"
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?!\w)"
    r"|(?P<open>\()|(?P<minus>-))"
)
CALL = re.compile(r"\s*\(")
AFTER = re.compile(r"\s*([-+*/,)]?)")
BINDING = {"+": 1, "-": 1, "*": 2, "/": 2}
FUNCTIONS: dict[str, Callable[..., int | float]] = {"min": min, "max": max, "sqrt": math.sqrt, "log": math.log}
OF_ONE = ("sqrt", "log")


class ExpressionError(Exception):
    """An expression has no value here. `message` goes on after the name of what it was for."""

    def __init__(self, span: Span, message: str, help: str = "", fix: Fix | None = None) -> None:
        self.span = span
        self.message = message
        self.help = help
        self.fix = fix
        super().__init__(message)


def parse_expression(cursor: Cursor, least: int = 1) -> Expression:
    """Read one expression and stop at what cannot belong to it; raises `Mistake`.

    least  take only operators that bind at least so strongly
    """
    left = _operand(cursor)
    start = left.span
    while True:
        match = AFTER.match(cursor.text, cursor.at, cursor.end)
        assert match is not None
        operator = match[1]
        cursor.at = match.start(1)
        binding = BINDING.get(operator, 0)
        if binding < least:
            return left
        _work(cursor, match.start(1))
        cursor.at = match.end()
        right = parse_expression(cursor, binding + 1)
        left = Binary(operator, left, right, start.to(right.span))


def _operand(cursor: Cursor) -> Expression:
    match = OPERAND.match(cursor.text, cursor.at, cursor.end)
    if match is None:
        raise expected_operand(cursor)
    kind = match.lastgroup
    assert kind is not None
    start, cursor.at = match.start(kind), match.end()
    span = cursor.span(start, cursor.at)
    if kind == "number":
        return Number(_number(match[kind], span), span)
    if kind == "name":
        call = CALL.match(cursor.text, cursor.at, cursor.end)
        if call is None:
            return Name(match[kind], span)
        _work(cursor, start)
        cursor.at = call.end()
        arguments = tuple(_arguments(cursor, call.end() - 1))
        return Invoke(match[kind], arguments, cursor.span(start, cursor.at))
    _work(cursor, start)
    if kind == "minus":
        operand = _operand(cursor)
        return Negate(operand, span.to(operand.span))
    inner = parse_expression(cursor)
    close(cursor, start)
    return replace(inner, span=cursor.span(start, cursor.at))


def _arguments(cursor: Cursor, opened: int) -> list[Expression]:
    found: list[Expression] = []
    cursor.skip_blanks()
    if cursor.peek() == ")":
        cursor.at += 1
        return found
    while True:
        found.append(parse_expression(cursor))
        if cursor.peek() != ",":
            close(cursor, opened)
            return found
        _work(cursor, cursor.at)
        cursor.at += 1


def close(cursor: Cursor, opened: int) -> None:
    """Go behind the `)` that is due for the `(` at `opened`."""
    if cursor.peek() != ")":
        raise not_closed(cursor, opened) or unexpected(cursor)
    cursor.at += 1


def _work(cursor: Cursor, at: int) -> None:
    cursor.work += 1
    if cursor.work > MOST_WORK:
        message = f"an expression has at most {MOST_WORK} operators, calls and parentheses"
        raise Mistake("TD016", message, cursor.span(at, at + 1), "write the number that it comes to")


def _number(text: str, span: Span) -> int | float:
    # Python refuses to read whole numbers of thousands of digits; as floats they are infinite.
    value = int(text) if text.isdigit() and len(text) < 1000 else float(text)
    if not is_bounded(value):
        raise Mistake("TD016", "this number is too large", span, BOUNDS)
    return value


def is_bounded(value: int | float) -> bool:
    """Whether a number is one that a spec may hold."""
    return abs(value) <= LIMIT if isinstance(value, int) else math.isfinite(value)


def evaluate(expression: Expression, environment: Mapping[str, int | float]) -> int | float:
    """The value of an expression with the given names; raises `ExpressionError`.

    `/` floors between whole numbers, as the papers' `C/4` means it; with a float, such as `sqrt(2)`, it divides.
    """
    value: int | float
    if isinstance(expression, Number):
        return expression.value
    if isinstance(expression, Name):
        return _look_up(expression, environment)
    if isinstance(expression, Negate):
        return -evaluate(expression.operand, environment)
    if isinstance(expression, Invoke):
        return _call(expression, environment)
    left, right = evaluate(expression.left, environment), evaluate(expression.right, environment)
    if expression.operator == "/" and right == 0:
        shown = print_expression(expression.right)
        raise ExpressionError(expression.right.span, f"divides by `{shown}`, which is zero")
    try:
        if expression.operator == "+":
            value = left + right
        elif expression.operator == "-":
            value = left - right
        elif expression.operator == "*":
            value = left * right
        elif isinstance(left, int) and isinstance(right, int):
            value = left // right
        else:
            value = left / right
    except OverflowError:
        value = math.inf
    if not is_bounded(value):
        raise ExpressionError(expression.span, "grows beyond all bounds", BOUNDS)
    return value


def _call(expression: Invoke, environment: Mapping[str, int | float]) -> int | float:
    name = expression.function
    if name not in FUNCTIONS:
        near = nearest(name, FUNCTIONS)
        help = f"did you mean `{near}`?" if near else f"{quote_list(FUNCTIONS, 'and')} are the functions there are"
        fix = respell(expression.span, name, FUNCTIONS)
        raise ExpressionError(expression.span, f"calls `{name}`, which is no function of numbers", help, fix)
    arguments = [evaluate(argument, environment) for argument in expression.arguments]
    if not arguments:
        raise ExpressionError(
            expression.span, f"gives `{name}` nothing to {'work on' if name in OF_ONE else 'choose from'}"
        )
    if name not in OF_ONE:
        return FUNCTIONS[name](arguments)
    if len(arguments) > 1:
        raise ExpressionError(expression.span, f"gives `{name}` {len(arguments)} numbers, but it takes one")
    if arguments[0] < 0 or (arguments[0] == 0 and name == "log"):
        raise ExpressionError(expression.span, f"takes `{name}` of {arguments[0]}", "it needs a number above 0")
    return FUNCTIONS[name](arguments[0])


def _look_up(name: Name, environment: Mapping[str, int | float]) -> int | float:
    value = environment.get(name.id)
    if value is not None:
        return value
    near = nearest(name.id, environment)
    if near:
        help = f"did you mean `{near}`?"
    else:
        help = f"known here: {quote_list(environment, 'and')}" if environment else "no names are known here"
    fix = respell(name.span, name.id, environment)
    raise ExpressionError(name.span, f"should be a number, found `{name.id}`", help, fix)


def print_expression(expression: Expression, least: int = 0) -> str:
    """The canonical form, with no more parentheses than are needed."""
    if isinstance(expression, Number):
        return repr(expression.value)
    if isinstance(expression, Name):
        return expression.id
    if isinstance(expression, Negate):
        return f"-{print_expression(expression.operand, 3)}"
    if isinstance(expression, Invoke):
        return f"{expression.function}({', '.join(map(print_expression, expression.arguments))})"
    binding = BINDING[expression.operator]
    operator = f" {expression.operator} " if binding == 1 else expression.operator
    text = print_expression(expression.left, binding) + operator + print_expression(expression.right, binding + 1)
    return f"({text})" if binding < least else text
