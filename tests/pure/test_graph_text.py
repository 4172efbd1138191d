"""The graph's text form reads back; the drawing has every node."""

from __future__ import annotations

import re
from pathlib import Path

import networkx
import pytest

from tdspec.check import check_path, check_text
from tdspec.graph.graph import Graph
from tdspec.graph.mermaid import to_mermaid
from tdspec.graph.svg import to_svg
from tdspec.graph.text_form import print_graph, read_graph

SPECS = sorted((Path(__file__).parents[2] / "specs").rglob("*.yaml"))


def graph_of(path: Path) -> Graph:
    graph = check_path(str(path)).graph
    assert graph is not None
    return graph


def without_comments(text: str) -> str:
    return re.sub(r"  # .*", "", text)


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_text_reads_back(path: Path) -> None:
    text = without_comments(print_graph(graph_of(path)))
    again = read_graph(text)
    assert without_comments(print_graph(again)) == text


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_drawings_show_every_node(path: Path) -> None:
    graph = graph_of(path)
    mermaid, svg = to_mermaid(graph), to_svg(graph)
    for dotted, node in graph.walk():
        assert dotted.replace(".", "__") in mermaid
        if node.op is not None:
            assert f"<title>{dotted}</title>" in svg


def test_network_is_a_multigraph_with_ports() -> None:
    graph = graph_of(next(path for path in SPECS if path.stem == "node-cifar10"))
    network = graph["ode"].ode.field.network  # type: ignore[union-attr]
    assert isinstance(network, networkx.MultiDiGraph)
    assert networkx.is_directed_acyclic_graph(network)
    assert sorted(network.get_edge_data("t", "concat_conv_1")) == [1]


def test_x_plus_x_has_two_edges() -> None:
    from tdspec.check import check_text

    text = "tdspec: 1\nmodel:\n  input: [2, 4, 4]\n  steps: {both: {from: [input, input], do: [Add]}}\n  output: both\n"
    graph = check_text(text).graph
    assert graph is not None
    assert graph["body"].graph.network.number_of_edges("input", "both") == 2  # type: ignore[union-attr]


@pytest.mark.parametrize(("source", "relevant"), [("t", ("a", "t")), ("b", ("a", "b")), ("a", ("a",))])
def test_parts_that_reach_the_one_that_leaves(source: str, relevant: tuple[str, ...]) -> None:
    """Also a part whose node has another name: t is the solver's."""
    graph = check_text(f"""
tdspec: 1
time: none
model:
  input: [2, 4]
  ode:
    state: {{t: 2, a: 2, b: 2}}
    init: {{t: [], a: [], b: []}}
    read: a
    field:
      steps: {{da: {{from: {source}, do: [ConcatConv]}}, dt: {{from: t, do: [Conv]}}, db: {{from: b, do: [Conv]}}}}
      output: {{a: da, t: dt, b: db}}
""").graph
    assert graph is not None and graph["ode"].ode is not None
    assert graph["ode"].ode.relevant == tuple(sorted({"a", *relevant}))
