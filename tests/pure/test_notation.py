"""Pipelines: what they mean, where each part stands, how they print, and what is refused."""

from __future__ import annotations

import gc
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tdspec.ops import TABLE
from tdspec.ops.op import Op
from tdspec.report.finding import Finding, Report, SpecError
from tdspec.text.from_python import yaml_text
from tdspec.text.notation import parse_pipeline, print_pipeline, read_pipeline
from tdspec.text.source import Source, Span
from tdspec.text.steps import MOST_ARGUMENTS, MOST_REPEATS, MOST_STEPS
from tdspec.text.syntax import Argument, Name, Pipeline, Step
from tdspec.text.yaml_tree import parse_yaml
from tests.pure.test_expression import NOWHERE, WITH_FLOATS, bare


def read(yaml: str) -> tuple[Pipeline | None, list[Finding]]:
    """The pipeline under the key `a` of a YAML text."""
    report = Report()
    tree = parse_yaml(Source("x.yaml", yaml), report)
    node = tree.get("a") if tree is not None else None
    return (read_pipeline(node, report, "model.a") if node is not None else None), report.findings


def good(yaml: str) -> Pipeline:
    pipeline, findings = read(yaml)
    assert findings == [] and pipeline is not None
    return pipeline


def places(findings: list[Finding]) -> list[str]:
    return [f"{item.code} {item.span.first.line}:{item.span.first.column}" for item in findings if item.span]


def shape(pipeline: Pipeline) -> list[object]:
    """A pipeline without its spans."""
    return [
        (step.name, step.kernel, [(argument.name, bare(argument.value)) for argument in step.arguments], step.repeat)
        for step in pipeline.steps
    ]


# ------------------------------------------------------------------ the notation of the papers


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("[GN–Act–ConcatConv–GN–Act–ConcatConv–GN]", "[GN–Act–ConcatConv–GN–Act–ConcatConv–GN]"),
        ("[Conv3x3(64) – ResDown(128) - ResDown(256)]", "[Conv3x3(64)–ResDown(128)–ResDown(256)]"),
        (
            "[GN(min(C/4, 32)) – Act – Conv(bias_init = zeros) – Emb - Dropout(.1)]",
            "[GN(min(C/4, 32))–Act–Conv(bias_init=zeros)–Emb–Dropout(0.1)]",
        ),
        ("[ResBlock*4]", "[ResBlock*4]"),
        ("[ ]", "[]"),
        ("[A()–B ( ) * 1-C_2]", "[A–B–C_2]"),
        ("[Conv1x1x1–Conv3x5–Res2–x2y]", "[Conv1x1x1–Conv3x5–Res2–x2y]"),
        ("[Normalize(mean=-0.5)-Conv(C-1)]", "[Normalize(mean=-0.5)–Conv(C - 1)]"),
        ("[Conv(init=normal(0.02),\n  bias=false)\n  – GN]", "[Conv(init=normal(0.02), bias=false)–GN]"),
        ("[GN\u00a0–\u2009Act]", "[GN–Act]"),
    ],
)
@pytest.mark.parametrize("quotes", ["", '"', "'"])
def test_canonical_form(text: str, canonical: str, quotes: str) -> None:
    if quotes and "\n" in text:
        return
    pipeline = good(f"a: {quotes}{text}{quotes}\n")
    assert print_pipeline(pipeline) == canonical
    assert print_pipeline(parse_pipeline(canonical)) == canonical
    assert shape(parse_pipeline(canonical)) == shape(pipeline)
    assert pipeline.span.text == text


def test_parts_of_a_step() -> None:
    step = good("a: [Conv3x1(2*C, stride=2)*3]").steps[0]
    assert (step.name, step.kernel, step.repeat) == ("Conv", (3, 1), 3)
    assert step.span.text == "Conv3x1(2*C, stride=2)*3" and step.name_span.text == "Conv3x1"
    assert [(argument.name, argument.span.text) for argument in step.arguments] == [
        (None, "2*C"),
        ("stride", "stride=2"),
    ]


def test_spans_survive_what_stands_around() -> None:
    pipeline = good("\ufeff# é – 😀\r\nb: {c: é}\r\na:   [GN (4)  –  Act *2\r\n  –Conv( 3 )\r\n]\r\n")
    assert [step.span.text for step in pipeline.steps] == ["GN (4)", "Act *2", "Conv( 3 )"]
    assert [tuple(step.span.first) for step in pipeline.steps] == [(3, 7), (3, 18), (4, 4)]


def test_a_list_from_python_is_joined_again() -> None:
    written = "[GN(min(C/4, 32))–Conv(64, 3)–Act]"
    split = written[1:-1].split(", ")
    text = yaml_text({"a": split})
    assert text.startswith('a: ["GN(min(C/4", ')
    pipeline = good(text)
    assert print_pipeline(pipeline) == written
    assert [step.name_span.text for step in pipeline.steps] == ["GN", "Conv", "Act"]


def test_parse_pipeline_points_into_its_source() -> None:
    source = Source("--set", "[GN–Act(]")
    with pytest.raises(SpecError) as caught:
        parse_pipeline(source.text, source)
    assert [repr(item.span) for item in caught.value.report.findings] == ["--set:1:9"]
    for text in ("GN–Act", "", "[GN", "[GN]*2"):
        with pytest.raises(SpecError):
            parse_pipeline(text)


# ------------------------------------------------------------------ round trips

WORDS = st.from_regex(r"[A-Za-z_][A-Za-z_]{0,6}([0-9][A-Za-z_]{0,3})?", fullmatch=True)
ARGUMENTS = st.tuples(
    st.lists(WITH_FLOATS.map(lambda value: Argument(None, value, NOWHERE)), max_size=2),
    st.lists(st.builds(Argument, WORDS, WITH_FLOATS, st.just(NOWHERE)), max_size=2),
).map(lambda both: (*both[0], *both[1]))
EXTENTS = st.lists(st.integers(1, 9999), min_size=2, max_size=3).map(tuple)


def steps() -> st.SearchStrategy[Step]:
    repeats = st.integers(1, MOST_REPEATS)
    plain = st.builds(Step, WORDS, st.none(), ARGUMENTS, repeats, st.just(NOWHERE), st.just(NOWHERE))
    # A digit right before a kernel would belong to it, and so would `0x`.
    names = WORDS.filter(lambda word: not word.removesuffix("x")[-1:].isdigit())
    return plain | st.builds(Step, names, EXTENTS, ARGUMENTS, repeats, st.just(NOWHERE), st.just(NOWHERE))


PIPELINES = st.lists(steps(), max_size=8).map(lambda found: Pipeline(tuple(found), NOWHERE))


@given(PIPELINES)
def test_print_and_parse_are_inverse(pipeline: Pipeline) -> None:
    text = print_pipeline(pipeline)
    again = parse_pipeline(text)
    assert shape(again) == shape(pipeline)
    assert print_pipeline(again) == text


@given(PIPELINES, st.sampled_from(["–", "-", " – ", " - ", "\n  – ", " –\t"]))
def test_separators_and_blanks_mean_the_same(pipeline: Pipeline, separator: str) -> None:
    """Unquoted, through YAML, with every step's span exact."""
    printed = [print_pipeline(Pipeline((step,), NOWHERE))[1:-1] for step in pipeline.steps]
    found = good(f"a: [{separator.join(printed)}]")
    assert shape(found) == shape(pipeline)
    assert [step.span.text for step in found.steps] == printed


@given(PIPELINES.filter(lambda pipeline: len(pipeline.steps) > 0))
def test_spans_hold_what_they_say(pipeline: Pipeline) -> None:
    found = good(f"a: '{print_pipeline(pipeline)}'")
    for step in found.steps:
        assert shape(parse_pipeline(f"[{step.span.text}]")) == shape(Pipeline((step,), NOWHERE))
        assert step.span.text.startswith(step.name_span.text)
        for argument in step.arguments:
            (again,) = parse_pipeline(f"[A({argument.span.text})]").steps[0].arguments
            assert (again.name, bare(again.value)) == (argument.name, bare(argument.value))


# ------------------------------------------------------------------ what is refused


@pytest.mark.parametrize(
    ("text", "expected", "words"),
    [
        # The notation's place is taken by something that looks like it.
        ("[GN—Act]", "TD011 1:7", "an em dash"),
        ("[GN−Act]", "TD011 1:7", "a minus sign"),
        ("[GN\u2012Act]", "TD011 1:7", "a figure dash"),
        ("[GN―Act]", "TD011 1:7", "a horizontal bar"),
        ("[GN\u2010Act]", "TD011 1:7", "a hyphen (U+2010)"),
        ("[GN\u2011Act]", "TD011 1:7", "a non-breaking hyphen"),
        ("[GN\u00adAct]", "TD011 1:7", "a soft hyphen"),
        ("[GN﹣Act]", "TD011 1:7", "a small hyphen-minus"),
        ("[GN\uff0dAct]", "TD011 1:7", "a fullwidth hyphen-minus"),
        ("[GN→Act]", "TD011 1:7", "an arrow"),
        ("[GN⇒Act]", "TD011 1:7", "an arrow"),
        ("[GN=>Act]", "TD011 1:7", "an arrow"),
        ("[GN->Act]", "TD011 1:7", "an arrow"),
        ("[GN>Act]", "TD011 1:7", "greater-than"),
        ("[GN|Act]", "TD011 1:7", "a bar"),
        ("[GN,Act]", "TD011 1:7", "a comma"),
        ("[GN.Act]", "TD011 1:7", "a full stop"),
        ("[GN;Act]", "TD011 1:7", "a semicolon"),
        ("[GN--Act]", "TD011 1:7", "hyphens"),
        ("[GN∘Act]", "TD011 1:7", "ring operator"),
        ("[Conv3×3]", "TD011 1:10", "`Conv3x3`"),
        ("[A×2]", "TD011 1:6", "`A*2`"),
        ("[GN\uff084\uff09]", "TD011 1:7", "`(`"),
        ("[GN(4\uff09]", "TD011 1:9", "`)`"),
        ("'\uff3bGN]'", "TD010 1:5", "brackets"),
        ("[GN(a\uff1d4)]", "TD011 1:9", "`=`"),
        ("[GN(C–1)]", "TD011 1:9", "a minus is a hyphen"),
        # Steps and separators.
        ("[A–]", "TD010 1:6", "a step was expected"),
        ("[–A]", "TD010 1:5", "begins with a step"),
        ("[A– –B]", "TD010 1:8", "missing between"),
        ("[A B]", "TD010 1:7", "`A–B`"),
        ("[Conv 64]", "TD010 1:10", "`Conv(64)`"),
        ("[Conv 3x3]", "TD010 1:10", "`Conv3x3`"),
        ("[3x3Conv]", "TD010 1:5", "`Conv3x3`"),
        ("[2*A]", "TD010 1:5", "`A*2`"),
        ("[A(1)(2)]", "TD010 1:9", "already has"),
        ("[A b=1]", "TD010 1:7", "`A(b=1)`"),
        ("[(1)]", "TD010 1:5", "a name"),
        ("'[*A]'", "TD010 1:6", "no step before"),
        ("[A(b=1, 2)]", "TD010 1:12", "positional"),
        ("[A(b:1)]", "TD010 1:8", "name=value"),
        ("[A: 1]", "TD010 1:6", "name=value"),
        ("[A#1]", "TD010 1:6", "comments"),
        ("[é]", "TD010 1:5", "ASCII"),
        ("[A\u200b–B]", "TD010 1:6", "zero width space"),
        ("[A?]", "TD010 1:6", "found `?`"),
        ("[Conv3x3x3x3]", "TD010 1:9", "two or three"),
        ("[Conv3x99999]", "TD010 1:9", "9,999"),
        ("A–B", "TD010 1:4", "`[A–B]`"),
        ("'A–B'", "TD010 1:5", "`[A–B]`"),
        ("", "TD010 1:3", "found nothing"),
        ("3", "TD010 1:4", "brackets"),
        ("{A–B}", "TD010 1:4", "`[A–B]`"),
        ("\n  - A\n  - B", "TD010 2:3", "`[A–B]`"),
        ("\n  A: 1", "TD010 2:3", "a mapping"),
        ("'[A]*2'", "TD010 1:8", "behind one step"),
        ("'[A] x'", "TD010 1:8", "delete"),
        # Brackets.
        ("[A(1–B]", "TD012 1:6", "`A(1)`"),
        ("[A(1-B]", "TD012 1:6", "never closed"),
        ("[A(1]", "TD012 1:6", "`A(1)`"),
        ("[A(f(1)]", "TD012 1:6", "`A(f(1))`"),
        ("[A)]", "TD012 1:6", "closes nothing"),
        ("'[A]]'", "TD012 1:7", "closes nothing"),
        ("'[A'", "TD012 1:5", "never closed"),
        ("'[A]–[B]'", "TD012 1:7", "one pair"),
        ("[[A]]", "TD014 1:5", "block"),
        ("'[A–[B]*2–C]'", "TD014 1:8", "block"),
        ("'[A[1]]'", "TD014 1:7", "parentheses"),
        ("'[A(b=[1, 2])]'", "TD014 1:10", "brackets"),
        ("'[A–{B}]'", "TD014 1:8", "block"),
        # What YAML changes.
        ("|\n  [A–B]", "TD013 1:4", "`[A–B]`"),
        ('"[A–\n  B]"', "TD013 1:4", "`[A– B]`"),
        ('"[A\\x2dB]"', "TD013 1:4", "`[A-B]`"),
        ("'[A''B]'", "TD013 1:4", "doubled"),
        ("[A, # b\n  C]", "TD013 1:8", "comment"),
        ('["A\n  –B"]', "TD013 1:5", "lines"),
        # Repeats.
        ("[A*0]", "TD015 1:7", "1 to 1000"),
        ("[A*1001]", "TD015 1:7", "1 to 1000"),
        ("[A*" + "9" * 99 + "]", "TD015 1:7", "1 to"),
        ("[A*2.5]", "TD015 1:6", "`2.5`"),
        ("[A*n]", "TD015 1:6", "`n`"),
        ("[A*]", "TD015 1:6", "a whole number"),
        ("[A*2(3)]", "TD015 1:6", "arguments"),
        ("[A*2*3]", "TD015 1:6", "whole number"),
        ("[A*-1]", "TD015 1:6", "whole number"),
        # Expressions.
        ("[A(1,)]", "TD016 1:9", "delete"),
        ("[A(b=)]", "TD016 1:9", "behind `=`"),
        ("[A(1 2)]", "TD016 1:9", "comma"),
        ("[A(b=1 c=2)]", "TD016 1:11", "put a comma"),
        ("[A(2C)]", "TD016 1:7", "`2*C`"),
        ("'[A(\"b\")]'", "TD016 1:8", "quotes"),
    ],
)
def test_refused(text: str, expected: str, words: str) -> None:
    pipeline, findings = read(f"a: {text}")
    assert places(findings) == [expected] and pipeline is None
    for item in findings:
        assert words in item.message + item.help
        assert item.where == "model.a" and "invalid" not in item.message


def test_several_mistakes_are_reported_together() -> None:
    _, findings = read("a: [A 64 – B(1–C(2)—D*0 – E()() – F(,) – ]")
    assert places(findings) == [
        "TD010 1:7", "TD012 1:13", "TD011 1:20", "TD015 1:23", "TD010 1:30", "TD016 1:37", "TD010 1:40",
    ]  # fmt: skip


def test_the_same_lookalike_is_one_finding_with_all_its_places() -> None:
    _, findings = read("a: [A—B—C−D—E]")
    assert places(findings) == ["TD011 1:6", "TD011 1:10"]
    assert [label.span.first.column for label in findings[0].labels] == [8, 12]


def test_an_open_parenthesis_shows_where_it_should_close() -> None:
    _, findings = read("a: [Conv(64 – GN(32)–Act]")
    assert [label.span.first.column for label in findings[0].labels] == [13]


def test_bounds() -> None:
    def found(text: str) -> list[str]:
        return places(read(f"a: {text}")[1])

    full = "–".join(["A*1000"] * (MOST_STEPS // 1000))
    assert found(f"[{full}]") == []
    assert found(f"[{full}–B]") == [f"TD015 1:{len(full) + 6}"]
    numbers = ", ".join(["1"] * MOST_ARGUMENTS)
    assert found(f"[A({numbers})]") == [] and found(f"[A({numbers}, 1)]")[0].startswith("TD010")
    assert found(f"[{'A' * 100}]") == [] and found(f"[{'A' * 101}]") == ["TD010 1:5"]


# ------------------------------------------------------------------ time


def seconds(text: str) -> float:
    """Best of three, without garbage collection, as `validate` runs it."""
    source = Source("x.yaml", f"a: [{text}]")
    best = 60.0
    for _ in range(3):
        report = Report()
        gc.collect()
        gc.disable()
        start = time.process_time()
        tree = parse_yaml(source, report)
        assert tree is not None
        node = tree.get("a")
        assert node is not None
        read_pipeline(node, report)
        best = min(best, time.process_time() - start)
        gc.enable()
    return best


@pytest.mark.parametrize("step", ["GN", "Conv3x3(64, bias=false)*2", "GN(min(C/4, 32))"])
def test_ten_thousand_steps(step: str) -> None:
    assert seconds("–".join([step] * 10_000)) < 1


@pytest.mark.parametrize(
    "step", ["A(1)–", "A—", "A(", "A B ", "(", ")", "1x", "A(1)(2)–", "A(?)–", "A*1*1", "] [", "A(f(1,"]
)
def test_time_is_linear(step: str) -> None:
    """Also where everything is wrong."""
    small, large = seconds_quoted(step * 4_000), seconds_quoted(step * 40_000)
    assert large < 50 * small + 0.1  # ten times the text; what is quadratic takes a hundred times


def seconds_quoted(text: str) -> float:
    source = Source("x.yaml", f"a: '[{text}]'")
    best = 60.0
    for _ in range(3):
        report = Report()
        tree = parse_yaml(source, report)
        assert tree is not None
        node = tree.get("a")
        assert node is not None
        start = time.process_time()
        read_pipeline(node, report)
        best = min(best, time.process_time() - start)
    return best


def test_ten_thousand_wired_steps() -> None:
    lines = (f"  s{i}: {{from: s{i - 1}, pipeline: [Conv3x3(64, bias=false)]}}\n" for i in range(10_000))
    source = Source("x.yaml", "steps:\n" + "".join(lines))
    start = time.process_time()
    assert parse_yaml(source, Report()) is not None
    assert time.process_time() - start < 1.5


def test_a_span_costs_nothing_until_it_is_asked() -> None:
    span = Span(Source("x.yaml", "a\nb – c\n"), 2, 3)
    assert "line_starts" not in vars(span.source)
    assert tuple(span.first) == (2, 1) and "line_starts" in vars(span.source)


@pytest.mark.parametrize("op", TABLE, ids=lambda op: op.name)
def test_every_choice_can_be_written(op: Op) -> None:
    for param in op.params:
        for choice in param.choices:
            pipeline = good(f'a: "[{op.name}({param.name}={choice})]"')
            assert isinstance(pipeline.steps[0].arguments[0].value, Name), choice
