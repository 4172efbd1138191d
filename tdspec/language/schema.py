"""The JSON Schema of the language, generated from the declarations and the table of ops.

`schemas/tdspec.schema.json` is this document, committed; a test compares them. Three keywords are
the project's own, and validators that do not know them skip them: `pipeline` and `expression` ask
for the notation, `timeRules` for the verdict about time (`tdspec.language.validator`). So that a
validator without them still refuses the direct case, a `pattern` says that no BN stands in the
pipeline of `model.ode.field` without an allowance. It reads words, not the graph: a BN in a block
that the field uses, or a GN with as many groups as channels, is for the rules alone.
"""

from __future__ import annotations

import inspect
import json
from typing import Any

from tdspec.language.declared import (
    Choice,
    Declared,
    Either,
    ExpressionText,
    List,
    Map,
    Nullable,
    PipelineText,
    Scalar,
    Section,
    Tagged,
    options,
)
from tdspec.language.structure import Document
from tdspec.ops import TABLE
from tdspec.ops.op import REQUIRED, Op, Param
from tdspec.report.codes import CODES

DIALECT = "https://json-schema.org/draft/2020-12/schema"
VERSION = 1
OWN = {"^x-": True}  # a key that starts with x- is the user's own

JSON_TYPES = {bool: "boolean", int: "integer", float: "number", str: "string"}

PIPELINE = {
    "description": "A pipeline in brackets, as papers print it: `[GN–Act–Conv3x3(64)–GN]`. En dash and hyphen mean the same.",
    "type": ["string", "array"],
    "pipeline": True,
    "if": {"type": "string"},
    "then": {"pattern": r"^\s*\[[\s\S]*\]\s*$"},
    # Unquoted, YAML reads the brackets as a sequence, split at the commas of arguments.
    "else": {"items": {"type": ["string", "number", "boolean"]}},
}
EXPRESSION = {"type": ["string", "number", "boolean"], "expression": True}


def schema() -> dict[str, Any]:
    """The whole schema document."""
    definitions: dict[str, Any] = {"pipeline": PIPELINE}
    root = _section(Document, definitions)
    root["properties"]["tdspec"] = {"const": VERSION, "description": "Version of the language."}
    root["properties"]["allow"] = {"$ref": "#/$defs/allow"}
    root["properties"]["defaults"] = {
        "description": "Any parameter of any op, once for the whole spec.",
        "type": "object",
        "properties": {op.name: _op(op) for op in TABLE if op.params},
        "additionalProperties": False,
        "patternProperties": OWN,
    }
    definitions["allow"] = {
        "description": "Findings that are meant to be, as `code: reason`, for this mapping and all within.",
        "type": "object",
        "propertyNames": {"enum": [*CODES, *(name for name, _ in CODES.values())]},
        "additionalProperties": {"type": "string", "minLength": 1},
    }
    return {
        "$schema": DIALECT,
        "title": "tdspec",
        **root,
        "$defs": dict(sorted(definitions.items())),
        **_direct_case(),
        "timeRules": True,
    }


def schema_text() -> str:
    """The schema as it is committed."""
    return json.dumps(schema(), indent=1, ensure_ascii=False) + "\n"


def _section(cls: type, definitions: dict[str, Any], kind: str | None = None) -> dict[str, Any]:
    properties: dict[str, Any] = {}
    if kind is not None:
        properties["kind"] = {"const": kind}
    required = [] if kind is None else ["kind"]
    for option in options(cls):
        if option.key == "allow":
            properties["allow"] = {"$ref": "#/$defs/allow"}
            continue
        found = dict(_declared(option.type, definitions))
        if option.doc:
            found["description"] = option.doc
        found.update(option.bounds)
        if option.examples:
            found["examples"] = list(option.examples)
        if isinstance(option.default, (bool, int, float, str)):
            found["default"] = option.default
        properties[option.key] = found
        if option.required:
            required.append(option.key)
    section: dict[str, Any] = {"description": inspect.getdoc(cls), "type": "object", "properties": properties}
    if required:
        section["required"] = required
    groups = getattr(cls, "exactly_one", ())
    if groups:
        section["allOf"] = [{"oneOf": [{"required": [key]} for key in group]} for group in groups]
    return {**section, "additionalProperties": False, "patternProperties": OWN}


def _reference(cls: type, definitions: dict[str, Any], kind: str | None = None) -> dict[str, Any]:
    if cls.__name__ not in definitions:
        definitions[cls.__name__] = {}  # stands while its own fields are read
        definitions[cls.__name__] = _section(cls, definitions, kind)
    return {"$ref": f"#/$defs/{cls.__name__}"}


def _declared(declared: Declared, definitions: dict[str, Any]) -> dict[str, Any]:
    match declared:
        case Scalar(type=type_):
            return {"type": JSON_TYPES[type_]}
        case Choice(values=values):
            return {"enum": list(values)}
        case PipelineText():
            return {"$ref": "#/$defs/pipeline"}
        case ExpressionText():
            return dict(EXPRESSION)
        case List(item=item):
            return {"type": "array", "items": _declared(item, definitions)}
        case Map(item=item):
            return {
                "type": "object",
                "additionalProperties": _declared(item, definitions),
                "propertyNames": {"pattern": r"^(x-.*|[A-Za-z_][A-Za-z0-9_]*)$"},
            }
        case Section(cls=cls):
            return _reference(cls, definitions)
        case Tagged(members=members):
            # `kind` decides, so that errors are about the section that was meant.
            return {
                "type": "object",
                "required": ["kind"],
                "properties": {"kind": {"enum": [kind for kind, _ in members]}},
                "allOf": [
                    {
                        "if": {"required": ["kind"], "properties": {"kind": {"const": kind}}},
                        "then": _reference(cls, definitions, kind),
                    }
                    for kind, cls in members
                ],
            }
        case Nullable(item=item):
            return {"if": {"type": "null"}, "then": True, "else": _declared(item, definitions)}
        case Either(members=members):
            *first, last = sorted(members, key=_precedence)
            found = _declared(last, definitions)
            for member in reversed(first):
                test = {"type": "object" if isinstance(member, (Section, Map, Tagged)) else "array"}
                found = {"if": test, "then": _declared(member, definitions), "else": found}
            return found


def _precedence(declared: Declared) -> int:
    """Mappings are tested first, then lists; a pipeline may be a sequence or a string."""
    return 0 if isinstance(declared, (Section, Map, Tagged)) else 1 if isinstance(declared, List) else 2


def _op(op: Op) -> dict[str, Any]:
    head = op.doc.split("\n", 1)[0]
    return {
        "description": f"{head} A scalar sets `{op.params[0].name}`.",
        "if": {"type": "object"},
        "then": {
            "properties": {param.name: _param(param) for param in op.params},
            "additionalProperties": False,
            "patternProperties": OWN,
        },
        "else": _param(op.params[0]),
    }


def _param(param: Param) -> dict[str, Any]:
    found: dict[str, Any] = {"description": param.doc}
    match param.kind:
        case "choice":
            found["enum"] = list(param.choices)
        case "flag":
            found["type"] = "boolean"
        case "number":
            found["type"] = "number"
            for key, bound in (("minimum", param.minimum), ("maximum", param.maximum)):
                if bound is not None:
                    found[key] = bound
        case _:
            found.update(EXPRESSION)
    if param.default is not REQUIRED and isinstance(param.default, (bool, int, float, str)):
        found["default"] = param.default
    return found


def _direct_case() -> dict[str, Any]:
    """BN in the pipeline of `model.ode.field`, for validators without our keywords."""
    allowed = {
        "properties": {"allow": {"anyOf": [{"required": ["TD104"]}, {"required": ["batch-norm-in-ode"]}]}},
        "required": ["allow"],
    }
    timeless = {"properties": {"time": {"const": "none"}}, "required": ["time"]}

    def within(*keys: str) -> dict[str, Any]:
        found: dict[str, Any] = {"anyOf": [allowed, timeless]}
        for key in reversed(keys):
            found = {"properties": {key: found}, "required": [key]}
        return found

    norm = {"type": "string", "pattern": r"\bBN\b"}
    bad = {"anyOf": [norm, {"type": "array", "contains": norm}]}
    field = {"properties": {"model": {"properties": {"ode": {"properties": {"field": {"not": bad}}}}}}}
    return {
        "if": {"not": {"anyOf": [within(), within("model"), within("model", "ode")]}},
        "then": field,
    }
