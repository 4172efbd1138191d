"""From the arguments as written to the values an op's site has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from tdspec.ops.init import LARGEST, RULES
from tdspec.ops.op import REQUIRED, Op, Param, Rule
from tdspec.report.codes import finding
from tdspec.report.finding import Finding
from tdspec.text.expression import ExpressionError, evaluate, print_expression
from tdspec.text.respell import respell
from tdspec.text.source import Span
from tdspec.text.suggest import nearest
from tdspec.text.syntax import Argument, Expression, Invoke, Name, Negate, Number, Step

Environment = Mapping[str, "int | float"]
WORDS = ("choice", "flag", "init")  # kinds of parameters whose values name no C


class Bound(NamedTuple):
    """Values of an op's parameters, and where those stand that were written in the step."""

    values: dict[str, Any]
    spans: dict[str, Span]


def pair_up(
    step: Step, names: tuple[str, ...], what: str, found: list[Finding], where: str, *, kernel: bool = False
) -> dict[str, Argument]:
    """Arguments by parameter name; positional ones in order.

    kernel  whether it takes a kernel, as a suffix of its name
    """
    given: dict[str, Argument] = {}
    for position, argument in enumerate(step.arguments):
        name = argument.name
        if name is None:
            if position >= len(names):
                takes = f"takes {len(names)} argument{'s' * (len(names) != 1)}" if names else "takes no arguments"
                found.append(
                    finding("TD033", f"{what} {takes}, found {len(step.arguments)}", argument.span, where=where)
                )
                break
            name = names[position]
        elif name not in names:
            near = nearest(name, names)
            known = ", ".join(f"`{known}`" for known in names)
            help_ = f"did you mean `{near}`?" if near else f"it takes {known}" if names else "it takes none"
            if kernel and name in ("kernel", "kernel_size"):
                help_ = kernel_help(step, argument)
            found.append(
                finding(
                    "TD031",
                    f"{what} has no argument `{name}`",
                    argument.span, where=where,
                    help=help_,
                    fix=respell(argument.span, name, names),
                )
            )  # fmt: skip
            continue
        if name in given:
            found.append(finding("TD033", f"`{name}` is given twice to {what}", argument.span, where=where))
            continue
        given[name] = argument
    return given


def kernel_help(step: Step, argument: Argument) -> str:
    """How a kernel that was given as an argument is written."""
    size = print_expression(argument.value)
    suffix = f"{size}x{size}" if size.isdigit() else "3x3"
    others = ", ".join(other.span.text for other in step.arguments if other is not argument)
    return f"the kernel is a suffix: `{step.name}{suffix}" + (f"({others})`" if others else "`")


def bind(
    step: Step,
    op: Op,
    defaults: Mapping[str, Expression],
    environment: Environment,
    found: list[Finding],
    where: str,
    *,
    known: bool = True,
) -> Bound:
    """Every parameter's value: written, from `defaults`, or the op's own.

    known  whether C is known; without it, what an expression gives means nothing
    """
    what = f"`{step.name}`"
    given = pair_up(step, tuple(param.name for param in op.params), what, found, where, kernel=op.kernel is not None)
    values: dict[str, Any] = {}
    spans: dict[str, Span] = {}
    for param in op.params:
        argument = given.get(param.name)
        written = argument.value if argument is not None else defaults.get(param.name)
        if argument is not None:
            spans[param.name] = argument.span
        if written is None:
            if param.default is REQUIRED:
                found.append(
                    finding(
                        "TD033", f"{what} needs `{param.name}`", step.span, where=where,
                        help=f"write `{step.name}(…)`: {param.doc}",
                    )
                )  # fmt: skip
                values[param.name] = 1
            else:
                values[param.name] = param.default
            continue
        try:
            values[param.name] = value_of(param, written, environment)
        except ExpressionError as error:
            if known or param.kind in WORDS:
                message = f"`{param.name}` of {what} {error.message}"
                found.append(finding("TD032", message, error.span, where=where, help=error.help, fix=error.fix))
            values[param.name] = param.default if param.default is not REQUIRED else 1
    if step.kernel is not None and op.kernel is None:
        found.append(finding("TD033", f"{what} takes no kernel suffix", step.name_span, where=where))
    if op.kernel is not None:
        values["kernel"] = step.kernel or (op.kernel,)
        if min(values["kernel"]) < 1:
            found.append(finding("TD032", f"the kernel of {what} should be at least 1x1", step.name_span, where=where))
            values["kernel"] = (op.kernel,)
    return Bound(values, spans)


def value_of(param: Param, written: Expression, environment: Environment) -> Any:
    """A parameter's value; raises `ExpressionError` with what was expected and found."""
    text = print_expression(written)
    if param.kind == "init":
        return rule_of(written)
    if param.kind == "choice":
        if isinstance(written, Name) and written.id in param.choices:
            return written.id
        near = nearest(text, param.choices)
        raise ExpressionError(
            written.span,
            f"should be one of {', '.join(f'`{choice}`' for choice in param.choices)}, found `{text}`",
            f"did you mean `{near}`?" if near else "",
            respell(written.span, text, param.choices),
        )
    if param.kind == "flag":
        if isinstance(written, Name) and written.id in ("true", "false"):
            return written.id == "true"
        fix = respell(written.span, text, ("true", "false"))
        raise ExpressionError(written.span, f"should be `true` or `false`, found `{text}`", "", fix)
    if param.kind == "padding" and isinstance(written, Name) and written.id not in environment:
        if written.id in param.choices:
            return written.id
        words = " or ".join(f"`{choice}`" for choice in param.choices)
        near = nearest(text, param.choices)
        help_ = f"did you mean `{near}`?" if near else ""
        fix = respell(written.span, text, param.choices)
        raise ExpressionError(written.span, f"should be a whole number, {words}, found `{text}`", help_, fix)
    value = evaluate(written, environment)
    if param.kind != "number":
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if not isinstance(value, int):
            raise ExpressionError(written.span, f"should be a whole number, found `{text}`, which is {value}", "")
    shown = f"`{text}`" if isinstance(written, (Number, Negate)) else f"`{text}`, which is {value}"
    if param.minimum is not None and value < param.minimum:
        raise ExpressionError(written.span, f"should be at least {param.minimum:g}, found {shown}", "")
    if param.maximum is not None and value > param.maximum:
        raise ExpressionError(written.span, f"should be at most {param.maximum:g}, found {shown}", "")
    return value


def refused(param: Param, written: Expression) -> bool:
    """Whether the schema has said that this is no value of the parameter, wherever it is used."""
    if param.kind not in ("choice", "flag", "number"):
        return False
    try:
        value_of(param, written, {})
    except ExpressionError:
        return True
    return False


def rule_of(written: Expression) -> Rule:
    """An initialisation rule: `zeros`, `normal(0.02)`."""
    if isinstance(written, Name):
        name = written.id
        arguments: tuple[float, ...] = ()
    elif isinstance(written, Invoke):
        name = written.function
        arguments = tuple(float(evaluate(argument, {})) for argument in written.arguments)
    else:
        raise ExpressionError(
            written.span, f"should be an initialisation rule, found `{print_expression(written)}`", ""
        )
    facts = RULES.get(name)
    if facts is None:
        near = nearest(name, tuple(RULES))
        raise ExpressionError(
            written.span,
            f"should be an initialisation rule, found `{name}`",
            f"did you mean `{near}`?" if near else f"rules: {', '.join(RULES)}",
            respell(written.span, name, RULES),
        )
    if not facts.least <= len(arguments) <= facts.most:
        takes = "no number" if facts.most == 0 else "one number" if facts.least else "at most one number"
        raise ExpressionError(written.span, f"should give `{name}` {takes}, found {len(arguments)}", facts.doc)
    for number in arguments:
        if not facts.minimum <= number <= LARGEST:
            raise ExpressionError(
                written.span, f"should give `{name}` a number from {facts.minimum:g} to {LARGEST:g}, found {number:g}",
                facts.doc,
            )  # fmt: skip
    return Rule(name, arguments)
