"""Pyramids of a U-Net in the language: what they become, and what is said where they do not fit."""

from __future__ import annotations

import pytest

from tdspec.check import check_text
from tdspec.graph.graph import Graph
from tdspec.report.finding import Finding, Severity

SPEC = """
tdspec: 1
time: {{argument: 1000*t, embed: [Sinusoid(8)–FC(32)]}}
blocks:
  Res: {{pipeline: [GN(1)–Act–Conv–Emb–GN(1)–Act–Conv], shortcut: [Conv1x1]}}
model:
  input: [3, 16, 16]
  unet:
    width: 8
    multipliers: {multipliers}
    blocks_per_level: 1
    block: Res
    down: [Conv(stride=2)]
    up: [Up–Conv]
    {pyramid}
  head: [GN(1)–Act–Conv(3)]
"""


def text(pyramid: str, multipliers: str = "[1, 2, 2]") -> str:
    return SPEC.format(pyramid=pyramid, multipliers=multipliers)


def unet(pyramid: str) -> Graph:
    checked = check_text(text(pyramid))
    assert checked.graph is not None, [item.message for item in checked.report.findings]
    found = checked.graph["unet"].graph
    assert found is not None
    return found


def errors(spec: str) -> list[Finding]:
    return [item for item in check_text(spec).report.findings if item.severity is Severity.ERROR]


def shapes(graph: Graph, part: str) -> list[str]:
    return [f"{node.name} {node.shape}" for node in graph if part in node.name]


def reads(graph: Graph, name: str) -> tuple[str, ...]:
    return graph[name].inputs


def test_a_residual_input_goes_on_as_the_sum() -> None:
    graph = unet("input_pyramid: {kind: residual, down: '[Conv(stride=2)]', scale: 1/sqrt(2)}")
    steps = ("conv_1", "add_1", "scale_1")
    sizes = {"down_0": "f32[B,8,8,8]", "down_1": "f32[B,16,4,4]"}
    assert shapes(graph, "pyramid") == [f"{level}_pyramid_{step} {sizes[level]}" for level in sizes for step in steps]
    assert reads(graph, "down_0_pyramid_conv_1") == ("input",)
    assert reads(graph, "down_0_pyramid_add_1") == ("down_0_pyramid_conv_1", "down_0_conv_1")
    assert reads(graph, "down_1_pyramid_conv_1") == ("down_0_pyramid_scale_1",) == reads(graph, "down_1_res_1")[:1]
    assert "down_0_pyramid_scale_1" in reads(graph, "up_1_concat_2"), "the sum is the skip"


def test_a_skip_input_goes_on_as_the_image() -> None:
    graph = unet("input_pyramid: {kind: skip, down: [Down(fir)], project: [Conv1x1]}")
    assert reads(graph, "down_1_pyramid_down_1") == ("down_0_pyramid_down_1",)
    assert shapes(graph, "pyramid_down") == ["down_0_pyramid_down_1 f32[B,3,8,8]", "down_1_pyramid_down_1 f32[B,3,4,4]"]
    assert reads(graph, "down_1_pyramid_add_1") == ("down_1_pyramid_project_conv_1", "down_1_conv_1")
    graph = unet("input_pyramid: {kind: skip, down: [Down], join: concat}")
    assert shapes(graph, "concat_1")[0] == "down_0_pyramid_concat_1 f32[B,11,8,8]"
    assert graph["down_1_conv_1"].shape is not None and graph["down_1_conv_1"].shape.channels == 16


def test_a_skip_output_leaves_the_levels_alone_and_is_what_leaves() -> None:
    graph = unet("output_pyramid: {kind: skip, up: [Up(fir)], project: [GN(1)–Act–Conv(5, init=zeros)]}")
    assert graph.output.name == "up_0_pyramid_add_1" and str(graph.output.shape) == "f32[B,5,16,16]"
    assert reads(graph, "up_0_pyramid_add_1") == ("up_0_pyramid_up_1", "up_0_pyramid_project_conv_1")
    assert reads(graph, "up_1_up_1") == ("up_1_res_2",)
    (weight,) = [weight for weight, _ in graph["up_0_pyramid_project_conv_1"].starts if not weight.bias]
    assert weight.role == "head"


def test_a_residual_output_goes_on_as_the_sum() -> None:
    graph = unet("output_pyramid: {kind: residual, start: [GN(1)–Act–Conv], up: [Up–Conv]}")
    assert reads(graph, "up_2_up_1") == ("up_2_res_2",)
    assert reads(graph, "up_1_pyramid_up_1") == ("up_2_pyramid_start_conv_1",)
    assert reads(graph, "up_1_up_1") == ("up_1_pyramid_add_1",) == reads(graph, "up_0_pyramid_up_1")
    assert graph.output.name == "up_0_pyramid_add_1" and str(graph.output.shape) == "f32[B,8,16,16]"


@pytest.mark.parametrize(
    ("pyramid", "code", "where", "help"),
    [
        ("input_pyramid: {kind: residual, down: [Down]}", "TD202", "input_pyramid.down", "the level's channels"),
        ("input_pyramid: {kind: residual, down: [Conv]}", "TD203", "input_pyramid.down", "halve the map"),
        ("input_pyramid: {kind: skip, down: [Down]}", "TD202", "input_pyramid.down", "`project: [Conv1x1]`"),
        ("input_pyramid: {kind: skip, down: [Down], project: [Conv1x1(4)]}", "TD202", "input_pyramid.project",
         "the level's channels"),
        ("output_pyramid: {kind: skip, up: [Up], project: [Conv]}", "TD202", "output_pyramid.project",
         "write the width"),
        ("output_pyramid: {kind: skip, up: [Up], project: '[Conv(3, stride=2)]'}", "TD203", "output_pyramid.project",
         "keep the size"),
        ("output_pyramid: {kind: skip, up: [Act], project: [Conv(3)]}", "TD203", "output_pyramid.up", "double the map"),
        ("output_pyramid: {kind: residual, up: [Up–Conv], start: [Conv], scale: 1/2}", "TD032", "output_pyramid.up",
         "1/sqrt(2)"),
        ("output_pyramid: {kind: residual, up: [Up–Conv]}", "TD023", "output_pyramid", "smallest level"),
        ("input_pyramid: {kind: residual, down: [Down–Convv]}", "TD030", "input_pyramid.down", "`Conv`"),
        ("input_pyramid: {kind: skip, down: [Down], scale: 2, join: concat}", "TD020", "input_pyramid", "belongs in"),
    ],
)  # fmt: skip
def test_what_does_not_fit(pyramid: str, code: str, where: str, help: str) -> None:
    (found,) = [item for item in errors(text(pyramid)) if item.code == code]
    assert found.where == f"model.unet.{where}" and found.span is not None and help in str(found.help), found


@pytest.mark.parametrize("key", ["input_pyramid: {kind: skip, down: [Down]", "output_pyramid: {kind: skip, up: [Up]"])
def test_one_level_has_no_pyramid(key: str) -> None:
    project = ", project: [Conv(8)]}"
    (found,) = errors(text(f"{key}{project}", "[1]"))
    assert found.code == "TD025" and "of one level" in found.message and "`multipliers` more levels" in str(found.help)


def test_blocks_of_a_pyramid_are_used_and_may_take_time() -> None:
    spec = text("input_pyramid: {kind: residual, down: [Down–Conv1x1–Step]}")
    spec = spec.replace("blocks:", "blocks:\n  Step: {pipeline: [Conv–Emb]}")
    checked = check_text(spec)
    assert not {"TD045", "TD107"} & {item.code for item in checked.report.findings} and checked.graph is not None
    paths = [path for path, _ in checked.graph.walk()]
    assert "unet.down_0_pyramid_step_1.emb_1" in paths
