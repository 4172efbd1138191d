"""What `--format sarif` prints is what the standard's own schema describes.

Set TDSPEC_SARIF_SCHEMA to a copy of `sarif-schema-2.1.0.json` of OASIS (github.com/oasis-tcs/sarif-spec).
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from jsonschema import Draft4Validator

from tdspec.mend import Workspace
from tdspec.report.finding import Report
from tdspec.report.render import render

ROOT = Path(__file__).parents[2]
SCHEMA = os.environ.get("TDSPEC_SARIF_SCHEMA", "")

pytestmark = [
    pytest.mark.peer,
    pytest.mark.skipif(not SCHEMA, reason="set TDSPEC_SARIF_SCHEMA to a copy of the standard's schema"),
]


def test_logs_hold() -> None:
    """Of everything there is to find: labels, allowances, files that cannot be read, fixes in several places."""
    paths = [str(path) for folder in ("tests/corpus", "specs") for path in sorted((ROOT / folder).rglob("*.yaml"))]
    workspace = Workspace([*paths, "none.yaml"])
    report = Report()
    for path in workspace.paths:
        report.merge(workspace.offer(path, lambda _: True))
    log = json.loads(render(report, "sarif"))
    results = log["runs"][0]["results"]
    for key in ("fixes", "suppressions", "relatedLocations"):
        assert any(key in result for result in results)
    schema = json.loads(Path(SCHEMA).read_text(encoding="utf-8"))
    assert [error.message for error in Draft4Validator(schema).iter_errors(log)] == []
