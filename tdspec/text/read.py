"""Bytes to text: a spec file, or standard input, as a `Source`."""

from __future__ import annotations

import os
import re
import sys
from typing import IO, TYPE_CHECKING

from tdspec.report.codes import finding
from tdspec.text.source import Source, Span
from tdspec.text.suggest import nearest

if TYPE_CHECKING:
    from tdspec.report.finding import Report

LIMIT = 4 * 1024 * 1024
"""Greatest size of a spec, in bytes. The longest real ones have a few hundred lines."""

STDIN = "-"
BOM = b"\xef\xbb\xbf"
UTF16 = (b"\xff\xfe", b"\xfe\xff")

# Bytes that no text has: they tell an image or a checkpoint from a text in another encoding.
NOT_TEXT = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
LONE_RETURN = re.compile(r"\r(?!\n)")


def read_source(path: str, report: Report) -> Source | None:
    """The text of a file, or of standard input where `path` is `-`; None after a finding.

    UTF-8, with or without a byte order mark (which is dropped). Line ends may be LF, CRLF or CR.
    Reads no more than `LIMIT` bytes, so that a device or a huge file costs nothing.
    """
    name = "<stdin>" if path == STDIN else path
    try:
        if path == STDIN:
            data, size = _read(sys.stdin.buffer)
        else:
            with open(path, "rb") as file:
                data, size = _read(file)
    except (OSError, ValueError) as error:  # ValueError: a NUL or a lone surrogate in the path
        message, cure = _cannot_open(path, error)
        report.add(finding("TD001", message, file=name, help=cure))
        return None
    if size > LIMIT:
        found = f"{size / 1e6:.1f} MB" if size > LIMIT + 1 else "more"
        report.add(
            finding(
                "TD007",
                f"a spec has at most {LIMIT // 1024**2} MB; `{name}` has {found}",
                file=name,
                help="is this a data file? Give the path of the spec",
            )
        )
        return None
    return _decode(name, data, report)


def _read(file: IO[bytes]) -> tuple[bytes, int]:
    """At most `LIMIT` + 1 bytes, and the whole size as far as it is known."""
    data = file.read(LIMIT + 1)
    if len(data) <= LIMIT:
        return data, len(data)
    try:
        return data, max(os.fstat(file.fileno()).st_size, len(data))
    except (OSError, ValueError):
        return data, len(data)


def _cannot_open(path: str, error: Exception) -> tuple[str, str]:
    """Why a path cannot be read, and what to do."""
    if isinstance(error, IsADirectoryError):
        return f"`{path}` is a folder; a spec file was expected", "give one of the files in it"
    if isinstance(error, FileNotFoundError):
        if os.path.islink(path):
            return f"`{path}` is a link to `{os.readlink(path)}`, which is not there", "mend the link"
        folder, base = os.path.split(path)
        try:
            near = nearest(base, os.listdir(folder or "."))
        except (OSError, ValueError):
            return f"there is no file `{path}`: the folder `{folder}` cannot be read", ""
        cure = f"did you mean `{os.path.join(folder, near)}`?" if near else ""
        return f"there is no file `{path}`", cure
    if isinstance(error, PermissionError):
        return f"no permission to read `{path}`", "check the rights of the file and of its folders"
    if isinstance(error, OSError) and error.strerror:
        return f"`{path}` cannot be read: {error.strerror.lower()}", ""
    return f"{path!a} cannot be the name of a file: {error}", ""


def _decode(name: str, data: bytes, report: Report) -> Source | None:
    if data.startswith(UTF16):
        message = f"`{name}` is UTF-16 text; a spec is UTF-8"
        report.add(finding("TD001", message, file=name, help="save the file with the encoding UTF-8"))
        return None
    marked = len(BOM) if data.startswith(BOM) else 0
    body = data[marked:]
    strange = NOT_TEXT.search(body)
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        if strange is None:
            _report_encoding(name, body, marked, error, report)
            return None
    else:
        if strange is None or b"\0" not in body:
            return as_source(name, "\ufeff" + text if marked else text)
    assert strange is not None
    byte = f"byte {marked + strange.start() + 1} is 0x{strange[0].hex()}"
    message = f"`{name}` is a binary file, not UTF-8 text: {byte}"
    report.add(finding("TD001", message, file=name, help="give the path of the spec, a YAML text"))
    return None


def as_source(name: str, written: str) -> Source:
    """The source of a file's own text: without a byte order mark, with LF where a line ends in CR alone."""
    text = written.removeprefix("\ufeff")
    # One character for one: offsets stay those of the file.
    return Source(name, LONE_RETURN.sub("\n", text) if "\r" in text else text, written)


def _report_encoding(name: str, body: bytes, marked: int, error: UnicodeDecodeError, report: Report) -> None:
    """Text in some other encoding: show the line, with a replacement character where it breaks."""
    source = Source(name, body.decode("utf-8", errors="replace"))
    offset = len(body[: error.start].decode("utf-8"))
    report.add(
        finding(
            "TD001",
            f"the text is not UTF-8: byte {marked + error.start + 1} is 0x{body[error.start]:02x}",
            Span(source, offset, offset + 1),
            caption="this character has another encoding",
            help="save the file with the encoding UTF-8",
        )
    )
