"""The JSON Schema of the language, generated from the declarations and the table of ops.

`schemas/tdspec.schema.json` is this document, committed; a test compares them. Three keywords are
the project's own, and validators that do not know them skip them: `pipeline` and `expression` ask
for the notation, `timeRules` for the verdict about time (`tdspec.language.validator`).

Two things are said for validators and editors that read one file and know none of these keywords
(`schema_foreign`): what is required, only of a spec that does not extend another, and the direct
case of a norm that erases time.
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
from tdspec.language.schema_foreign import direct_case, required_unless_extending
from tdspec.language.structure import Document
from tdspec.ops import TABLE
from tdspec.ops.op import REQUIRED, Op, Param
from tdspec.report.codes import CODES, allowable

DIALECT = "https://json-schema.org/draft/2020-12/schema"
VERSION = 1
OWN = {"^x-": True}  # a key that starts with x- is the user's own

JSON_TYPES = {bool: "boolean", int: "integer", float: "number", str: "string"}

# Without a description of its own, so that editors show that of the option.
PIPELINE = {
    "type": ["string", "array"],
    "pipeline": True,
    "if": {"type": "string"},
    "then": {"pattern": r"^\s*\[[\s\S]*\]\s*$"},
    # Unquoted, YAML reads the brackets as a sequence, split at the commas of arguments.
    "else": {"items": {"type": ["string", "number", "boolean"]}},
}
EXPRESSION = {"type": ["string", "number", "boolean"], "expression": True}


def schema() -> dict[str, Any]:
    """The whole schema document, for any validator and for editors."""
    document = required_unless_extending(merged_schema())
    return {**document, "allOf": [*document.get("allOf", ()), direct_case()]}


def merged_schema() -> dict[str, Any]:
    """The schema of a spec with what it extends merged in: every section says what it requires."""
    definitions: dict[str, Any] = {"pipeline": PIPELINE}
    root = _section(Document, definitions)
    root["properties"]["tdspec"] = {"const": VERSION, "description": "Version of the language: write `tdspec: 1`."}
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
        "properties": _allowances(),
        "additionalProperties": False,
        "patternProperties": OWN,
    }
    return {
        "$schema": DIALECT,
        "title": "tdspec",
        **root,
        "$defs": dict(sorted(definitions.items())),
        "timeRules": True,
    }


def schema_text() -> str:
    """The schema as it is committed."""
    return json.dumps(schema(), indent=1, ensure_ascii=False) + "\n"


def _allowances() -> dict[str, Any]:
    """Every rule that a spec may allow, by its code and by its name."""
    found: dict[str, Any] = {}
    for code, (name, severity) in CODES.items():
        if allowable(code):
            more = f"`tdspec explain {code}` says what it is about."
            reason = {"type": "string", "minLength": 1}
            found[code] = {
                "description": f"{name} ({severity.value}): the reason why it is meant to be. {more}",
                **reason,
            }
            found[name] = {
                "description": f"{code} ({severity.value}): the reason why it is meant to be. {more}",
                **reason,
            }
    return found


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
        found["description"] = option.doc
        found.update(option.bounds)
        if option.examples:
            found["examples"] = list(option.examples)
        _add_default(found, option.default)
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


def _add_default(found: dict[str, Any], default: Any) -> None:
    """The default as a keyword, and in the description, where editors show it."""
    default = list(default) if isinstance(default, tuple) else default
    if isinstance(default, (bool, int, float, str, list)):
        found["default"] = default
        if default not in ("", []):
            written = default if isinstance(default, str) else json.dumps(default)
            found["description"] += f"\n\nDefault: `{written}`."


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
            return {"type": "string", "enum": list(values)}
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
                "patternProperties": OWN,
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
                        "if": {
                            "type": "object",
                            "required": ["kind"],
                            "properties": {"kind": {"const": kind}},
                        },
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
            return {**found, **_offered(last.values if isinstance(last, Choice) else ())}


def _offered(words: tuple[Any, ...]) -> dict[str, Any]:
    """Words for editors to offer where a scalar is one of several forms; they do not look behind `if`."""
    return {"defaultSnippets": [{"label": word, "body": word} for word in words]} if words else {}


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
        **_offered(op.params[0].choices if op.params[0].kind == "choice" else ()),
    }


def _param(param: Param) -> dict[str, Any]:
    found: dict[str, Any] = {"description": param.doc}
    match param.kind:
        case "choice":
            found.update({"type": "string", "enum": list(param.choices)})
        case "flag":
            found["type"] = "boolean"
        case "number":
            found["type"] = "number"
            for key, bound in (("minimum", param.minimum), ("maximum", param.maximum)):
                if bound is not None:
                    found[key] = bound
        case _:
            found.update(EXPRESSION)
    if param.default is not REQUIRED:
        _add_default(found, param.default)
    return found
