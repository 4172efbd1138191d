"""Expressions: the grammar, the values, the printed form, and what is refused where."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tdspec.report.finding import Report
from tdspec.text.expression import LIMIT, MOST_WORK, ExpressionError, evaluate, print_expression
from tdspec.text.notation import read_expression
from tdspec.text.source import Source, Span
from tdspec.text.syntax import Binary, Expression, Invoke, Name, Negate, Number
from tdspec.text.yaml_tree import Mapping, Scalar, Sequence, parse_yaml

NOWHERE = Span(Source("", ""), 0, 0)


def read(text: str) -> tuple[Expression | None, Report]:
    """The expression that a value of YAML holds."""
    report = Report()
    found = parse_yaml(Source("x.yaml", f"a: {text}\n"), report)
    assert found is not None, report.findings
    node = found.get("a")
    assert node is not None
    return read_expression(node, report), report


def parse(text: str) -> Expression:
    found, report = read(f"'{text}'")
    assert found is not None, report.findings
    return found


def bare(expression: Expression) -> object:
    """An expression without its spans."""
    match expression:
        case Number(value, _):
            return (type(value), value)
        case Name(name, _):
            return name
        case Negate(operand, _):
            return ("-", bare(operand))
        case Binary(sign, left, right, _):
            return (sign, bare(left), bare(right))
        case Invoke(function, arguments, _):
            return (function, *map(bare, arguments))


# ------------------------------------------------------------------ values


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("7", 7), ("0.5", 0.5), ("1e-3", 1e-3), ("2E2", 200.0), (".5", 0.5), ("5.", 5.0),
        ("C/4", 33), ("(C + 2)/4", 33), ("C/4.0", 33.25), ("-C/4", -34), ("-(C/4)", -33), ("2*C - 1", 265),
        ("C - 3 - 2", 128), ("C - (3 - 2)", 132), ("C/2/2", 33), ("C/(4/2)", 66), ("2 + 3*4", 14), ("(2 + 3)*4", 20),
        ("min(C/4, 32)", 32), ("max(min(C, 8), 3, 5)", 8), ("min(7)", 7), ("in*out", 60), ("--2", 2), ("2*-3", -6),
        ("1 --1", 2), ("1e3/3", 1e3 / 3), ("min(1, 0.5)", 0.5),
        ("1/sqrt(2)", 1 / math.sqrt(2)), ("sqrt(4)", 2.0), ("log(1)", 0.0), ("log(2*C)/2", math.log(266) / 2),
    ],
)  # fmt: skip
def test_values(text: str, value: float) -> None:
    found = evaluate(parse(text), {"C": 133, "in": 6, "out": 10})
    assert found == value and type(found) is type(value)


NUMBERS = st.integers(0, 1000).map(lambda n: Number(n, NOWHERE))
NAMES = st.sampled_from(["C", "in", "out"]).map(lambda name: Name(name, NOWHERE))
ENVIRONMENT = {"C": 96, "in": 3, "out": 64}


def compound(below: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    return st.one_of(
        st.builds(Negate, below, st.just(NOWHERE)),
        st.builds(Binary, st.sampled_from("+-*/"), below, below, st.just(NOWHERE)),
        st.builds(
            Invoke,
            st.sampled_from(["min", "max"]),
            st.lists(below, min_size=1, max_size=3).map(tuple),
            st.just(NOWHERE),
        ),
    )


EXPRESSIONS: st.SearchStrategy[Expression] = st.recursive(NUMBERS | NAMES, compound, max_leaves=12)
FLOATS = st.floats(0, 1e300).map(lambda x: Number(x, NOWHERE))
WITH_FLOATS: st.SearchStrategy[Expression] = st.recursive(NUMBERS | NAMES | FLOATS, compound, max_leaves=12)


def fractions_allowed(expression: Expression) -> float:
    """Plain recursion over the tree with Python's own operators: the reference for `evaluate`."""
    signs: dict[str, Callable[[float, float], float]] = {
        "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.floordiv,
    }  # fmt: skip
    match expression:
        case Number(value, _):
            return value
        case Name(name, _):
            return ENVIRONMENT[name]
        case Negate(operand, _):
            return -fractions_allowed(operand)
        case Binary(sign, left, right, _):
            return signs[sign](fractions_allowed(left), fractions_allowed(right))
        case Invoke(function, arguments, _):
            return {"min": min, "max": max}[function](map(fractions_allowed, arguments))


@given(EXPRESSIONS)
def test_whole_numbers_are_python_s(expression: Expression) -> None:
    try:
        expected = fractions_allowed(expression)
    except ZeroDivisionError:
        with pytest.raises(ExpressionError, match="zero"):
            evaluate(expression, ENVIRONMENT)
        return
    try:
        assert evaluate(expression, ENVIRONMENT) == expected
    except ExpressionError as error:
        assert "bounds" in error.message


@given(WITH_FLOATS)
def test_print_and_parse_are_inverse(expression: Expression) -> None:
    text = print_expression(expression)
    again = parse(text)
    assert bare(again) == bare(expression)
    assert print_expression(again) == text


@given(WITH_FLOATS)
def test_spans_hold_what_they_say(expression: Expression) -> None:
    def check(part: Expression) -> None:
        assert bare(parse(part.span.text)) == bare(part)
        for below in (
            part.arguments if isinstance(part, Invoke)
            else (part.left, part.right) if isinstance(part, Binary)
            else (part.operand,) if isinstance(part, Negate)
            else ()
        ):  # fmt: skip
            check(below)

    check(parse(print_expression(expression)))


@pytest.mark.parametrize(
    ("text", "message", "help"),
    [
        ("Cc", "should be a number, found `Cc`", "did you mean `C`?"),
        ("nearest", "should be a number, found `nearest`", "known here: `C` and `width`"),
        ("widht + 1", "should be a number, found `widht`", "did you mean `width`?"),
        ("mni(C, 2)", "calls `mni`, which is no function of numbers", "did you mean `min`?"),
        ("normal(0.02)", "calls `normal`", "`min`, `max`, `sqrt` and `log`"),
        ("min()", "nothing to choose from", ""),
        ("sqrt()", "nothing to work on", ""),
        ("sqrt(2, 3)", "gives `sqrt` 2 numbers, but it takes one", ""),
        ("sqrt(-C)", "takes `sqrt` of -96", "above 0"),
        ("log(1/2)", "takes `log` of 0", "above 0"),
        ("sqr(2)", "calls `sqr`", "did you mean `sqrt`?"),
        ("C/(width - 64)", "divides by `width - 64`, which is zero", ""),
        ("1/0.0", "divides by `0.0`", ""),
        ("1000000*1000000*1000000", "grows beyond all bounds", "1e15"),
        ("1e200*1e200", "grows beyond all bounds", "1e308"),
        ("1000000000000000*1e300*10", "grows beyond all bounds", ""),
    ],
)
def test_no_value(text: str, message: str, help: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        evaluate(parse(text), {"C": 96, "width": 64})
    assert message in caught.value.message and help in caught.value.help


def test_an_error_shows_the_part_that_is_wrong() -> None:
    with pytest.raises(ExpressionError) as caught:
        evaluate(parse("2*(C + missing)"), {"C": 1})
    assert caught.value.span.text == "missing"


# ------------------------------------------------------------------ from YAML


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("32", (int, 32)), ("-1", ("-", (int, 1))), ("1e-3", (float, 1e-3)), ("0x10", (int, 16)), ("010", (int, 10)),
        ("true", "true"), ("False", "false"), ("zeros", "zeros"), ("C/4", ("/", "C", (int, 4))),
        ('"min(C/4, 32)"', ("min", ("/", "C", (int, 4)), (int, 32))), ("min(C, 2)", ("min", "C", (int, 2))),
        ("normal(0.02)", ("normal", (float, 0.02))), ("'8'", (int, 8)), ("C +\n  1", ("+", "C", (int, 1))),
    ],
)  # fmt: skip
def test_read(text: str, expected: object) -> None:
    found, report = read(text)
    assert report.findings == [] and found is not None and bare(found) == expected


@pytest.mark.parametrize(
    ("text", "code", "place", "words"),
    [
        ("C/", "TD016", 6, "write a value behind `/`"), ("C**2", "TD016", 6, "no powers"),
        ("C//2", "TD016", 6, "floors"),
        ("+C", "TD016", 4, "leave the plus out"), ("2C", "TD016", 4, "2*C"), ("C 2", "TD016", 6, "before `2`"),
        ("C % 2", "TD016", 6, "known operators"), ("C^2", "TD016", 5, "known operators"),
        ("f(1,)", "TD016", 8, "delete"),
        ("(C", "TD012", 4, "never closed"), ("C)", "TD016", 5, "follows a value"), ("f(C", "TD012", 5, "never closed"),
        ("C−1", "TD011", 5, "minus sign"), ("C×2", "TD011", 5, "write `*`"), ("C÷2", "TD011", 5, "write `/`"),
        ("'C–1'", "TD011", 6, "hyphen"), ("", "TD016", 3, "the text ends"), ("é", "TD016", 4, "ASCII"),
        ("1.2.3", "TD016", 4, ""),
        ("[C]", "TD016", 4, "found a list"), ("{a: b}", "TD016", 4, "found a mapping"), (".inf", "TD016", 4, ""),
        ("|\n  C", "TD013", 4, "one line"), ('"C\\n"', "TD013", 4, "escape"), ("9" * 30, "TD016", 4, "too large"),
        ("a == b", "TD010", 6, "name=value"), ("f(a=1)", "TD010", 7, "name=value"),
        ("'f(\"a\")'", "TD016", 7, "without quotes"),
        ("f(C[0])", "TD014", 7, "bracket"), ("f(\u200bC)", "TD016", 6, "zero width space"),
    ],
)  # fmt: skip
def test_refused(text: str, code: str, place: int, words: str) -> None:
    found, report = read(text)
    assert found is None
    (item,) = report.findings
    assert item.span is not None
    assert (item.code, item.span.first.column) == (code, place)
    assert words in item.message + item.help


def test_a_number_that_yaml_resolved_is_not_read_again() -> None:
    report = Report()
    span = Span(Source("--set", "a: 0x1F"), 3, 7)
    found = read_expression(Scalar(span, 31, "plain"), report)
    assert found == Number(31, span)
    assert read_expression(Sequence(span, (), True), report) is None
    assert read_expression(Mapping(span, ()), report) is None


def test_size_and_magnitude_are_bounded() -> None:
    assert evaluate(parse("1" + " + 1" * MOST_WORK), {}) == MOST_WORK + 1
    for text in (
        "1" + " + 1" * (MOST_WORK + 1),
        "(" * 5000 + "1" + ")" * 5000,
        "-" * 5000 + "1",
        "min(" * 5000,
        "f(1" + ",1" * 5000 + ")",
    ):
        found, report = read(f"'{text}'")
        assert found is None and "at most" in report.findings[0].message
    assert evaluate(parse(str(LIMIT)), {}) == LIMIT
    assert read(f"'{LIMIT + 1}'")[0] is None
    assert math.isfinite(evaluate(parse("1e308"), {}))
