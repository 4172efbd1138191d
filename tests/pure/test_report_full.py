"""The format for people, as snapshots: each text below is what a user would see."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from tdspec.report.codes import finding
from tdspec.report.display import laid_out
from tdspec.report.finding import Finding, Label, Report, Severity, SpecError
from tdspec.report.full import render_full, summary
from tdspec.text.source import Source, Span

NODE = """\
tdspec: 1
name: node
model:
  input: [3, 32, 32]
  ode:
    field: [GN–Act–ConcatConv–BN–Act–ConcatConv–BN]
    t: [0, 1]
"""


def at(source: Source, text: str, nth: int = 0) -> Span:
    """The span of the nth occurrence of a text."""
    found = [match.start() for match in re.finditer(re.escape(text), source.text)]
    return Span(source, found[nth], found[nth] + len(text))


def shown(*findings: Finding, files: tuple[str, ...] = (), color: bool = False) -> str:
    names = files or tuple(dict.fromkeys(item.path for item in findings))
    return "\n" + render_full(Report(list(findings), files=list(names)), color=color)


def carets(text: str) -> list[str]:
    """What stands above each row of marks, by display column; ASCII and width-1 sources only."""
    found = []
    line = ""
    for row in text.splitlines():
        if re.match(r"\s*\d+ \|", row):
            line = row
        elif (marks := re.match(r"(\s*\| +)([\^-]+)", row)) is not None:
            found.append(line[len(marks[1]) : len(marks[1]) + len(marks[2])])
    return found


def example() -> Finding:
    source = Source("specs/node/node-cifar10.yaml", NODE)
    return finding(
        "TD104",
        "`BN` erases the time signal while training",
        at(source, "BN"),
        caption="each channel's mean is removed, and the constant with it",
        labels=(Label(at(source, "ConcatConv"), "t enters here, one constant per channel"),),
        help="use `GN` with at least 4 channels per group, or add `PosEmb` behind `ConcatConv`",
        notes=("exact without padding; zero padding leaves a trace of 3 % on this 8x8 map",),
    )


def test_an_error_with_a_label(snapshot: SnapshotAssertion) -> None:
    text = shown(example())
    assert carets(text) == ["ConcatConv", "BN"]
    assert text == snapshot


def test_colour_changes_nothing_but_colour() -> None:
    coloured = shown(example(), color=True)
    assert "\x1b[1;31merror[TD104]\x1b[0m" in coloured
    assert re.sub(r"\x1b\[[\d;]*m", "", coloured) == shown(example())


def test_labels_on_other_lines(snapshot: SnapshotAssertion) -> None:
    source = Source("node.yaml", NODE)
    near = (Label(at(source, "ode:"), "two lines up"), Label(at(source, "tdspec"), "far up"))
    text = shown(finding("TD024", "an end is missing", at(source, "[0, 1]"), caption="here", labels=near))
    assert carets(text) == ["tdspec", "ode:", "[0, 1]"]
    assert text == snapshot


def test_a_label_in_another_file(snapshot: SnapshotAssertion) -> None:
    base, source = Source("base.yaml", NODE), Source("node.yaml", "extends: base.yaml\n")
    text = shown(
        finding(
            "TD035",
            "`base.yaml` cannot be read",
            at(source, "base.yaml"),
            labels=(Label(at(base, "t:"), "here"),),
        )
    )
    assert carets(text) == ["base.yaml", "t:"]
    assert text == snapshot


def test_a_place_of_several_lines(snapshot: SnapshotAssertion) -> None:
    source = Source("node.yaml", NODE)
    start = source.text.index("input")
    # YAML's own end mark of the mapping lies behind its last line break.
    text = shown(finding("TD025", "two models in one", Span(source, start, len(source.text)), caption="all of this"))
    assert carets(text) == ["input: [3, 32, 32]", "t: [0, 1]"]
    assert text == snapshot


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("\tfield:\t[GN]", "GN"),
        ("字段: [卷积–GN]", "卷积"),
        ("字段: [卷积–GN]", "GN"),
        ("e\u0301te\u0301: [GN]", "GN"),
        ("a: [GN–Act–ConcatConv]", "ConcatConv"),
        ("a: \x1b[31m[GN]", "GN"),
        ("a: \u202e[GN]", "GN"),
        ("a: \udc80[GN]", "GN"),
    ],
)
def test_carets_stand_under_their_word(line: str, word: str) -> None:
    source = Source("node.yaml", f"tdspec: 1\n{line}\n")
    rows = shown(finding("TD030", "no such op", at(source, word))).splitlines()
    (number,) = (index for index, row in enumerate(rows) if row.startswith("2 |"))
    marks = rows[number + 1]
    # Columns of the terminal, counted apart from the renderer's own counting of the marks.
    before = rows[number].partition(word)[0]
    wide = sum(character in "字段卷积" for character in before)
    none = before.count("\u0301")
    assert marks.index("^") == len(before) + wide - none
    assert marks.count("^") == (2 * len(word) if word == "卷积" else len(word))


def test_nothing_reaches_the_terminal_that_acts_on_it() -> None:
    source = Source("a\x1b[2J.yaml", "name: \x1b]0;title\x07\r\u202e\x9b\x7f\n")
    found = finding("TD022", "found `\x1b[31m`", source.whole(), help="not \x07", notes=("\x08",))
    text = shown(found)
    assert not [character for character in text if not character.isprintable() and character != "\n"]


def test_tabs_take_four_columns() -> None:
    assert laid_out("a\tb") == ("a    b", [0, 1, 5, 6])


@pytest.mark.parametrize("length", [4_000, 10_000_000])
@pytest.mark.parametrize("place", [0.0, 0.5, 1.0])
def test_a_long_line_is_cut_around_the_place(length: int, place: float) -> None:
    steps = "GN–" * (length // 3)
    middle = int(len(steps) * place) // 3 * 3
    source = Source("node.yaml", f"tdspec: 1\nfield: [{steps[:middle]}Cnov–{steps[middle:]}]\n")
    text = shown(finding("TD030", "no such op", at(source, "Cnov"), caption="here"))
    assert carets(text) == ["Cnov"]
    assert max(map(len, text.splitlines())) < 200
    assert ("2 | …" in text) == (place > 0)


def test_places_far_apart_in_a_long_line(snapshot: SnapshotAssertion) -> None:
    source = Source("node.yaml", "field: [ConcatConv" + "–Act" * 200 + "–BN]")
    text = shown(finding("TD104", "erased", at(source, "BN"), labels=(Label(at(source, "ConcatConv"), "t enters"),)))
    assert carets(text) == ["ConcatConv", "BN"]
    assert text == snapshot


def test_a_place_longer_than_what_is_shown() -> None:
    source = Source("node.yaml", "name: " + "x" * 5_000)
    text = shown(finding("TD021", "too long", Span(source, 6, 5_006)))
    assert max(map(len, text.splitlines())) < 200
    assert carets(text) == ["x" * len(carets(text)[0])] and len(carets(text)[0]) > 80


def test_the_end_of_the_text_and_an_empty_place() -> None:
    source = Source("node.yaml", "a: [GN")
    text = shown(finding("TD012", "`[` is never closed", Span(source, 6, 6), caption="`]` is missing"))
    assert "   |       ^ `]` is missing".lstrip() in text


def test_space_alone_is_marked() -> None:
    source = Source("node.yaml", "model:\n\t\tinput: 1\n")
    rows = shown(finding("TD006", "tabs", Span(source, 7, 9))).splitlines()
    assert "  |" + " " + "^" * 8 in rows


def test_windows_line_ends() -> None:
    source = Source("node.yaml", "a: 1\r\nb: 2\r\n")
    text = shown(finding("TD020", "no key `b`", at(source, "b")))
    assert "\r" not in text and "2 | b: 2" in text and carets(text) == ["b"]


def test_a_file_that_cannot_be_read(snapshot: SnapshotAssertion) -> None:
    assert shown(finding("TD001", "no such file", file="none.yaml", help="check the path")) == snapshot


def notes(source: Source, count: int) -> list[Finding]:
    return [finding("TD115", "`GN` has 32 groups behind a time embedding", at(source, "GN")) for _ in range(count)]


def test_notes_take_one_line(snapshot: SnapshotAssertion) -> None:
    one, other = Source("a.yaml", NODE), Source("b.yaml", NODE)
    found = [*notes(one, 4), finding("TD114", "no `PosEmb`", at(one, "field")), *notes(other, 1)]
    assert shown(*found, files=("a.yaml", "b.yaml")) == snapshot


SUMMARIES: dict[str, tuple[Callable[[Source], list[Finding]], dict[str, Any]]] = {
    "node.yaml: ok": (lambda _: [], {}),
    "node.yaml: ok; 3 notes (--format concise shows each)": (lambda source: notes(source, 3), {}),
    "1 error in node.yaml": (lambda source: [finding("TD101", "erased", source.whole())], {}),
    "2 errors, 1 warning in node.yaml; 1 note (--format concise shows each)": (
        lambda source: [
            *(finding("TD101", "erased", source.whole()) for _ in range(2)),
            finding("TD102", "erased", source.whole()),
            *notes(source, 1),
        ],
        {},
    ),
    "node.yaml: ok; 1 finding allowed": (
        lambda _: [],
        {"allowed": [(finding("TD104", "erased"), "the paper's ablation")]},
    ),
    "100 files: ok": (lambda _: [], {"files": ["node.yaml"] * 100}),
    "1 error in 1 of 3 files": (
        lambda source: [finding("TD101", "erased", source.whole())],
        {"files": ["a.yaml", "b.yaml", "node.yaml"]},
    ),
}


@pytest.mark.parametrize("expected", SUMMARIES)
def test_the_last_line_says_how_it_stands(expected: str) -> None:
    findings, more = SUMMARIES[expected]
    report = Report(findings(Source("node.yaml", NODE)), **{"files": ["node.yaml"], **more})
    assert summary(report) == expected
    assert render_full(report, color=False).endswith(expected)


def test_the_exception_shows_the_report() -> None:
    report = Report([example()], files=["specs/node/node-cifar10.yaml"])
    assert "error[TD104]: `BN` erases" in str(SpecError(report))


def test_every_severity_has_a_style() -> None:
    for severity in Severity:
        found = Finding("TD001", "x", severity, "message", Source("a", "b").whole())
        assert "message" in render_full(Report([found], files=["a"]), color=True)
