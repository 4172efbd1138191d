"""Fixes, tried: a change of the text is offered or made only where checking the new text shows that it helps.

A `Workspace` holds the texts of the files that were named; fixes change these texts and no others, in
memory, until they are written. A fix holds if, with it, the finding is gone and the file stands better,
and every other named file that reads the changed one no worse.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from time import monotonic

from tdspec.check import check_source
from tdspec.report.finding import Finding, Report, Severity
from tdspec.report.fix import FIXES, Fix, edited
from tdspec.report.standing import helps, standing
from tdspec.text.read import STDIN, as_source, read_source
from tdspec.text.source import Source

PATIENCE = 2.0  # seconds for the offers of one file; a check takes some thousandths, but of a huge network seconds

Wanted = Callable[[Finding], bool]
Texts = Mapping[str, str]


@dataclass
class Read:
    """A check, with the sources of named files that it has read, by their real path."""

    report: Report
    sources: dict[str, Source]


class Workspace:
    """Files under check, and what fixes have made of them.

    paths     the files that may be changed, `-` for standard input
    settings  `--set` of the command line; a fix holds with and without them
    """

    def __init__(self, paths: Iterable[str], settings: Iterable[str] = ()) -> None:
        self.paths = tuple(paths)
        self.settings = tuple(settings)
        self.written: dict[str, str] = {}
        self.texts: dict[str, str] = {}
        self.fixed: Counter[str] = Counter()
        self._names = {_key(path): path for path in self.paths}
        self._last: dict[tuple[str, tuple[str, ...]], Read] = {}

    # ------------------------------------------------------------ checking

    def check(self, path: str) -> Report:
        """The verdict on a file as its text now stands."""
        return self._check(path, self.settings, self.texts).report

    def _check(self, path: str, settings: tuple[str, ...], texts: Texts) -> Read:
        last = self._last.get((path, settings))
        if last is not None and all(texts.get(key) == source.written for key, source in last.sources.items()):
            return last
        sources: dict[str, Source] = {}

        def read(path: str, report: Report) -> Source | None:
            key = _key(path)
            if key in texts:
                source: Source | None = as_source("<stdin>" if path == STDIN else path, texts[key])
            else:
                source = read_source(path, report)
                if source is not None and key in self._names:
                    self.written[key] = self.texts[key] = source.written
            if source is not None and key in self._names:
                sources[key] = source
            return source

        report = Report(files=["<stdin>" if path == STDIN else path])
        try:
            source = read(path, report)
            if source is not None:
                check_source(source, settings, report, read=read)
        except Exception as error:
            error.add_note(f"while checking {path}")
            raise
        found = Read(report, sources)
        if texts is self.texts:
            self._last[path, settings] = found
        return found

    # ------------------------------------------------------------ fixing

    def offer(self, path: str, wanted: Wanted) -> Report:
        """The report of a file, with the wanted findings' fixes offered where they hold."""
        report = self.check(path)
        end = monotonic() + PATIENCE
        for index, item in enumerate(report.findings):
            if item.fix is not None and wanted(item) and self.tried(path, item) is not None:
                report.findings[index] = replace(item, offered=True)
            if monotonic() > end:
                break
        return report

    def fix(self, wanted: Wanted, *, unsafe: bool = False) -> None:
        """Make every wanted fix that holds, in every file, until none is left.

        Each makes its file stand better, so this ends; and where it ends, none of them holds, so that
        doing it again changes nothing.
        """

        def may(item: Finding) -> bool:
            return wanted(item) and (unsafe or FIXES[item.code] == "safe")

        while any(self._fix(path, may) for path in self.paths):
            pass

    def _fix(self, path: str, may: Wanted) -> bool:
        """One way through the findings of a file; whether anything was changed."""
        refused: set[tuple[str, str, int]] = set()
        changed = False
        while True:
            for number, item in _numbered(self.check(path)):
                if item.fix is None or number in refused or not may(item):
                    continue
                texts = self.tried(path, item)
                if texts is None:
                    refused.add(number)
                    continue
                self.texts = texts
                self.fixed[path] += 1
                changed = True
                break
            else:
                return changed

    def tried(self, path: str, item: Finding) -> dict[str, str] | None:
        """The texts with the fix of a finding in a file made, if it holds."""
        assert item.fix is not None
        edits = _changed(item.fix, self._check(path, self.settings, self.texts).sources)
        if not edits:
            return None
        views = [(other, settings) for other in self.paths for settings in {self.settings, ()}]
        before = {view: self._check(*view, self.texts) for view in views}
        texts = {**self.texts, **edits}
        for view, old in before.items():
            if not edits.keys() & old.sources.keys():
                continue
            was, now = old.report, self._check(*view, texts).report
            own = view == (path, self.settings)
            if standing(now) > standing(was) or (own and not helps(was, now, item.code)):
                return None
        return texts

    # ------------------------------------------------------------ results

    def changes(self) -> Iterator[tuple[str, str, str]]:
        """Every file that was changed: its path, its text before and its text now."""
        for key, text in self.texts.items():
            if text != self.written[key]:
                yield self._names[key], self.written[key], text

    def write(self) -> None:
        """Write the files that were changed."""
        for path, _, text in self.changes():
            if path != STDIN:
                with open(path, "wb") as file:
                    file.write(text.encode("utf-8"))


def _key(path: str) -> str:
    return STDIN if path == STDIN else os.path.realpath(path)


def _changed(fix: Fix, sources: Mapping[str, Source]) -> dict[str, str]:
    """The new texts of the files that a fix changes; none if one of them was not named, or is no file."""
    texts = {}
    for key, source in sources.items():
        edits = [edit for edit in fix.edits if edit.span.source is source]
        if edits:
            texts[key] = edited(source, edits)
    known = all(any(edit.span.source is source for source in sources.values()) for edit in fix.edits)
    return texts if known else {}


def _numbered(report: Report) -> Iterator[tuple[tuple[str, str, int], Finding]]:
    """Findings, errors first, with what tells them apart while places move: code, message, how many before."""
    seen: Counter[tuple[str, str]] = Counter()
    severities = list(Severity)
    for item in sorted(report.findings, key=lambda item: severities.index(item.severity)):
        kind = (item.code, item.message)
        yield (*kind, seen[kind]), item
        seen[kind] += 1
