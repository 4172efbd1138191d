"""SARIF 2.1.0, which code hosts and editors show in place.

Findings that an allowance silences are results with a suppression, as the standard has it.
Source: OASIS Static Analysis Results Interchange Format 2.1.0, section 3.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from tdspec.report.finding import Finding, Label, Region, Report
from tdspec.report.fix import Fix
from tdspec.rules.page import load_page

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def render_sarif(report: Report, *, color: bool = False) -> str:
    """A log with one run; its rules are those that found something. `color` has no effect."""
    from tdspec import __version__

    found = [*report.findings, *(finding for finding, _ in report.allowed)]
    rules = {code: index for index, code in enumerate(sorted({finding.code for finding in found}))}
    results = [_result(finding, rules) for finding in report.findings]
    for finding, reason in report.allowed:
        suppression = {"kind": "inSource", "justification": reason}
        results.append(_result(finding, rules) | {"suppressions": [suppression]})
    driver = {"name": "tdspec", "version": __version__, "rules": [_rule(code) for code in rules]}
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2)


def _rule(code: str) -> dict[str, Any]:
    page = load_page(code)
    return {
        "id": code,
        "name": page.name,
        "shortDescription": {"text": page.headline},
        "help": {"text": page.body, "markdown": page.body},
        "defaultConfiguration": {"level": page.severity.value},
    }


def _result(finding: Finding, rules: Mapping[str, int]) -> dict[str, Any]:
    text = "\n".join([finding.message, *([f"help: {finding.help}"] if finding.help else []), *finding.notes])
    location = _location(finding.path, finding.region if finding.span is not None else None)
    if finding.where:
        paths = dict.fromkeys((finding.where, *finding.uses))
        location["logicalLocations"] = [{"fullyQualifiedName": path} for path in paths]
    result: dict[str, Any] = {
        "ruleId": finding.code,
        "ruleIndex": rules[finding.code],
        "level": finding.severity.value,
        "message": {"text": text},
        "locations": [location],
    }
    if finding.labels:
        result["relatedLocations"] = [_related(label) for label in finding.labels]
    if finding.offered and finding.fix is not None:
        result["fixes"] = [_fix(finding.fix)]
    return result


def _fix(fix: Fix) -> dict[str, Any]:
    """A fix; the standard knows no unsafe ones, so the page of the rule says what it changes."""
    changes = []
    for path in dict.fromkeys(edit.path for edit in fix.edits):
        replacements = [
            {"deletedRegion": _region(edit.region), "insertedContent": {"text": edit.content}}
            for edit in fix.edits
            if edit.path == path
        ]
        changes.append({"artifactLocation": _artifact(path), "replacements": replacements})
    return {"description": {"text": fix.title}, "artifactChanges": changes}


def _related(label: Label) -> dict[str, Any]:
    return {**_location(label.path, label.region), "message": {"text": label.text}}


def _location(path: str, region: Region | None) -> dict[str, Any]:
    physical: dict[str, Any] = {"artifactLocation": _artifact(path)}
    if region is not None:
        physical["region"] = _region(region)
    return {"physicalLocation": physical}


def _artifact(path: str) -> dict[str, str]:
    return {"uri": quote(path.replace("\\", "/"))}


def _region(region: Region) -> dict[str, int]:
    line, column, end_line, end_column = region
    return {"startLine": line, "startColumn": column, "endLine": end_line, "endColumn": end_column}
