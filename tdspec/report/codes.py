"""The one table of finding codes: `code: (name, severity)`.

A code is never reused and never changes its meaning. Each has a page of its own,
`tdspec/rules/<code>_<name>.py`; a test compares this table with that folder. Stages make their
findings through `finding`, so that a name or a severity stands nowhere else.
"""

from __future__ import annotations

from typing import Any

from tdspec.report.finding import Finding, Severity

E, W, N = Severity.ERROR, Severity.WARNING, Severity.NOTE

CODES: dict[str, tuple[str, Severity]] = {
    # TD00x: from bytes to a YAML tree
    "TD001": ("file-unreadable", E),
    "TD002": ("yaml-syntax", E),
    "TD003": ("duplicate-key", E),
    "TD004": ("nesting-too-deep", E),
    "TD005": ("alias-bomb", E),
    "TD006": ("tab-indentation", E),
    "TD007": ("file-too-large", E),
    "TD008": ("not-a-spec", E),
    # TD01x: pipeline strings
    "TD010": ("pipeline-syntax", E),
    "TD011": ("lookalike-dash", E),
    "TD012": ("unbalanced-bracket", E),
    "TD013": ("pipeline-not-kept", E),
    "TD014": ("nested-bracket", E),
    "TD015": ("repeat-out-of-range", E),
    "TD016": ("expression-syntax", E),
    # TD02x: the document against the schema
    "TD020": ("unknown-key", E),
    "TD021": ("wrong-type", E),
    "TD022": ("unknown-choice", E),
    "TD023": ("missing-key", E),
    "TD024": ("out-of-range", E),
    "TD025": ("conflicting-keys", E),
    "TD026": ("unsupported-version", E),
    # TD03x: names, arguments, overrides
    "TD030": ("unknown-op", E),
    "TD031": ("unknown-argument", E),
    "TD032": ("argument-value", E),
    "TD033": ("argument-count", E),
    "TD034": ("recursive-block", E),
    "TD035": ("extends-unreadable", E),
    "TD036": ("override-path", E),
    "TD037": ("allowance-unknown", E),
    "TD038": ("allowance-unused", W),
    "TD039": ("name-taken", E),
    # TD04x: wiring
    "TD040": ("unknown-step", E),
    "TD041": ("cycle", E),
    "TD042": ("no-time-here", E),
    "TD043": ("input-count", E),
    "TD044": ("unused-step", W),
    "TD045": ("unused-block", W),
    "TD046": ("unshared-use", W),
    # TD1xx: does time reach the output?
    "TD101": ("time-erased", E),
    "TD102": ("time-route-erased", W),
    "TD103": ("time-edge-only", E),
    "TD104": ("batch-norm-in-ode", E),
    "TD105": ("time-coupled-over-batch", W),
    "TD106": ("few-channels-per-unit", W),
    "TD107": ("time-unused", E),
    "TD108": ("position-erased", E),
    "TD109": ("operand-bias-nonzero", N),
    "TD110": ("time-bias-zero", N),
    "TD111": ("time-silent-at-init", N),
    "TD112": ("embedding-argument-too-small", W),
    "TD113": ("operand-dominates", W),
    "TD114": ("no-positional-embedding", N),
    "TD115": ("groups-above-one", N),
    "TD116": ("scale-before-norm", E),
    # TD2xx: shapes and structure
    "TD201": ("groups-do-not-divide", E),
    "TD202": ("channel-mismatch", E),
    "TD203": ("spatial-size", E),
    "TD204": ("field-changes-state", E),
    "TD205": ("input-dead", E),
    "TD206": ("class-count", E),
    "TD207": ("not-a-denoiser", E),
    # TD3xx: dynamics
    "TD301": ("random-field", E),
    "TD302": ("kink-in-field", N),
}


def finding(code: str, message: str, span: Any = None, **more: Any) -> Finding:
    """A `Finding` with the name and the severity that the table gives its code.

    `more` are fields of `Finding`; `severity=` overrides the table where a rule grades.
    """
    name, severity = CODES[code]
    more.setdefault("severity", severity)
    return Finding(code=code, name=name, message=message, span=span, **more)


def code_of(word: str) -> str | None:
    """The code that a code or a name stands for, in any case; None if there is none."""
    if word.upper() in CODES:
        return word.upper()
    return next((code for code, (name, _) in CODES.items() if name == word.lower()), None)


def allowable(code: str) -> bool:
    """Whether a spec may allow it: a judgement, or less than an error.

    Behind any other error there is no network that could be meant to be as it is.
    """
    if code == "TD038":  # an allowance without use is removed, not allowed
        return False
    return CODES[code][1] is not E or code[2] in "134" or code == "TD205"
