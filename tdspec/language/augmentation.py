"""The steps that `data.augment` may hold, and how their arguments are read.

Torch-free: names, arguments and ranges are checked before a run; `tdspec.training.augment` carries
the steps out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from tdspec.report.codes import finding
from tdspec.report.finding import Finding
from tdspec.text.respell import respell
from tdspec.text.suggest import nearest
from tdspec.text.syntax import Argument, Expression, Negate, Number, Pipeline, Step


class Argued(NamedTuple):
    """One argument of an augmentation step; `default` None means that it must be given."""

    name: str
    default: float | None
    doc: str
    minimum: float = 0.0
    maximum: float = float("inf")
    whole: bool = False


class Augmentation(NamedTuple):
    """A step of `data.augment`."""

    doc: str
    arguments: tuple[Argued, ...] = ()


PROBABILITY = Argued("p", 0.5, "Probability that an image is changed.", maximum=1)

AUGMENTATIONS: dict[str, Augmentation] = {
    "RandomCrop": Augmentation(
        "Cuts a square at a random place out of the image, framed with zeros first.",
        (
            Argued("size", None, "Side in pixels.", minimum=1, whole=True),
            Argued("padding", 0, "Width of the frame in pixels.", whole=True),
        ),
    ),
    "HorizontalFlip": Augmentation("Swaps left and right.", (PROBABILITY,)),
    "VerticalFlip": Augmentation("Swaps top and bottom.", (PROBABILITY,)),
    "Rotation": Augmentation(
        "Turns the image by a random angle; what comes in from outside is zero.",
        (Argued("degrees", None, "Greatest angle to either side, in degrees.", maximum=180),),
    ),
    "ColorJitter": Augmentation(
        "Changes brightness, contrast, saturation and hue, in a random order, each by a factor drawn from "
        "1 - x to 1 + x (hue: a shift from -x to x of the colour circle).",
        (
            Argued("brightness", 0, "Greatest relative change."),
            Argued("contrast", 0, "Greatest relative change."),
            Argued("saturation", 0, "Greatest relative change; needs three channels."),
            Argued("hue", 0, "Greatest shift, in turns of the colour circle; needs three channels.", maximum=0.5),
        ),
    ),
    "Normalize": Augmentation(
        "Subtracts each channel's mean and divides by its standard deviation, both computed from the training images."
    ),
}


class Transform(NamedTuple):
    """A step with its arguments resolved."""

    name: str
    arguments: dict[str, float]


def bind(pipeline: Pipeline | None) -> tuple[tuple[Transform, ...], list[Finding]]:
    """The steps of `data.augment` with every argument's value, and what is wrong with them.

    A step with a finding is left out.
    """
    transforms: list[Transform] = []
    findings: list[Finding] = []
    for step in pipeline.steps if pipeline is not None else ():
        signature = AUGMENTATIONS.get(step.name)
        if signature is None:
            findings.append(
                finding(
                    "TD030", f"`{step.name}` is not an augmentation step", step.name_span,
                    help=_did_you_mean(step.name, AUGMENTATIONS, "known are"),
                    fix=respell(step.name_span, step.name, AUGMENTATIONS),
                    where="data.augment",
                )
            )  # fmt: skip
            continue
        values, problems = _arguments(step, signature)
        findings.extend(problems)
        if not problems:
            transforms.extend([Transform(step.name, values)] * step.repeat)
    return tuple(transforms), findings


def _arguments(step: Step, signature: Augmentation) -> tuple[dict[str, float], list[Finding]]:
    known = {argued.name: argued for argued in signature.arguments}
    values: dict[str, float] = {}
    problems: list[Finding] = []
    for position, argument in enumerate(step.arguments):
        name = argument.name
        if name is None:
            if position >= len(known):
                message = f"`{step.name}` takes at most {len(known)} arguments, this is number {position + 1}"
                problems.append(finding("TD033", message, argument.span, where="data.augment"))
                continue
            name = signature.arguments[position].name
        if name not in known:
            problems.append(
                finding(
                    "TD031", f"`{step.name}` has no argument `{name}`", argument.span,
                    help=_did_you_mean(name, known, "its arguments are") if known else "it takes none",
                    fix=respell(argument.span, name, known),
                    where="data.augment",
                )
            )  # fmt: skip
        elif name in values:
            message = f"`{name}` of `{step.name}` is given twice"
            problems.append(finding("TD033", message, argument.span, where="data.augment"))
        else:
            problems.extend(_check(step, known[name], argument))
            values[name] = _number(argument.value) or 0
    for argued in signature.arguments:
        if argued.name not in values and argued.default is None:
            message = f"`{step.name}` needs `{argued.name}`: {argued.doc[0].lower()}{argued.doc[1:]}"
            problems.append(finding("TD033", message, step.span, where="data.augment"))
        elif argued.default is not None:
            values.setdefault(argued.name, argued.default)
    return values, problems


def _check(step: Step, argued: Argued, argument: Argument) -> Iterator[Finding]:
    value = _number(argument.value)
    kind = "a whole number" if argued.whole else "a number"
    if value is None or (argued.whole and not isinstance(value, int)):
        message = f"`{argued.name}` of `{step.name}` is {kind}, found `{argument.value.span.text}`"
        yield finding("TD032", message, argument.span, where="data.augment")
    elif not argued.minimum <= value <= argued.maximum:
        upper = "" if argued.maximum == float("inf") else f" to {argued.maximum:g}"
        bounds = f"from {argued.minimum:g}{upper}" if upper else f"at least {argued.minimum:g}"
        message = f"`{argued.name}` of `{step.name}` is {kind} {bounds}, found {value:g}"
        yield finding("TD032", message, argument.span, where="data.augment")


def _number(expression: Expression) -> int | float | None:
    if isinstance(expression, Number):
        return expression.value
    if isinstance(expression, Negate):
        value = _number(expression.operand)
        return None if value is None else -value
    return None


def _did_you_mean(word: str, known: Iterable[str], otherwise: str) -> str:
    near = nearest(word, list(known))
    return f"did you mean `{near}`?" if near else f"{otherwise} {', '.join(f'`{name}`' for name in known)}"
