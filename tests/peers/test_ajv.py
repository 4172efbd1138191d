"""Another validator, ajv of npm, reads the schema as ours does: standard, its own keywords skipped.

Set TDSPEC_AJV to a folder `node_modules` with ajv 8 and js-yaml:
`npm install --prefix FOLDER ajv js-yaml`.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from functools import cache

import pytest

from tests.peers import schema_cases

SCRIPT = """
const yaml = require('js-yaml');
const Ajv = require('ajv/dist/2020');
const {schema, specs} = JSON.parse(require('fs').readFileSync(0, 'utf8'));
const validate = new Ajv({strict: false, allErrors: true}).compile(schema);
const found = {};
for (const [name, text] of Object.entries(specs)) {
  found[name] = validate(yaml.load(text)) ? [] : validate.errors.map(e => `${e.instancePath} ${e.message}`);
}
process.stdout.write(JSON.stringify(found));
"""

MODULES = os.environ.get("TDSPEC_AJV", "")
NODE = shutil.which("node")

pytestmark = [
    pytest.mark.peer,
    pytest.mark.skipif(not MODULES or NODE is None, reason="set TDSPEC_AJV to a node_modules with ajv and js-yaml"),
]


@cache
def errors() -> dict[str, list[str]]:
    """What ajv says about every case, by its title."""
    specs = schema_cases.passed() | schema_cases.refused() | schema_cases.incomplete()
    schema = json.loads(schema_cases.SCHEMA.read_text(encoding="utf-8"))
    ran = subprocess.run(
        [str(NODE), "-e", SCRIPT], input=json.dumps({"schema": schema, "specs": specs}), capture_output=True,
        encoding="utf-8", check=False, env={**os.environ, "NODE_PATH": MODULES},
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    found: dict[str, list[str]] = json.loads(ran.stdout)
    return found


@pytest.mark.parametrize("title", schema_cases.passed())
def test_passes(title: str) -> None:
    assert errors()[title] == []


@pytest.mark.parametrize("title", schema_cases.refused())
def test_refuses_the_direct_case(title: str) -> None:
    assert any(error.startswith("/model/ode/field") and "TD104" in error for error in errors()[title])


@pytest.mark.parametrize("title", schema_cases.incomplete())
def test_refuses_what_is_not_whole(title: str) -> None:
    assert any("required" in error for error in errors()[title])
