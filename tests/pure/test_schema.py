"""The committed schema is the generated one, standard, and refuses the direct case by itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import tdspec
from tdspec.language.instance import to_instance
from tdspec.language.schema import schema, schema_text
from tdspec.report.finding import Report
from tdspec.text.source import Source
from tdspec.text.yaml_tree import parse_yaml
from tests.peers import schema_cases

ROOT = Path(__file__).parents[2]
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


@pytest.mark.parametrize("title", schema_cases.passed())
def test_any_validator_passes(title: str) -> None:
    assert plain(schema_cases.passed()[title]) == []


@pytest.mark.parametrize("title", schema_cases.refused())
def test_any_validator_refuses_batch_norm_in_an_ode(title: str) -> None:
    assert any("TD104" in message for message in plain(schema_cases.refused()[title]))


@pytest.mark.parametrize("title", schema_cases.incomplete())
def test_any_validator_refuses_what_is_not_whole(title: str) -> None:
    assert plain(schema_cases.incomplete()[title])


@pytest.mark.parametrize("title", schema_cases.incomplete())
def test_what_is_not_whole_is_said_once(title: str) -> None:
    findings = tdspec.validate(schema_cases.incomplete()[title]).findings
    assert [item.code for item in findings if item.severity.value == "error"] == ["TD023"]


def test_only_judgements_can_be_allowed() -> None:
    allowed = set(schema()["$defs"]["allow"]["properties"])
    assert {"TD104", "batch-norm-in-ode", "TD044", "TD205", "TD301"} <= allowed
    assert allowed.isdisjoint({"TD002", "TD010", "TD020", "TD030", "TD038", "TD202", "unknown-op"})


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
