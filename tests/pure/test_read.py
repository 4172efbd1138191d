"""From a path to a text: what opens, and what is said of what does not."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest

from tdspec.report.finding import Finding, Report
from tdspec.text.read import LIMIT, read_source
from tdspec.text.source import Source


def read(path: object) -> tuple[Source | None, list[Finding]]:
    report = Report()
    return read_source(str(path), report), report.findings


def refused(path: object) -> Finding:
    source, findings = read(path)
    (found,) = findings
    assert source is None and found.path == str(path)
    return found


@pytest.fixture
def stdin(monkeypatch: pytest.MonkeyPatch) -> io.BytesIO:
    """Standard input as a buffer to fill."""
    buffer = io.BytesIO()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(buffer))
    return buffer


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("a: é – 😀\n".encode(), "a: é – 😀\n"),
        (b"\xef\xbb\xbfa: 1\n", "a: 1\n"),
        (b"a: 1\r\nb: 2\r\n", "a: 1\r\nb: 2\r\n"),
        (b"a: 1\rb: 2\r", "a: 1\nb: 2\n"),
        (b"", ""),
    ],
)
def test_text(tmp_path: Path, data: bytes, text: str) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(data)
    source, findings = read(path)
    assert source is not None and findings == []
    assert (source.name, source.text) == (str(path), text)


def test_standard_input(stdin: io.BytesIO) -> None:
    stdin.write("a: –\n".encode())
    stdin.seek(0)
    source, findings = read("-")
    assert source is not None and findings == []
    assert (source.name, source.text) == ("<stdin>", "a: –\n")


def test_standard_input_is_bounded(stdin: io.BytesIO) -> None:
    stdin.write(b"a" * (LIMIT + 10))
    stdin.seek(0)
    source, (found,) = read("-")
    assert source is None and (found.code, found.path) == ("TD007", "<stdin>")
    assert stdin.tell() <= LIMIT + 1 + io.DEFAULT_BUFFER_SIZE


def test_a_missing_file_names_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "node-digits.yaml").write_text("")
    found = refused(tmp_path / "node-digts.yaml")
    assert found.code == "TD001" and found.help == f"did you mean `{tmp_path / 'node-digits.yaml'}`?"
    found = refused(tmp_path / "missing" / "node.yaml")
    assert found.code == "TD001" and "cannot be read" in found.message


def test_what_is_no_file(tmp_path: Path) -> None:
    assert "is a folder" in refused(tmp_path).message
    assert "cannot be the name" in refused("a\0b.yaml").message
    assert "cannot be the name" in refused("a\ud800b.yaml").message
    assert refused("x" * 5000).code == "TD001"
    assert refused("").code == "TD001"


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="the superuser may read everything")
def test_no_permission(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("a: 1")
    path.chmod(0)
    assert "no permission" in refused(path).message


def test_no_permission_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def deny(*arguments: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("builtins.open", deny)
    assert "no permission" in refused("a.yaml").message


@pytest.mark.skipif(not os.path.exists("/dev/zero"), reason="needs a device without end")
def test_a_device_without_end() -> None:
    found = refused("/dev/zero")
    assert found.code == "TD007"


def test_size(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(b"#" * LIMIT)
    assert read(path)[0] is not None
    path.write_bytes(b"#" * (3 * LIMIT))
    found = refused(path)
    assert found.code == "TD007" and "12.6 MB" in found.message


@pytest.mark.parametrize(
    ("data", "words", "place"),
    [
        (b"a: na\xefve\n", "byte 6 is 0xef", (1, 6)),
        ("é: 1\nb: ".encode() + b"\x96\n", "byte 10 is 0x96", (2, 4)),
        (b"\xef\xbb\xbfa: \xff\n", "byte 7 is 0xff", (1, 4)),
        ("a: –".encode()[:-1], "byte 4 is 0xe2", (1, 4)),
    ],
)
def test_another_encoding_is_shown(tmp_path: Path, data: bytes, words: str, place: tuple[int, int]) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(data)
    found = refused(path)
    assert found.code == "TD001" and words in found.message
    assert found.span is not None and tuple(found.span.first) == place


@pytest.mark.parametrize("data", [b"\x89PNG\r\n\x1a\n\0\0", b"a: 1\n\0", b"\xef\xbb\xbf\0", b"PK\x03\x04\x14\0\x08"])
def test_binary_files(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(data)
    found = refused(path)
    assert found.code == "TD001" and "binary" in found.message and found.span is None


def test_utf_16_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes("a: 1".encode("utf-16"))
    assert "UTF-16" in refused(path).message
