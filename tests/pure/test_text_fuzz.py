"""Whatever is in the file: no exception, every finding whole and in its place, never more than a second."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from tdspec.report.codes import CODES
from tdspec.report.finding import Report
from tdspec.text import yaml_tree
from tdspec.text.notation import print_pipeline, read_expression, read_pipeline
from tdspec.text.read import read_source
from tdspec.text.source import Source
from tdspec.text.yaml_tree import Mapping, Node, Sequence, parse_yaml

GOOD = """\
# A neural ODE and a diffusion model in one, so that every part of the text is there.
tdspec: 1
name: node-digits
defaults: {Act: ReLU, GN: {groups: "min(C/4, 32)"}}
blocks:
  Res: &res
    pipeline: [GN – Act – Conv3x3(out, stride=2) – Emb – Dropout(0.1) – Conv(init=zeros)]
    shortcut: "[Conv1x1(stride=2, bias=false)]"
    scale: 2*C/4 - 1
x-again: *res
model:
  input: [1, 8, 8]
  stem: ["Conv(64", "3)–GN"]
  ode:
    field: [GN(4)–Act–ConcatConv–
      GN–Act–ConcatConv*2–GN]
    t: [0, 1]
    solver: {method: dopri5, rtol: 1e-3, atol: 0x1F}
  head: 'GN'
about: |
  Some text, é and 😀.
"""
TOKENS = [
    "–", "-", "—", "−", "→", "->", "*", "*4", "&a", "*a", "!t", "[", "]", "(", ")", "{", "}", ",", ":", ": ",
    "# ", "\n", "\r\n", "\t", " ", "  ", '"', "'", "\\", "|", ">", "%", "@", "`", "?", "<<", "---\n", "...\n",
    "3x3", "0x", "1e", "=", "C/", "min(", "\ufeff", "\u200b", "\u2028", "\x00", "\x07", "\x85", "é", "×",
    "9" * 30, "A–" * 50, "[" * 120, "- " * 120, "x: ",
]  # fmt: skip

BITS = st.binary(max_size=300) | st.lists(st.sampled_from(TOKENS), max_size=30).map(
    lambda parts: "".join(parts).encode()
)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """The good text with pieces deleted, moved, doubled, or replaced by what means something to a reader."""
    text = GOOD
    for _ in range(draw(st.integers(1, 6))):
        start = draw(st.integers(0, len(text)))
        end = draw(st.integers(start, min(len(text), start + 40)))
        new = draw(st.sampled_from([*TOKENS, "", text[start:end] * 2, text[end : end + 20]]))
        text = text[:start] + new + text[end:]
    return text.encode()


@pytest.fixture(params=["CSafeLoader", "SafeLoader"])
def loader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yaml_tree, "LOADER", getattr(yaml, request.param, yaml.SafeLoader))


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz") / "spec.yaml"


def nodes(node: Node) -> Iterator[Node]:
    yield node
    if isinstance(node, Sequence):
        for item in node.items:
            yield from nodes(item)
    if isinstance(node, Mapping):
        for entry in node.entries:
            yield from nodes(entry.value)


def read_all(source: Source | None, report: Report) -> None:
    """Every node as a pipeline and as an expression, whatever it is."""
    tree = parse_yaml(source, report) if source is not None else None
    assert (tree is None) <= (not report.ok)
    for node in nodes(tree) if tree is not None else ():
        assert 0 <= node.span.start <= node.span.end <= len(node.span.source.text)
        below = Report()
        pipeline = read_pipeline(node, below)
        assert (pipeline is None) == bool(below.findings)
        if pipeline is not None:
            assert [step.name_span.text[: len(step.name)] for step in pipeline.steps] == [
                step.name for step in pipeline.steps
            ]
            print_pipeline(pipeline)
        count = len(below.findings)
        assert (read_expression(node, below) is None) == (len(below.findings) > count)
        report.merge(below)


def check(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    report = Report()
    start = time.perf_counter()
    read_all(read_source(str(path), report), report)
    assert time.perf_counter() - start < 1
    for item in report.findings:
        assert item.code in CODES and item.code < "TD02" and item.message and item.path == str(path)
        assert len(item.message) < 300 and len(item.help) < 1000  # a correction to copy is whole
        for span in (item.span, *(label.span for label in item.labels)):
            if span is not None:
                assert 0 <= span.start <= span.end <= len(span.source.text)


@pytest.mark.usefixtures("loader")
class TestFuzz:
    @settings(max_examples=400)
    @given(data=BITS)
    def test_bytes(self, path: Path, data: bytes) -> None:
        check(path, data)

    @settings(max_examples=400)
    @given(data=mutated())
    def test_mutated(self, path: Path, data: bytes) -> None:
        check(path, data)

    @settings(max_examples=200)
    @given(
        text=st.text(max_size=60),
        style=st.sampled_from(["a: [{}]\n", "a: '[{}]'\n", 'a: ["{}"]\n', "a: {}\n", "a: {{b: {}}}\n"]),
    )
    def test_any_text_as_a_pipeline(self, path: Path, text: str, style: str) -> None:
        check(path, style.format(text).encode("utf-8", errors="surrogatepass"))

    @settings(max_examples=300)
    @given(
        parts=st.lists(
            st.sampled_from([*"AB–-—,.()[]*=+/ 12x'\":#→", "Conv3x3", "GN(", "C/4", "min(", "\n  ", "é"]), max_size=25
        )
    )
    def test_notation(self, path: Path, parts: list[str]) -> None:
        for style in ("a: [{}]\n", "a: '[{}]'\n"):
            check(path, style.replace("{}", "".join(parts)).encode())


def test_the_text_that_is_mutated_is_good(path: Path) -> None:
    path.write_text(GOOD, encoding="utf-8")
    report = Report()
    source = read_source(str(path), report)
    assert source is not None and parse_yaml(source, report) is not None and report.findings == []
