"""What the schema says to validators and editors that read one file and know only the standard keywords.

A spec that extends another is a part of one, so what sections require is asked only of a spec that
stands alone. And where no rule runs, a `pattern` refuses the direct case of an erased time: a BN in
the pipeline of `model.ode.field` without an allowance. It reads words, not the graph; a BN in a
block that the field uses, or a GN with as many groups as channels, is for the rules alone.
"""

from __future__ import annotations

from typing import Any

WHOLE = "whole."


def required_unless_extending(document: dict[str, Any]) -> dict[str, Any]:
    """The schema with its requirements moved behind the condition that `extends` is not there.

    Each definition that requires something, itself or further in, gets a second one called `whole.…`
    that holds the requirements alone.
    """
    definitions = document["$defs"]
    plain = {name: _without(section) for name, section in definitions.items()}
    wholes = {WHOLE + name: whole for name, section in definitions.items() if (whole := _whole(section, definitions))}
    return {
        **_without({key: value for key, value in document.items() if key != "$defs"}),
        "$defs": plain | wholes,
        "if": {"required": ["extends"]},
        "else": _whole(document, definitions),
    }


def _without(schema: Any) -> Any:
    """A schema without what it requires; conditions stay as they are."""
    if not isinstance(schema, dict):
        return schema
    found: dict[str, Any] = {}
    for key, value in schema.items():
        if key == "properties":
            found[key] = {name: _without(item) for name, item in value.items()}
        elif key == "allOf":
            kept = [_without(item) for item in value if "oneOf" not in item]
            found |= {key: kept} if kept else {}
        elif key in ("additionalProperties", "then", "else", "items"):
            found[key] = _without(value)
        elif key != "required":
            found[key] = value
    return found


def _whole(schema: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    """What a schema requires, itself and further in; empty if nothing."""
    if not isinstance(schema, dict):
        return {}
    found: dict[str, Any] = {}
    if "required" in schema:
        found["required"] = schema["required"]
    for key in ("additionalProperties", "then", "else", "items"):
        if inner := _whole(schema.get(key), definitions):
            found[key] = inner
    if "then" in found or "else" in found:
        found["if"] = schema["if"]
    inner = {name: _whole(item, definitions) for name, item in schema.get("properties", {}).items()}
    if any(inner.values()):
        # As patterns, because editors would offer `properties` once more, without their descriptions.
        found["patternProperties"] = {f"^{name}$": part for name, part in inner.items() if part}
    parts = [item if "oneOf" in item else _whole(item, definitions) for item in schema.get("allOf", ())]
    if any(parts):
        found["allOf"] = [part for part in parts if part]
    name = str(schema.get("$ref", "")).removeprefix("#/$defs/")
    if name and _whole(definitions[name], definitions):
        found["$ref"] = f"#/$defs/{WHOLE}{name}"
    return found


def direct_case() -> dict[str, Any]:
    """BN in the pipeline of `model.ode.field`, unless it is allowed or the spec is free of t."""
    reasons: list[dict[str, Any]] = [
        {"properties": {"allow": {"required": ["TD104"]}}, "required": ["allow"]},
        {"properties": {"allow": {"required": ["batch-norm-in-ode"]}}, "required": ["allow"]},
        {"properties": {"time": {"const": "none"}}, "required": ["time"]},
    ]

    def within(keys: tuple[str, ...], reason: dict[str, Any]) -> dict[str, Any]:
        for key in reversed(keys):
            reason = {"properties": {key: reason}, "required": [key]}
        return reason

    norm = {
        "if": {"type": "string", "pattern": r"\bBN\b"},
        # No pipeline matches this: it is what validators print.
        "then": {
            "pattern": "^no BN in the field of an ODE without `allow: [{]TD104: why[}]`$",
            "patternErrorMessage": "BN erases the time signal of an ODE while training: use GN, or say "
            "`allow: {TD104: why}`; `tdspec explain TD104`",
        },
    }
    field = {**norm, "items": norm}  # unquoted, YAML makes a sequence of a pipeline
    scopes = ((), ("model",), ("model", "ode"))
    return {
        "if": {"allOf": [{"not": within(scope, reason)} for scope in scopes for reason in reasons]},
        "then": {"properties": {"model": {"properties": {"ode": {"properties": {"field": field}}}}}},
    }
