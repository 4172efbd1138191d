"""From a spec to a module."""

from __future__ import annotations

from tdspec.backend.network import Network
from tdspec.graph.wire import wire
from tdspec.language.spec import Spec


def compile_spec(spec: Spec) -> Network:
    """The network of a spec that holds; the caller has checked it."""
    graph, findings = wire(spec)
    assert not [item for item in findings if item.severity.value == "error"], "compile an erroneous spec"
    return Network(graph, spec.text)
