"""The committed schema is the generated one, standard, and refuses the direct case by itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tdspec.language.instance import to_instance
from tdspec.language.schema import schema, schema_text
from tdspec.report.finding import Report
from tdspec.text.source import Source
from tdspec.text.yaml_tree import parse_yaml

ROOT = Path(__file__).parents[2]
SPECS = sorted((ROOT / "specs").rglob("*.yaml"))
STANDARD = jsonschema.Draft202012Validator(schema())  # knows none of the project's keywords


def plain(spec: str) -> list[str]:
    """What a validator without the project's keywords says."""
    return [error.message for error in STANDARD.iter_errors(loaded(spec))]


def loaded(spec: str) -> Any:
    """The spec as YAML 1.2 has it; PyYAML's own loader is of 1.1, where `1e-3` is text."""
    tree = parse_yaml(Source("<test>", spec), Report())
    assert tree is not None
    return to_instance(tree)


def test_committed_schema_is_current() -> None:
    committed = (ROOT / "schemas" / "tdspec.schema.json").read_text(encoding="utf-8")
    assert committed == schema_text(), "run `tdspec schema --write schemas/tdspec.schema.json`"


def test_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(schema())


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_any_validator_takes_the_shipped_specs(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    if "extends:" in text:  # another validator sees one file only
        errors = [message for message in plain(text) if "is a required property" not in message]
    else:
        errors = plain(text)
    assert errors == []


FIELD = """
tdspec: 1
model:
  input: [3, 32, 32]
  ode:
    field: {field}
    {allow}
"""


@pytest.mark.parametrize(
    "field",
    [
        "[GN–Act–ConcatConv–BN]",
        "'[GN–Act–ConcatConv–BN]'",
        '"[GN - Act - ConcatConv3x3(64, position=last) - BN - Act]"',
        "[GN–Act–ConcatConv3x3(64, position=last)–BN–Act]",
    ],
)
def test_any_validator_refuses_batch_norm_in_an_ode(field: str) -> None:
    assert plain(FIELD.format(field=field, allow=""))
    for allow in ("allow: {TD104: why}", "allow: {batch-norm-in-ode: why}"):
        assert plain(FIELD.format(field=field, allow=allow)) == []


@pytest.mark.parametrize("where", ["root", "model", "time"])
def test_an_allowance_further_up_counts_too(where: str) -> None:
    spec = loaded(FIELD.format(field="'[ConcatConv–BN]'", allow=""))
    if where == "time":
        spec["time"] = "none"
    else:
        (spec if where == "root" else spec["model"])["allow"] = {"TD104": "why"}
    assert [error.message for error in STANDARD.iter_errors(spec)] == []


def test_a_group_norm_in_the_same_place_passes() -> None:
    assert plain(FIELD.format(field="[GN–Act–ConcatConv–GN]", allow="")) == []


def test_every_option_has_a_description() -> None:
    def visit(section: Any, path: str) -> None:
        for key, value in section.get("properties", {}).items():
            if isinstance(value, dict) and "const" not in value and "$ref" not in value:
                assert value.get("description"), f"{path}.{key}"

    document = schema()
    visit(document, "")
    for name, section in document["$defs"].items():
        visit(section, name)


def test_schema_text_is_json() -> None:
    assert json.loads(schema_text()) == schema()
