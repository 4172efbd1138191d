"""Broken specs: each yields exactly its codes, at exactly its places, within a second.

A file of `tests/corpus` says what it yields in its first line, `# expect: TD011 5:22, TD015 5:40`:
code, line and column of each error. Where such a line would spoil the case, the case stands here.
"""

from __future__ import annotations

import time
from pathlib import Path

import pytest

import tdspec
from tdspec.report.finding import Report, Severity

CORPUS = Path(__file__).parent.parent / "corpus"
EXPECT = "# expect: "
SPEC = """\
tdspec: 1
model:
  input: [1, 8, 8]
  pipeline: [Conv(16)–GN(4)–Act–GAP–FC]
data: {name: digits}
"""
MEGABYTE = 1_000_000

BYTES = {
    "nothing": (b"", "TD008 1:1"),
    "only-a-byte-order-mark": (b"\xef\xbb\xbf", "TD008 1:1"),
    "portable-network-graphics": (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "TD001 -"),
    "zip": (b"PK\x03\x04\x14\x00\x08\x08model/data.pkl", "TD001 -"),
    "nul-in-text": (SPEC.encode() + b"name: a\x00b\n", "TD001 -"),
    "utf-16": (SPEC.encode("utf-16"), "TD001 -"),
    "latin-1": (b"tdspec: 1\nabout: na\xefve\n", "TD001 2:10"),
    "windows-1252": (SPEC.encode("cp1252"), "TD001 4:22"),
    "cut-off-in-a-character": (SPEC[: SPEC.index("–") + 1].encode()[:-1], "TD001 4:22"),
    "ten-megabytes-in-a-line": (b"tdspec: " + b"1" * 10 * MEGABYTE, "TD007 -"),
    "ten-megabytes-of-brackets": (b"[" * 10 * MEGABYTE, "TD007 -"),
    "four-megabytes-of-brackets": (b"[" * 4 * MEGABYTE, "TD004 1:101"),
    "four-megabytes-of-list-items": (b"- " * 2 * MEGABYTE, "TD004 1:201"),
    "four-megabytes-of-values": (b"x: [" + b"1," * (4 * MEGABYTE // 2) + b"]", "TD007 1:399999"),
    "four-megabytes-of-blanks": (b" " * 4 * MEGABYTE, "TD008 1:1"),
    "four-megabytes-of-backslashes": (b'x: "' + b"\\" * 4 * MEGABYTE, "TD002 1:4"),
    "four-megabytes-of-a-word": (b"x" * 4 * MEGABYTE, "TD008 1:1"),
}


def found(report: Report) -> list[str]:
    """The errors of a report, as a first line of the corpus gives them."""
    return [
        f"{item.code} {item.span.first.line}:{item.span.first.column}" if item.span else f"{item.code} -"
        for item in report.findings
        if item.severity is Severity.ERROR
    ]


def check(path: Path, expected: str) -> None:
    start = time.process_time()
    report = tdspec.validate(path)
    seconds = time.process_time() - start
    text = str(tdspec.SpecError(report))  # rendering is part of the bargain
    assert found(report) == expected.split(", "), text
    assert seconds < 1, f"{seconds:.2f} s"
    for item in report.findings:
        assert item.path == str(path)
        # A message that quotes a megabyte helps nobody.
        assert len(item.message) < 300 and len(item.help) < 300 and "invalid" not in item.message


@pytest.mark.parametrize("path", sorted(CORPUS.glob("*.yaml")), ids=lambda path: path.stem)
def test_corpus(path: Path) -> None:
    first = path.read_text(encoding="utf-8").partition("\n")[0]
    assert first.startswith(EXPECT)
    check(path, first.removeprefix(EXPECT))


@pytest.mark.parametrize("name", BYTES)
def test_bytes(name: str, tmp_path: Path) -> None:
    data, expected = BYTES[name]
    path = tmp_path / f"{name}.yaml"
    path.write_bytes(data)
    check(path, expected)


def test_the_corpus_is_large() -> None:
    assert len(list(CORPUS.glob("*.yaml"))) >= 100
    codes = {line.split()[2] for path in CORPUS.glob("*.yaml") for line in path.read_text("utf-8").splitlines()[:1]}
    codes |= {expected.split()[0] for _, expected in BYTES.values()}
    assert codes >= {f"TD00{n}" for n in range(1, 9)} | {f"TD01{n}" for n in range(7)}


def test_the_spec_they_are_made_of_holds(tmp_path: Path) -> None:
    path = tmp_path / "good.yaml"
    for data in (
        SPEC.encode(),
        b"\xef\xbb\xbf" + SPEC.replace("\n", "\r\n").encode(),
        SPEC.replace("\n", "\r").encode(),
    ):
        path.write_bytes(data)
        assert found(tdspec.validate(path)) == []
