"""The formats for programs, and which findings a report shows."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from syrupy.assertion import SnapshotAssertion

from tdspec.report.codes import CODES, finding
from tdspec.report.finding import Label, Report
from tdspec.report.render import FORMATS, render
from tdspec.report.select import names_nothing, selected, stays
from tdspec.text.source import Source, Span

SPEC = Source("specs/a b,c.yaml", "tdspec: 1\nfield: [GN–BN]\nmodel:\n  input: 1\n")


@pytest.fixture
def report() -> Report:
    """An error with all there can be, a place of several lines, a note, no place at all, an allowance."""
    bn = Span(SPEC, SPEC.text.index("BN"), SPEC.text.index("BN") + 2)
    gn = Span(SPEC, SPEC.text.index("GN"), SPEC.text.index("GN") + 2)
    rest = Span(SPEC, SPEC.text.index("model"), len(SPEC.text) - 1)
    full = finding(
        "TD104", "100 % of t,\nerased: `BN`", bn, caption="here", labels=(Label(gn, "t enters"),),
        help="use `GN`", notes=("exact",), where="blocks.Res", uses=("model.ode",),
    )  # fmt: skip
    return Report(
        [
            full,
            finding("TD025", "two models", rest),
            finding("TD115", "many groups", gn),
            finding("TD001", "no such file", file="none.yaml"),
        ],
        allowed=[(finding("TD101", "erased", bn), "the paper's ablation")],
        files=[SPEC.name, "none.yaml"],
    )


def test_concise(report: Report, snapshot: SnapshotAssertion) -> None:
    assert render(report, "concise") == snapshot


def test_json_has_its_keys(report: Report, snapshot: SnapshotAssertion) -> None:
    found = json.loads(render(report, "json"))
    assert [item["code"] for item in found] == ["TD104", "TD025", "TD115", "TD001"]
    assert (found[0]["line"], found[0]["column"], found[0]["end_line"], found[0]["end_column"]) == (
        2,
        12,
        2,
        14,
    )
    assert (found[3]["path"], found[3]["line"], found[3]["column"]) == ("none.yaml", 1, 1)
    for item in found:
        assert item.keys() >= {
            "code",
            "name",
            "severity",
            "message",
            "path",
            "help",
            "notes",
            "labels",
            "where",
            "uses",
        }
    assert found[0] == snapshot


def test_json_survives_any_text() -> None:
    source = Source("\udc80.yaml", "a: \udc80\x1b")
    text = render(Report([finding("TD022", "found `\udc80\x1b`", source.whole())]), "json")
    assert text.isascii() and "\x1b" not in text
    assert json.loads(text)[0]["message"] == "found `\udc80\x1b`"


def test_github_escapes(report: Report) -> None:
    first, second, third, fourth = render(report, "github").split("\n")
    assert first == (
        "::error file=specs/a b%2Cc.yaml,line=2,col=12,endLine=2,endColumn=14,title=TD104 batch-norm-in-ode"
        "::100 %25 of t,%0Aerased: `BN`%0Ahelp: use `GN`%0Aexact"
    )
    assert second == "::error file=specs/a b%2Cc.yaml,line=3,endLine=4,title=TD025 conflicting-keys::two models"
    assert third.startswith("::notice file=")
    assert fourth.startswith("::error file=none.yaml,line=1,")


def parsed(line: str) -> tuple[str, dict[str, str], str]:
    """A workflow command as GitHub's runner reads it: actions/runner, `ActionCommand.TryParseV2`."""
    head, _, data = line.removeprefix("::").partition("::")
    command, _, properties = head.partition(" ")
    pairs = (text.partition("=") for text in properties.split(","))

    def unescape(text: str, *marks: str) -> str:
        for mark in ("%0D", "%0A", *marks, "%25"):
            text = text.replace(mark, chr(int(mark[1:], 16)))
        return text

    return command, {key: unescape(value, "%3A", "%2C") for key, _, value in pairs}, unescape(data)


@given(st.text(), st.text(st.characters(exclude_categories=["Cs"])))
def test_github_reads_what_was_meant(message: str, name: str) -> None:
    source = Source(name, "BN")
    line = render(Report([finding("TD104", message, source.whole(), help="50 %: x")]), "github")
    assert "\n" not in line and "\r" not in line
    command, properties, text = parsed(line)
    assert (command, text) == ("error", f"{message}\nhelp: 50 %: x")
    assert properties == {
        "file": name, "line": "1", "col": "1", "endLine": "1", "endColumn": "3", "title": "TD104 batch-norm-in-ode",
    }  # fmt: skip


def test_sarif_is_what_its_standard_asks_for(report: Report) -> None:
    log: dict[str, Any] = json.loads(render(report, "sarif"))
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert (log["version"], run["columnKind"]) == ("2.1.0", "unicodeCodePoints")
    assert [rule["id"] for rule in rules] == ["TD001", "TD025", "TD101", "TD104", "TD115"]
    assert all(rule["shortDescription"]["text"] and rule["help"]["markdown"] for rule in rules)
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in ("error", "warning", "note")
    first, *_, unread, allowed = run["results"]
    place = first["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "specs/a%20b%2Cc.yaml"
    assert place["region"] == {"startLine": 2, "startColumn": 12, "endLine": 2, "endColumn": 14}
    assert [where["fullyQualifiedName"] for where in first["locations"][0]["logicalLocations"]] == [
        "blocks.Res",
        "model.ode",
    ]
    assert first["relatedLocations"][0]["message"]["text"] == "t enters"
    assert "region" not in unread["locations"][0]["physicalLocation"]
    assert allowed["suppressions"] == [{"kind": "inSource", "justification": "the paper's ablation"}]
    assert not any("suppressions" in result for result in run["results"][:-1])


@pytest.mark.parametrize("format", FORMATS)
def test_every_format_takes_an_empty_report(format: str) -> None:
    text = render(Report(files=["node.yaml"]), format)
    assert {"full": "node.yaml: ok", "json": "[]", "concise": "", "github": ""}.get(format, text) == text


def codes(report: Report) -> list[str]:
    return [item.code for item in report.findings]


def test_selection(report: Report) -> None:
    def chosen(select: list[str], ignore: list[str]) -> Report:
        return selected(report, lambda item: stays(item, select, ignore))

    assert codes(chosen(["TD1"], [])) == ["TD104", "TD115"]
    assert codes(chosen(["td1", "file-unreadable"], ["groups-above-one"])) == ["TD104", "TD001"]
    assert codes(chosen([], ["TD"])) == []
    assert chosen([], []) == report
    assert not chosen([], ["TD101"]).allowed


def test_selectors_that_name_nothing() -> None:
    assert names_nothing("TD9") and names_nothing("batch-norm")
    assert not any(names_nothing(word) for pair in CODES.items() for word in (pair[0], pair[1][0], pair[0][:3]))
