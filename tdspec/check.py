"""From a path, a text or a dict to a verdict: stages 1 to 6 in a row.

Nothing here raises on a user's mistake; everything ends in the report, sorted by place.
"""

from __future__ import annotations

import gc
from collections.abc import Iterable
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tdspec.report.finding import Finding, Report, Severity
from tdspec.text.read import read_source
from tdspec.text.source import Source

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tdspec.graph.graph import Graph
    from tdspec.language.compose import Read
    from tdspec.language.spec import Spec


@dataclass
class Checked:
    """A spec with everything that was found about it; `spec` and `graph` are None where errors forbid them."""

    report: Report
    spec: Spec | None = None
    graph: Graph | None = None

    @property
    def compiles(self) -> bool:
        """Whether there is a network: all errors, if there are any, are verdicts about one."""
        from tdspec.rules.engine import JUDGED

        errors = {item.code for item in self.report.findings if item.severity is Severity.ERROR}
        return self.spec is not None and errors <= JUDGED


def check_path(path: str, overrides: Iterable[str] = ()) -> Checked:
    """Check a file, or standard input for `-`."""
    report = Report(files=["<stdin>" if path == "-" else path])
    source = read_source(path, report)
    return check_source(source, overrides, report) if source is not None else Checked(report)


def check_text(text: str, name: str = "<string>", overrides: Iterable[str] = ()) -> Checked:
    """Check the text of a spec."""
    return check_source(Source(name, text), overrides, Report(files=[name]))


def check_dict(spec: dict[str, Any], overrides: Iterable[str] = ()) -> Checked:
    """Check a spec given as Python data; messages show it as YAML."""
    from tdspec.text.from_python import NotYaml, yaml_text

    try:
        text = yaml_text(spec)
    except NotYaml as error:
        from tdspec.report.codes import finding

        found = finding(error.code, error.message, where=error.where, file="<dict>", help=error.help)
        return Checked(Report([found], files=["<dict>"]))
    return check_text(text, "<dict>", overrides)


def check_source(source: Source, overrides: Iterable[str], report: Report, *, read: Read = read_source) -> Checked:
    """Check a text; `read` gives the sources of the specs that it extends."""
    with _no_garbage_collection():
        return _check(source, overrides, report, read)


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """A spec makes many small objects that all stay: collecting garbage meanwhile finds none."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _check(source: Source, overrides: Iterable[str], report: Report, read: Read) -> Checked:
    from tdspec.language.compose import extended, overridden
    from tdspec.language.instance import to_instance
    from tdspec.language.spec import allowances, build_spec
    from tdspec.language.validator import Reading, validate
    from tdspec.rules.engine import allow, merged
    from tdspec.text.yaml_node import Mapping
    from tdspec.text.yaml_tree import parse_yaml

    checked = Checked(report)
    tree = parse_yaml(source, report)
    if not isinstance(tree, Mapping):
        report.sort()
        return checked
    written, tree = tree, extended(tree, report, read=read)
    # Without the spec that it extends, nobody knows what a spec lacks.
    alone = any(item.code == "TD035" for item in report.findings) or (
        tree is written and tree.get("extends") is not None
    )
    tree = overridden(tree, overrides, report)
    reading = Reading()

    def time_rules() -> list[Finding]:
        """What the schema's keyword `timeRules` stands for."""
        from tdspec.graph.wire import wire
        from tdspec.language.images import check_images
        from tdspec.language.task_fits import check_task
        from tdspec.rules.engine import judge

        checked.spec = build_spec(tree, source, reading)
        if checked.spec is None:
            return []
        checked.graph, found = wire(checked.spec)
        found += [*check_images(checked.spec), *check_task(checked.spec)]
        return [*found, *judge(checked.spec, checked.graph)]

    found = list(validate(tree, to_instance(tree), reading, time_rules))
    if alone:
        found = [item for item in found if item.code != "TD023"]
    if checked.spec is not None:
        found, silenced = allow(found, allowances(tree))
        report.allowed = list(dict.fromkeys(silenced))
    report.extend(merged(found))
    report.sort()
    if not report.ok:
        checked.graph = None
    return checked
