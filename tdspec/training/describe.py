"""What a run folder says of its spec: text, findings, picture."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tdspec.language.spec import Spec
from tdspec.training.run_folder import RunFolder


def write_spec(folder: RunFolder, spec: Any) -> None:
    """`spec.resolved.yaml`; for a real spec also `spec.yaml`, `findings.json`, and `model.py` to read."""
    folder.write("spec.resolved.yaml", spec.text)
    if not isinstance(spec, Spec):
        return
    from tdspec.backend.emit import emit_source
    from tdspec.graph.wire import wire
    from tdspec.report.json_format import as_object
    from tdspec.rules.engine import allow, judge, merged

    graph, found = wire(spec)
    left, _ = allow([*found, *judge(spec, graph)], spec.allowances)
    folder.write("spec.yaml", spec.source.text)
    folder.write_json("findings.json", [as_object(item) for item in sorted(merged(left), key=lambda item: item.order)])
    folder.write("model.py", emit_source(spec, graph))


def drawing(spec: Any, shares: Mapping[str, float]) -> str:
    """The graph as SVG, its nodes coloured by their time share; empty for what is not a spec."""
    if not isinstance(spec, Spec):
        return ""
    from tdspec.graph.svg import to_svg
    from tdspec.graph.wire import wire

    return to_svg(wire(spec)[0], shares)
