"""How an option of a spec is declared: once, on a dataclass field.

The schema, the defaults, `--help` texts and the checks of ranges are all derived from these
declarations. A section of a spec is a frozen dataclass whose docstring describes it and whose
fields are made by `option`. Understood annotations: `bool`, `int`, `float`, `str`,
`Literal[...]`, `X | None`, `tuple[X, ...]`, `dict[str, X]`, a section, `Pipeline`,
`Expression`, and a union of sections that each have a class variable `kind`, chosen by the key
`kind`.
"""

from __future__ import annotations

from dataclasses import MISSING, field
from typing import Any


def option(
    default: Any = MISSING,
    doc: str = "",
    *,
    minimum: float | None = None,
    above: float | None = None,
    maximum: float | None = None,
    below: float | None = None,
    pattern: str | None = None,
    examples: tuple[Any, ...] = (),
    factory: Any = MISSING,
) -> Any:
    """Declare one option; without `default` and `factory` it is required.

    doc      one or two sentences with the unit: the hover text and the docs
    minimum  least allowed value; `above` is the same, exclusive
    maximum  greatest allowed value; `below` is the same, exclusive
    pattern  regular expression that a string must match
    """
    bounds = {
        "minimum": minimum,
        "exclusiveMinimum": above,
        "maximum": maximum,
        "exclusiveMaximum": below,
        "pattern": pattern,
    }
    metadata: dict[str, Any] = {
        "doc": doc,
        "bounds": {key: value for key, value in bounds.items() if value is not None},
        "examples": examples,
    }
    if factory is not MISSING:
        return field(default_factory=factory, metadata=metadata)
    if default is not MISSING:
        return field(default=default, metadata=metadata)
    return field(metadata=metadata)
