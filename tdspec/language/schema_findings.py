"""What the standard keywords of the schema find, as findings: expected, found, the nearest name."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from tdspec.language.instance import key_at, key_of, tree_at
from tdspec.language.schema import merged_schema
from tdspec.report.codes import CODES, code_of, finding
from tdspec.report.finding import Finding, Label
from tdspec.report.fix import Fix
from tdspec.text.respell import inside, respell, write
from tdspec.text.suggest import nearest, quote_list, to_copy
from tdspec.text.yaml_node import Mapping, Node, Scalar, Sequence

TYPE_NAMES = {
    "object": "a mapping",
    "array": "a list",
    "string": "text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "`true` or `false`",
}


def explain_error(error: Any, tree: Mapping) -> Iterator[Finding]:
    """The findings behind one jsonschema `ValidationError` of a standard keyword."""
    path = list(error.absolute_path)
    node = tree_at(tree, path)
    where = ".".join(map(str, path))
    what = f"`{path[-1]}`" if path else "the spec"
    if "propertyNames" in error.absolute_schema_path:
        yield from _bad_name(error, tree, path, where)
        return
    match error.validator:
        case "additionalProperties" if path and path[-1] == "allow":
            yield from _unknown_rules(error, node, where)
        case "additionalProperties":
            yield from _unknown_keys(error, path, node, where)
        case "required":
            yield from _missing(error, node, path, where)
        case "type" if "enum" in error.schema:
            return  # the choices are said once
        case "minLength" | "type" if path[-2:-1] == ["allow"]:
            help_ = f"write `{path[-1]}: why it is meant to be`"
            yield finding("TD037", f"{what} is allowed without a reason", node.span, where=where, help=help_)
        case "type":
            expected = error.validator_value
            names = [TYPE_NAMES[name] for name in ([expected] if isinstance(expected, str) else expected)]
            if "pipeline" in error.schema:
                names = ["a pipeline in brackets"]
            yield finding(
                "TD021",
                f"{what} should be {' or '.join(names)}, found {_found(node)}",
                node.span, where=where, help=_type_help(node, expected, error.schema),
                fix=_type_fix(node, expected, error.schema),
            )  # fmt: skip
        case "enum":
            choices = [str(value) for value in error.validator_value]
            yield finding(
                "TD022",
                f"{what} should be {_one_of_these(choices, error)}, found {_found(node)}",
                node.span, where=where, help=_did_you_mean(str(error.instance), choices),
                fix=respell(inside(node), node.value, choices)
                if isinstance(node, Scalar) and isinstance(node.value, str)
                else None,
            )  # fmt: skip
        case "const" if path == ["tdspec"]:
            yield finding(
                "TD026",
                f"this tdspec reads version {error.validator_value} of the language, found {_found(node)}",
                node.span, where=where, help=f"write `tdspec: {error.validator_value}`",
            )  # fmt: skip
        case "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum":
            bound = {
                "minimum": "at least", "maximum": "at most", "exclusiveMinimum": "above", "exclusiveMaximum": "below",
            }[str(error.validator)]  # fmt: skip
            yield finding(
                "TD024",
                f"{what} should be {bound} {error.validator_value}, found {_found(node)}",
                node.span,
                where=where,
            )
        case "pattern" if "pipeline" in str(error.validator_value) or error.validator_value == r"^\s*\[[\s\S]*\]\s*$":
            return  # the notation has said it better
        case "pattern":
            yield finding(
                "TD021",
                f"{what} should be letters, digits, `.`, `_` and `-`, found {_found(node)}",
                node.span, where=where,
            )  # fmt: skip
        case "oneOf":
            yield from _one_of(error, node, what, where)
        case _:
            yield finding("TD021", f"{what}: {error.message}", node.span, where=where)


def nonfinite(node: Node, where: str = "") -> Iterator[Finding]:
    """Numbers that are infinite or none: no bound of the schema stops a NaN."""
    if isinstance(node, Scalar):
        if isinstance(node.value, float) and not math.isfinite(node.value):
            what = f"`{where.rpartition('.')[2]}`"
            yield finding("TD024", f"{what} should be a finite number, found {_found(node)}", node.span, where=where)
    elif isinstance(node, Sequence):
        for item in node.items:
            yield from nonfinite(item, where)
    else:
        for entry in node.entries:
            name = key_of(entry.key)
            if not name.startswith("x-"):
                yield from nonfinite(entry.value, f"{where}.{name}" if where else name)


def _one_of(error: Any, node: Node, what: str, where: str) -> Iterator[Finding]:
    """Keys of which exactly one should stand."""
    keys = [option["required"][0] for option in error.validator_value]
    given = [entry for entry in node.entries if key_of(entry.key) in keys] if isinstance(node, Mapping) else []
    names = " or ".join(f"`{key}`" for key in keys)
    if given:
        first, second = (entry.key.span for entry in given[:2])
        help_ = "keep one of them"
        if first.source is not second.source:
            help_ = f"`{key_of(given[0].key)}: null` deletes the one that the spec extends"
        yield finding(
            "TD025", f"{what} takes either {names}, not both", second, where=where, help=help_,
            labels=(Label(first, "the first stands here"),),
        )  # fmt: skip
    elif isinstance(node, Mapping):  # of anything else it is said that it is none
        span = node.entries[0].key.span if node.entries else node.span
        yield finding("TD023", f"{what} needs {names}", span, where=where)


def _one_of_these(choices: list[str], error: Any) -> str:
    if len(choices) == 1:
        return f"a mapping or `{choices[0]}`" if "else" in error.schema_path else f"`{choices[0]}`"
    return f"one of {', '.join(f'`{choice}`' for choice in choices)}"


def _found(node: Node) -> str:
    if isinstance(node, Mapping):
        return "a mapping"
    if isinstance(node, Sequence):
        return "a list"
    if node.value is None:
        return "nothing"
    text = node.span.text
    return f"`{text if len(text) <= 40 else text[:39] + '…'}`"


def _type_help(node: Node, expected: Any, schema: Any) -> str:
    if expected == "object":
        key, choices = _tag(schema)
        word = _only_word(node)
        if key and word is not None:
            return f"write `{{{key}: {nearest(word, choices) or choices[0]}}}`"
    if not isinstance(node, Scalar):
        return ""
    if expected == "array" and isinstance(node.value, str):
        items = [item.strip() for item in node.value.strip("()[]{} ").replace("x", ",").split(",") if item.strip()]
        if all(re.fullmatch(r"-?\d+(\.\d+)?", item) for item in items):
            return to_copy("write `[{}]`", ", ".join(items))
    if expected == "boolean" and str(node.value).lower() in ("on", "yes", "off", "no"):
        return f"write `{'true' if str(node.value).lower() in ('on', 'yes') else 'false'}`; YAML 1.2 has no other words"
    if node.style == "quoted" and expected in ("number", "integer", "boolean"):
        return f"leave the quotes out: {node.value}"
    return ""


def _tag(schema: Any) -> tuple[str, tuple[str, ...]]:
    """The key whose value says what a section is, and the values it may have; empty where there is none."""
    for key in ("kind", "name"):
        choices = schema.get("properties", {}).get(key, {}).get("enum")
        if choices:
            return key, tuple(choices)
    return "", ()


def _only_word(node: Node) -> str | None:
    """The text of a scalar, or of a list of one."""
    if isinstance(node, Sequence) and len(node.items) == 1:
        node = node.items[0]
    return node.value if isinstance(node, Scalar) and isinstance(node.value, str) else None


def _type_fix(node: Node, expected: Any, schema: Any) -> Fix | None:
    """YAML 1.1's words for a flag, quotes around what is no text, and a section of which only the kind is there."""
    if expected == "object":
        key, choices = _tag(schema)
        word = _only_word(node)
        return write(node.span, f"{{{key}: {word}}}") if word in choices else None
    if not isinstance(node, Scalar):
        return None
    word = str(node.value).lower()
    if expected == "boolean" and node.style == "plain" and word in ("on", "yes", "off", "no"):
        return write(node.span, "true" if word in ("on", "yes") else "false")
    if node.style == "quoted" and expected in ("number", "integer", "boolean") and inside(node) is not None:
        return write(node.span, str(node.value))
    return None


def _did_you_mean(word: str, candidates: list[str]) -> str:
    near = nearest(word, candidates)
    return f"did you mean `{near}`?" if near else ""


def _bad_name(error: Any, tree: Mapping, path: list[str | int], where: str) -> Iterator[Finding]:
    """A key that is no name of a block, a step, a part of a state or a parameter."""
    name = str(error.instance)
    key = key_at(tree, [*path, name])
    span = key.span if key is not None else tree_at(tree, path).span
    yield finding("TD021", f"`{name}` should be a name: letters, digits and `_`", span, where=where)


def _unknown_rules(error: Any, node: Node, where: str) -> Iterator[Finding]:
    """Keys of `allow` that name no rule, or one that cannot be allowed."""
    known = error.schema["properties"]
    for entry in node.entries if isinstance(node, Mapping) else ():
        name = key_of(entry.key)
        if name in known or name.startswith("x-"):
            continue
        code = code_of(name)
        near = code if code in known else nearest(name, tuple(known))
        message, help_ = f"`allow` names no rule: `{name}`", "`tdspec explain --all` lists them"
        if code is not None and code not in known:
            message = f"{code} (`{CODES[code][0]}`) cannot be allowed"
            help_ = "an allowance is for a judgement that is known and meant; mend what this one reports"
        elif near:
            help_ = f"did you mean `{near}`?"
        fix = respell(inside(entry.key), name, known) if code is None else None
        yield finding("TD037", message, entry.key.span, where=where, help=help_, fix=fix)


def _unknown_keys(error: Any, path: list[str | int], node: Node, where: str) -> Iterator[Finding]:
    """Keys that the section does not know, with the nearest it knows or the section they belong in."""
    known = set(error.schema.get("properties", {}))
    section = f"`{path[-1]}`" if path else "a spec"
    for entry in node.entries if isinstance(node, Mapping) else ():
        name = key_of(entry.key)
        if name in known or name.startswith("x-"):
            continue
        near = nearest(name, sorted(known))
        home = _homes().get(name, ())
        if home:  # spelt right and misplaced, rather than misspelt
            help_ = f"`{name}` belongs in {' or '.join(home)}"
        elif near:
            help_ = f"did you mean `{near}`?"
        else:
            help_ = (
                f"{section} knows {', '.join(f'`{key}`' for key in sorted(known))}; keys of your own start with `x-`"
            )
        message = f"{section} has no key `{name}`" if path else f"a spec has no section `{name}`"
        fix = respell(inside(entry.key), name, known) if not home else None
        yield finding("TD020", message, entry.key.span, where=where, help=help_, fix=fix)


@cache
def _homes() -> dict[str, tuple[str, ...]]:
    """For every key of the language, the sections that have it, as dotted paths, the shortest first."""
    homes: dict[str, dict[str, str]] = {}
    document = merged_schema()
    waiting: list[tuple[str, Any]] = [("", document)]
    for path, section in waiting:  # grows as it goes
        if not isinstance(section, dict) or path == "defaults":
            continue
        for key, value in section.get("properties", {}).items():
            title = path.rpartition(".")[2]
            homes.setdefault(key, {}).setdefault(title, f"`{path}`" if path else "the spec itself")
            waiting.append((f"{path}.{key}" if path else key, value))
        reference = str(section.get("$ref", "")).rpartition("/")[2]
        inner = [section.get(word) for word in ("then", "else")] + [*section.get("allOf", ())]
        inner += [document["$defs"][reference]] if reference not in ("", "allow") else []
        waiting += [(path, part) for part in inner]
        if "additionalProperties" in section:
            waiting.append((f"{path}.NAME", section["additionalProperties"]))
    return {key: tuple(found.values())[:3] for key, found in homes.items()}


def _missing(error: Any, node: Node, path: list[str | int], where: str) -> Iterator[Finding]:
    if not isinstance(node, Mapping):
        return
    present = {key_of(entry.key) for entry in node.entries}
    missing = [name for name in error.validator_value if name not in present]
    if repr(missing[0]) not in error.message:
        return  # said with the first
    section = f"`{path[-1]}`" if path else "the spec"
    docs = [_first_line(error.schema, name) for name in missing]
    help_ = docs[0] if len(docs) == 1 else "\n".join(f"`{n}`: {doc}" for n, doc in zip(missing, docs, strict=True))
    span = node.entries[0].key.span if node.entries else node.span
    message = f"{section} needs {quote_list(missing, 'and')}"
    yield finding("TD023", message, span, where=where, help=help_, caption="in this mapping")


def _first_line(schema: Any, key: str) -> str:
    description: str = schema.get("properties", {}).get(key, {}).get("description", "")
    return description.split("\n")[0]
