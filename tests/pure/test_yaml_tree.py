"""The YAML tree: places, values by YAML 1.2, and what is refused; with both of PyYAML's loaders."""

from __future__ import annotations

import gc
import math
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tdspec.report.finding import Report
from tdspec.text import yaml_tree
from tdspec.text.from_python import yaml_text
from tdspec.text.source import Source
from tdspec.text.yaml_tree import Mapping, Node, Scalar, Sequence, parse_yaml

LOADERS = [yaml.SafeLoader]
if hasattr(yaml, "CSafeLoader"):
    LOADERS.append(yaml.CSafeLoader)


@pytest.fixture(autouse=True, params=LOADERS, ids=lambda loader: loader.__name__)
def loader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """libyaml where it is there; PyYAML's own parser elsewhere."""
    monkeypatch.setattr(yaml_tree, "LOADER", request.param)


def tree(text: str) -> Mapping:
    report = Report()
    found = parse_yaml(Source("x.yaml", text), report)
    assert report.findings == [] and found is not None
    return found


def value(text: str) -> Any:
    """The value of an unquoted word."""
    node = tree(f"key: {text}\n").get("key")
    assert isinstance(node, Scalar) and node.style == "plain"
    return node.value


def faults(text: str) -> list[str]:
    """Codes and places of what is found."""
    report = Report()
    parse_yaml(Source("x.yaml", text), report)
    return [f"{item.code} {item.span.first.line}:{item.span.first.column}" for item in report.findings if item.span]


def nodes(node: Node) -> Iterator[Node]:
    yield node
    if isinstance(node, Sequence):
        for item in node.items:
            yield from nodes(item)
    if isinstance(node, Mapping):
        for key, below in node.entries:
            yield key
            yield from nodes(below)


# ------------------------------------------------------------------ values


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1", 1), ("-12", -12), ("+3", 3), ("010", 10), ("0o17", 15), ("0x1F", 31), ("1_000", "1_000"),
        ("1e-3", 1e-3), ("1e3", 1e3), ("1.5", 1.5), (".5", 0.5), ("5.", 5.0), ("1.e+2", 100.0), ("1.2.3", "1.2.3"),
        (".inf", math.inf), ("-.Inf", -math.inf), ("0b11", "0b11"), ("1:30", "1:30"), ("-a", "-a"), (".", "."),
        ("true", True), ("False", False), ("yes", "yes"), ("no", "no"), ("on", "on"), ("off", "off"), ("y", "y"),
        ("~", None), ("null", None), ("", None), ("Nul", "Nul"), ("2026-01-31", "2026-01-31"), ("=", "="),
        ("GN–Act", "GN–Act"), ("9" * 400, math.inf), ("0x" + "f" * 400, math.inf), ("0" * 400 + "7", 7.0),
    ],
)  # fmt: skip
def test_plain_scalars_follow_yaml_1_2(text: str, expected: object) -> None:
    found = value(text)
    assert found == expected and type(found) is type(expected)


def test_not_a_number() -> None:
    assert math.isnan(value(".nan"))


def test_quotes_and_blocks_are_text() -> None:
    found = tree("a: '1'\nb: \"true\"\nc: |\n  2\nd: >-\n  null\n")
    assert [(key.value, node.value, node.style) for key, node in found.entries if isinstance(node, Scalar)] == [
        ("a", "1", "quoted"), ("b", "true", "quoted"), ("c", "2\n", "block"), ("d", "null", "block"),
    ]  # fmt: skip


def test_keys_keep_their_text() -> None:
    found = tree("1: a\n010: b\ntrue: c\n1e-3: d\n'no': e\n")
    assert [key.value for key, _ in found.entries] == ["1", "010", "true", "1e-3", "no"]
    assert isinstance(found.get("010"), Scalar) and found.get("10") is None


# ------------------------------------------------------------------ places


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_spans_are_exact(end: str, mark: str) -> None:
    text = mark + end.join([
        "# — comment 😀", "a: é – 😀", "b: &mark [GN–Act – Conv(64, 3)]  # behind", "c:", "  d: 'é 😀'", "",
        "  e: {f: [1, {g: x}]}", "h: &again  # why", "  [Δ]", "i: *mark", "j:", "  - k", "  - l", "", "m:",
    ])  # fmt: skip
    found = tree(text)
    texts = {key.value: node.span.text for key, node in found.entries}
    assert texts == {
        "a": "é – 😀",
        "b": "[GN–Act – Conv(64, 3)]",
        "c": f"d: 'é 😀'{end}{end}  e: {{f: [1, {{g: x}}]}}",
        "h": "[Δ]",
        "i": "[GN–Act – Conv(64, 3)]",
        "j": f"- k{end}  - l",
        "m": "",
    }
    for node in nodes(found):
        if isinstance(node, Scalar) and node.style == "plain" and isinstance(node.value, str):
            assert node.span.text == node.value
    assert found.get("b") is found.get("i")
    first = found.entries[1].key.span.first
    assert (first.line, first.column) == (3, 1)


@pytest.mark.parametrize(
    "pipeline",
    [
        "[GN–Act–Conv(64, 3)–GN]", "[ResBlock*4]", "[Conv(init=zeros)]", "[GN(min(C/4, 32)) – Act]", "[A - B]",
        "[Conv3x3(64) - ResDown(128)]", "[A -]", "[GN→Act]", "[GN > Act]", "[GN | Act]", "[Conv(64,\n  3) – GN]",
    ],
)  # fmt: skip
def test_an_unquoted_pipeline_is_a_flow_sequence(pipeline: str) -> None:
    node = tree(f"a: {pipeline}\n").get("a")
    assert isinstance(node, Sequence) and node.flow and node.span.text == pipeline


# ------------------------------------------------------------------ what is refused


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: [1, 2", "TD002 1:4"), ("a: {b: 1]", "TD002 1:9"), ("a: [x #]\n", "TD002 1:7"), ("a: b: c", "TD002 1:5"),
        ("a: [b]: c", "TD002 1:7"), ("a: 'b", "TD002 1:4"), ("a: *b", "TD002 1:4"), ("a: & b", "TD002 1:4"),
        ("a: !t b", "TD002 1:4"), ("a: @b", "TD002 1:4"), ("a: `b`", "TD002 1:4"), ("a: | b", "TD002 1:4"),
        ("a: 1\nb\nc: 2", "TD002 2:1"), ("a:\n    b: 1\n  c: 2", "TD002 3:3"), ("a: 1\n- b", "TD002 2:1"),
        ("a: b\n c: d", "TD002 2:2"), ("a: {b:1}", "TD002 1:5"), (": a", "TD002 1:1"), ("<<: 1", "TD002 1:1"),
        ("[a]: b", "TD002 1:1"), ("a: [b,,c]", "TD002 1:7"), ("a: - b", "TD002 1:4"), ("a: ? b", "TD002 1:4"),
        ("a: [b][c]", "TD002 1:7"), ("a: \u2028", "TD002 1:4"), ("a: \x85", "TD002 1:4"), ("a: \ud800", "TD002 1:4"),
        ("a: 1\na: 2", "TD003 2:1"), ("a: {b: 1, b: 2}", "TD003 1:11"), ("a: [A–[B]]", "TD014 1:7"),
        ("a: [A–[B]*2–C]", "TD014 1:7"), ("a: [- B]", "TD010 1:5"), ("a: {g: min(C, 2)}", "TD016 1:8"),
        ("a: &x [*x]", "TD005 1:8"), ("a:\n\tb: 1", "TD006 2:1"), ("a: |\n\tb", "TD006 2:1"),
        ("", "TD008 1:1"), ("---\n", "TD008 1:1"), ("- a", "TD008 1:1"), ("a", "TD008 1:1"),
        ("a: 1\n---\n", "TD008 2:1"),
    ],
)  # fmt: skip
def test_refused(text: str, expected: str) -> None:
    assert faults(text) == [expected]


def test_duplicates_leave_the_first_and_show_both() -> None:
    report = Report()
    found = parse_yaml(Source("x.yaml", "a: 1\nb: 2\na: 3\na: 4\n"), report)
    assert found is not None and [key.value for key, _ in found.entries] == ["a", "b"]
    first = found.get("a")
    assert isinstance(first, Scalar) and first.value == 1
    assert [(item.code, repr(item.span), repr(item.labels[0].span)) for item in report.findings] == [
        ("TD003", "x.yaml:3:1", "x.yaml:1:1"),
        ("TD003", "x.yaml:4:1", "x.yaml:1:1"),
    ]


def test_findings_before_a_syntax_error_are_kept() -> None:
    assert faults("a: {b: 1, b: 2}\nc: !t 1\nd: [") == ["TD003 1:11", "TD002 2:4", "TD002 3:4"]


def test_a_cut_expression_is_one_finding_and_whole_again() -> None:
    report = Report()
    found = parse_yaml(Source("x.yaml", "GN: {groups: min(C/4, 8, 32), eps: f(1, 1, 1), affine: true}\n"), report)
    assert [item.code for item in report.findings] == ["TD016", "TD016"]
    assert 'groups: "min(C/4, 8, 32)"' in report.findings[0].help
    assert found is not None
    below = found.get("GN")
    assert isinstance(below, Mapping)
    assert [(key.value, node.span.text) for key, node in below.entries] == [
        ("groups", "min(C/4, 8, 32)"), ("eps", "f(1, 1, 1)"), ("affine", "true"),
    ]  # fmt: skip


def test_nesting_is_bounded() -> None:
    def deep(levels: int) -> str:
        return f"a: {'[' * levels}{']' * levels}"

    assert faults(deep(yaml_tree.DEEPEST - 1)) == []
    assert faults(deep(yaml_tree.DEEPEST)) == [f"TD004 1:{3 + yaml_tree.DEEPEST}"]
    assert faults("a: " + "[" * 100_000) == [f"TD004 1:{3 + yaml_tree.DEEPEST}"]
    assert faults("{a: " * 30_000) == [f"TD004 1:{1 + 4 * yaml_tree.DEEPEST}"]


def test_aliases_are_bounded_by_what_they_stand_for() -> None:
    ten = "a: &a [0, 0, 0, 0, 0, 0, 0, 0, 0]\n"
    assert faults(ten + "b: [" + "*a, " * 1000 + "]") == []
    assert faults(ten + "b: [" + "*a, " * 1001 + "]") == [f"TD005 2:{5 + 4 * 1000}"]


def test_the_tree_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yaml_tree, "MOST_NODES", 10)
    assert faults("a: [1, 2, 3, 4, 5, 6, 7]") == []
    assert faults("a: [1, 2, 3, 4, 5, 6, 7, 8]") == ["TD007 1:26"]


def test_collection_of_garbage_is_left_as_it_was() -> None:
    assert gc.isenabled()
    parse_yaml(Source("x.yaml", "a: ["), Report())
    assert gc.isenabled()
    gc.disable()
    try:
        parse_yaml(Source("x.yaml", "a: 1"), Report())
        assert not gc.isenabled()
    finally:
        gc.enable()


# ------------------------------------------------------------------ data from Python

TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc", "Cn", "Co"], exclude_characters="\u2028\u2029\ufeff"))
DATA = st.recursive(
    TEXTS | st.integers(-(10**12), 10**12) | st.floats(allow_nan=False) | st.booleans() | st.none(),
    lambda below: st.lists(below, max_size=4) | st.dictionaries(TEXTS.filter(bool), below, max_size=4),
    max_leaves=20,
)


def plain(node: Node) -> Any:
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, Sequence):
        return [plain(item) for item in node.items]
    return {key.value: plain(below) for key, below in node.entries}


@given(st.dictionaries(TEXTS.filter(bool), DATA, min_size=1, max_size=4))
def test_python_data_reads_back(data: dict[str, Any]) -> None:
    assert plain(tree(yaml_text(data))) == data
