"""What a spec means: defaults, blocks, wired steps, ODEs, allowances, and the messages about them."""

from __future__ import annotations

import random
import re
from math import log
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

import tdspec
from tdspec.check import Checked, check_dict, check_text
from tdspec.graph.graph import Graph, Node
from tdspec.graph.text_form import print_graph
from tdspec.language.time_argument import time_argument
from tdspec.report.finding import Finding

HEAD = "tdspec: 1\nmodel:\n  input: [3, 16, 16]\n"


def checked(text: str) -> Checked:
    return check_text(text, "node.yaml")


def findings(text: str, code: str = "TD") -> list[Finding]:
    return [item for item in checked(text).report.findings if item.code.startswith(code)]


def only(text: str, code: str) -> Finding:
    (item,) = findings(text, code)
    return item


def graph(text: str) -> Graph:
    found = checked(text)
    assert found.graph is not None, [item.message for item in found.report.findings]
    return found.graph


def body(pipeline: str, before: str = "") -> Graph:
    """The graph of a model that is one pipeline."""
    inner = graph(f"{before}{HEAD}  pipeline: {pipeline}\n")["body"].graph
    assert inner is not None
    return inner


def drawn(found: Graph) -> str:
    """The graph's text without the places, which are no part of what it is."""
    return re.sub(r"  # .*", "", print_graph(found))


def arguments(node: Node) -> dict[str, Any]:
    assert node.site is not None
    return node.site.arguments


# ------------------------------------------------------------------ defaults


@pytest.mark.parametrize(
    ("written", "channels", "groups"),
    [
        ("{GN: {groups: 4}}", 64, 4),
        ("{GN: 8}", 64, 8),
        ("{GN: C}", 64, 64),
        ("{GN: C/4}", 64, 16),
        ('{GN: {groups: "min(C/4, 32)"}}', 64, 16),
        ('{GN: "min(C/4, 32)"}', 256, 32),
        ("{}", 64, 32),
    ],
)
def test_defaults_hold_for_every_use(written: str, channels: int, groups: int) -> None:
    found = body(f"[Conv({channels})–GN–Act–GN]", f"defaults: {written}\n")
    assert [arguments(node)["groups"] for node in found if node.title == "GN"] == [groups, groups]


def test_a_step_overrules_the_defaults() -> None:
    found = body("[Conv(64)–GN(2)–GN(groups=C/8)–GN]", "defaults: {GN: 4}\n")
    assert [arguments(node)["groups"] for node in found if node.title == "GN"] == [2, 8, 4]


def test_act_is_the_default_activation_wherever_it_is_named() -> None:
    found = graph(
        "defaults: {Act: GELU}\ntime: {embed: [Sinusoid(8)–FC(16)]}\n"
        + HEAD
        + "  stem: [Conv(8)]\n  ode: {field: [GN(1)–Act–Conv–Emb–GN(1)]}\n"
    )
    used = {
        (node.title, arguments(node).get("kind", arguments(node).get("act")))
        for _, node in found.walk()
        if node.title in ("Act", "Emb")
    }
    assert used == {("Act", "GELU"), ("Emb", "GELU")}


def test_defaults_name_what_they_do_not_know() -> None:
    text = HEAD + "  pipeline: [Conv(8)]\ndefaults: {GM: 4, GN: {group: 4}, Act: Relu, Conv: {bias: yes}}\n"
    said = {item.message: item.help for item in findings(text)}
    assert said == {
        "`defaults` has no key `GM`": "did you mean `GN`?",
        "`GN` has no key `group`": "did you mean `groups`?",
        "`Act` should be one of `ReLU`, `LeakyReLU`, `SiLU`, `ELU`, `Softplus`, `Sigmoid`, `Tanh`, `GELU`, "
        "found `Relu`": "did you mean `ReLU`?",
        "`bias` should be `true` or `false`, found `yes`": "write `true`; YAML 1.2 has no other words",
    }


# ------------------------------------------------------------------ numbers


def test_an_input_has_at_most_three_axes_of_positions() -> None:
    found = only("tdspec: 1\nmodel: {input: [1, 4, 4, 4, 4], pipeline: [Conv]}\n", "TD203")
    assert found.message == "`input` should have at most 3 axes of positions, found 4"
    assert not findings("tdspec: 1\nmodel: {input: [1, 4, 4, 4], pipeline: [Conv]}\n")


@pytest.mark.parametrize(
    ("text", "key"),
    [
        (HEAD + "  stem: [Conv]\n  ode: {t: [0, .nan], field: [ConcatConv]}\n", "t"),
        (HEAD + "  stem: [Conv]\n  ode: {field: [ConcatConv], solver: {rtol: .inf}}\n", "rtol"),
        (HEAD + "  pipeline: [Conv(4)]\ntrain: {epochs: 1, optimizer: {kind: sgd, lr: -.inf}}\n", "lr"),
        (HEAD + "  pipeline: [B]\nblocks: {B: {params: {a: .nan}, pipeline: [Scale(a)]}}\n", "a"),
        (HEAD + "  pipeline: [B]\nblocks: {B: {scale: .inf, residual: true, pipeline: [Conv]}}\n", "scale"),
        (HEAD + "  pipeline: [Conv(4)]\ntime: {embed: [Sinusoid(8)], argument: .nan}\n", "argument"),
    ],
)
def test_numbers_are_finite(text: str, key: str) -> None:
    found = only(text, "TD024")
    assert found.message.startswith(f"`{key}` should be a finite number, found `")
    assert not findings(text + "x-own: .nan\n", "TD020")


AFFINE = "`argument` should be affine in t, such as `1000*t` or `1 - t`"


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("1000*t/0", "`argument` divides by `0`, which is zero"),
        ("1000*C", "`argument` should be a number, found `C`"),
        ("1000", AFFINE),
        ("0*t", AFFINE),
        ("1/4*t", AFFINE),  # `/` floors
        ("t*t", AFFINE),
        ("1/t", AFFINE),
        ("log(t)", AFFINE),
        ("'max(t, -100)'", AFFINE),
        ("sigma", AFFINE),
        ("log(sigma*sigma)", AFFINE),
        ("log(log(sigma))", AFFINE),
        (
            "log(sigma + 1)",
            "`argument` should take the logarithm of a positive multiple of sigma, such as `log(sigma/2)`",
        ),
        ("log(-sigma)", "`argument` should take the logarithm of a positive multiple of sigma, such as `log(sigma/2)`"),
    ],
)
def test_the_embeddings_argument_is_affine_in_t(argument: str, message: str) -> None:
    text = f"time: {{argument: {argument}, embed: [Sinusoid(64)]}}\n{HEAD}  pipeline: [Conv(4)–Emb]\n"
    assert only(text, "TD032").message == message


@pytest.mark.parametrize(
    ("argument", "by", "start"),
    [("t", [], []), ("-2*t", [-2], []), ("t*(999 + 1)/4", [250], []), ("10/4*t", [2], []), ("1 - t", [-1], [1]),
     ("5 + t", [], [5]), ("(2*t - 1)/4.0 + t", [1.5], [-0.25])],
)  # fmt: skip
def test_the_embeddings_argument_scales_and_shifts_t(argument: str, by: list[float], start: list[float]) -> None:
    network = graph(f"time: {{argument: {argument}, embed: [Sinusoid(64)]}}\n{HEAD}  pipeline: [Conv(4)–Emb]\n")
    found: dict[str, list[object]] = {"Scale": [], "Shift": []}
    for _, node in network.walk():
        if node.title in found:
            found[node.title].append(arguments(node)["by"])
    assert found == {"Scale": by, "Shift": start}


@pytest.mark.parametrize(
    ("argument", "factor", "more"),
    [("log(sigma)", 1, 0), ("log(sigma/2)", 1, -log(2)), ("1 + log(3*sigma)/4", 0.25, 1 + log(3) / 4)],
)
@pytest.mark.parametrize(
    ("noise", "least", "most"), [("ve, sigma_min: 0.01, sigma_max: 50", 0.01, 50), ("edm", 0.002, 80)]
)
def test_log_sigma_is_affine_where_sigma_is_geometric(
    argument: str, factor: float, more: float, noise: str, least: float, most: float
) -> None:
    text = f"time: {{argument: {argument}, embed: [Fourier(64)]}}\n{HEAD}  pipeline: [Conv(4)–Emb–Conv(3)]\n"
    spec = check_text(f"tdspec: 1\n{text}task: {{kind: diffuse, noise: {{kind: {noise}}}}}\n").spec
    assert spec is not None
    found = time_argument(spec)
    for t in (0.0, 0.3, 1.0):
        assert found.at(t) == pytest.approx(factor * log(least * (most / least) ** t) + more)


@pytest.mark.parametrize("noise", ["", "noise: {kind: vp}", "noise: {kind: flow}"])
def test_sigma_needs_a_noise_whose_logarithm_is_affine(noise: str) -> None:
    text = f"time: {{argument: log(sigma)/4, embed: [Fourier(64)]}}\n{HEAD}  pipeline: [Conv(4)–Emb–Conv(3)]\n"
    found = only(f"{text}task: {{kind: diffuse, {noise}}}\n" if noise else text, "TD032")
    assert "`ve` and `edm` alone" in found.message and "noise: {kind: ve}" in str(found.help)
    assert found.span is not None and found.span.text == "log(sigma)"


def test_an_argument_without_an_embedding_is_refused() -> None:
    found = only(f"time: {{argument: 1000*t}}\n{HEAD}  pipeline: [Conv(4)]\n", "TD025")
    assert found.where == "time.argument" and "there is no `embed`" in found.message


# ------------------------------------------------------------------ keys that mean something together


@pytest.mark.parametrize(
    ("block", "code", "message", "first"),
    [
        ("{pipeline: [Conv], ode: {field: [Conv]}}", "TD025", "a block has either `pipeline` or `ode`", "pipeline"),
        (
            "{pipeline: [Conv], steps: {a: {do: [Conv]}}}",
            "TD025",
            "a block has either `pipeline` or `steps`",
            "pipeline",
        ),
        ("{ode: {field: [Conv]}, residual: true}", "TD025", "`residual` means nothing in a block with `ode`", "ode"),
        ("{ode: {field: [Conv]}, pre: [Act]}", "TD025", "`pre` means nothing in a block with `ode`", "ode"),
        ("{ode: {field: [Conv]}, params: {a: 1}}", "TD025", "`params` means nothing in a block with `ode`", "ode"),
        ("{ode: {field: [Conv]}, output: a}", "TD025", "`output` means nothing in a block with `ode`", "ode"),
        (
            "{steps: {a: {do: [Conv]}}, shortcut: [Conv]}",
            "TD025",
            "`shortcut` means nothing in a block with `s",
            "steps",
        ),
        ("{steps: {a: {do: [Conv]}}, scale: 2}", "TD025", "`scale` means nothing in a block with `steps`", "steps"),
        ("{pipeline: [Conv], output: a}", "TD025", "`output` means nothing in a block with `pipeline`", "pipeline"),
        ("{pipeline: [Conv], inputs: [a]}", "TD025", "`inputs` means nothing in a block with `pipeline`", "pipeline"),
        (
            "{pipeline: [Conv], scale: 2}",
            "TD025",
            "`scale` is a factor on a sum, but the block has neither",
            "pipeline",
        ),
        ("{residual: true}", "TD023", "the block `B` needs a `pipeline`, `steps`, an `ode` or a `unet`", ""),
        ("{inputs: [a, a], steps: {s: {from: a, do: [Conv]}}}", "TD039", "`a` is the name of two inputs", ""),
        ("{inputs: [a b], steps: {s: {from: a b, do: [Conv]}}}", "TD021", "`a b` should be a name", ""),
        ("{inputs: [], steps: {s: {do: [Conv]}}}", "TD024", "`inputs` should have at least one name", ""),
        ("{steps: {s: {from: [], do: [Conv]}}}", "TD043", "`s` reads nothing: `from` is empty", ""),
        ("{ode: {init: {h: [], g: []}, field: [Conv]}}", "TD040", "`init` names `g`, but the state has `h`", ""),
    ],
)
def test_a_key_of_a_block_that_would_mean_nothing_is_refused(block: str, code: str, message: str, first: str) -> None:
    found = findings(f"time: none\nblocks: {{B: {block}}}\n{HEAD}  pipeline: [B]\n", code)
    assert found[0].message.startswith(message)
    if first:
        (label,) = found[0].labels
        assert label.text == f"`{first}` stands here" and label.span.text == first
        assert found[0].span is not None and f"`{found[0].span.text}`" in message


@pytest.mark.parametrize("block", ["{ode: {field: [Conv]}}", "{pre: [Conv]}", "{pipeline: [Conv], residual: false}"])
def test_keys_that_change_nothing_are_borne(block: str) -> None:
    assert not findings(f"time: none\nblocks: {{B: {block}}}\n{HEAD}  pipeline: [B]\n")


@pytest.mark.parametrize(("use", "code"), [("B(8)", "TD033"), ("B(out=8)", "TD031")])
def test_an_ode_as_a_block_takes_no_argument(use: str, code: str) -> None:
    text = f"time: none\nblocks: {{B: {{ode: {{field: [Conv]}}}}}}\n{HEAD}  pipeline: ['{use}']\n"
    assert "the block `B`" in only(text.replace("['", "'[").replace("']", "]'"), code).message


def test_a_models_output_belongs_to_its_steps() -> None:
    found = only(f"{HEAD}  pipeline: [Conv]\n  output: conv\n", "TD025")
    assert found.message == "`output` means nothing in a model with `pipeline`"


# ------------------------------------------------------------------ names


@pytest.mark.parametrize(
    ("blocks", "message"),
    [
        ("B: {params: {C: 2}, pipeline: [Conv(C)]}", "`C` is the channels that enter a step; a parameter cannot"),
        ("B: {params: {in: 2}, pipeline: [Conv(in)]}", "`in` is the channels that enter the block; a parameter"),
        ("B: {inputs: [a], steps: {a: {from: a, do: [Conv]}}}", "`a` is the name of an input; a step cannot have it"),
        ("Conv: {pipeline: [FC]}", "`Conv` is an op; a block cannot have its name"),
    ],
)
def test_a_name_that_is_taken_is_refused(blocks: str, message: str) -> None:
    text = f"{HEAD}  pipeline: [{blocks.split(':')[0]}]\nblocks:\n  {blocks}\n"
    found = findings(text, "TD039")
    assert [item.message.startswith(message) for item in found] == [True]
    assert found[0].span is not None and found[0].span.text == message.split("`")[1]


# ------------------------------------------------------------------ blocks

BLOCKS = """\
blocks:
  Shrink:
    params: {stride: 1, width: null}
    pre: [BN–Act]
    pipeline: [Conv(width, stride=stride)–BN–Act–Conv(out)]
    shortcut: [Conv1x1(out, stride=stride, bias=false)]
"""


def test_a_block_takes_out_first_and_its_parameters_by_name() -> None:
    found = body("[Conv(8)–Shrink(16, stride=2, width=C/2)–Shrink(out=32, width=4, stride=2)]", BLOCKS)
    first, second = (node.graph for node in found if node.kind == "block")
    assert first is not None and second is not None
    assert [str(first[name].shape) for name in ("conv_1", "conv_2")] == ["f32[B,4,8,8]", "f32[B,16,8,8]"]
    assert [str(second[name].shape) for name in ("conv_1", "conv_2")] == ["f32[B,4,4,4]", "f32[B,32,4,4]"]
    assert arguments(first["shortcut_conv_1"]) | {"stride": 2, "bias": False} == arguments(first["shortcut_conv_1"])


def test_a_shortcut_stands_only_where_shapes_differ() -> None:
    found = body("[Conv(16)–Shrink(width=8)–Shrink(width=8, stride=2)–Shrink(32, width=8)]", BLOCKS)
    uses = [node.graph for node in found if node.kind == "block"]
    assert [use is not None and "shortcut_conv_1" in use.nodes for use in uses] == [False, True, True]
    same, _, wider = uses
    assert same is not None and wider is not None
    # Where shapes agree, what enters the block is added; where not, both branches read what `pre` made.
    assert same["add_1"].inputs == ("input", "conv_2")
    assert wider["shortcut_conv_1"].inputs == wider["conv_1"].inputs == ("act_1",)


@pytest.mark.parametrize(("key", "factor"), [("", None), (", scale: 0.5", 0.5), (", scale: C*0.5", 8)])
def test_residual_and_scale(key: str, factor: float | None) -> None:
    blocks = f"blocks: {{Res: {{pipeline: [Conv], residual: true{key}}}}}\n"
    inner = body("[Conv(16)–Res]", blocks)["res_1"].graph
    assert inner is not None
    assert inner["add_1"].inputs == ("input", "conv_1")
    if factor is None:
        assert inner.output.name == "add_1"
    else:
        assert inner.output.inputs == ("add_1",) and arguments(inner.output)["by"] == pytest.approx(factor)


def test_the_first_convolution_of_a_block_goes_to_its_width() -> None:
    inner = body("[Conv(8)–Two(24)]", "blocks: {Two: {pipeline: [GN(1)–Conv–Act–Conv]}}\n")["two_1"].graph
    assert inner is not None
    assert [str(inner[name].shape) for name in ("gn_1", "conv_1", "conv_2")] == [
        "f32[B,8,16,16]", "f32[B,24,16,16]", "f32[B,24,16,16]",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("use", "code", "message", "help_"),
    [
        ("Shrink(16, strides=2, width=4)", "TD031", "has no argument `strides`", "did you mean `stride`?"),
        ("Shrink(16)", "TD033", "the block `Shrink` needs `width`", ""),
        ("Shrink(16, 2, 4)", "TD033", "takes `out` by position", "write `stride=2` or `width=2`"),
        ("Shrink(16, 1, 4, 5)", "TD033", "takes 3 arguments, found 4", ""),
        ("Shrink(16, out=8, width=4)", "TD033", "`out` is given twice", ""),
        ("Shrink(0, width=4)", "TD032", "`out` of the block `Shrink` should be a whole number above 0, found 0", ""),
        ("Shrink3x3(16, width=4)", "TD033", "the block `Shrink` takes no kernel suffix", ""),
        ("Shirnk(16, width=4)", "TD030", "there is no op and no block `Shirnk`", "did you mean `Shrink`?"),
        ("Conv(widht)", "TD032", "`out` of `Conv`", ""),
    ],
)
def test_a_use_that_does_not_fit(use: str, code: str, message: str, help_: str) -> None:
    item = only(f"{BLOCKS}{HEAD}  pipeline: [Conv(8)–{use}]\n", code)
    assert message in item.message and help_ in item.help
    assert item.span is not None and item.span.first.line == 10


def test_a_block_within_itself() -> None:
    blocks = "blocks: {A: {pipeline: [Conv–B]}, B: {pipeline: [A]}}\n"
    assert "`A` – `B` – `A`" in only(f"{blocks}{HEAD}  pipeline: [A]\n", "TD034").message


def test_a_block_cannot_hide_an_op() -> None:
    assert only(f"blocks: {{Conv: {{pipeline: [GN]}}}}\n{HEAD}  pipeline: [GN(1)]\n", "TD039").help


# ------------------------------------------------------------------ wired steps

WIRED = {
    "wide": "{from: input, do: [Conv(8)–GN(2)]}",
    "thin": "{from: input, do: [Conv1x1(8)]}",
    "sum": "{from: [wide, thin], do: [Add]}",
    "both": "{from: [sum, input], do: [Concat–Conv(8)]}",
    "out": "{from: [both, sum, thin], do: [Add–Act]}",
}


def wired(names: list[str]) -> str:
    steps = "".join(f"    {name}: {WIRED[name]}\n" for name in names)
    return f"{HEAD}  steps:\n{steps}  output: out\n"


@given(st.permutations(list(WIRED)))
def test_the_order_of_wired_steps_means_nothing(names: list[str]) -> None:
    assert drawn(graph(wired(names))) == drawn(graph(wired(list(WIRED))))


def test_a_wired_step_reads_its_inputs_in_order() -> None:
    inner = graph(wired(list(WIRED)))["body"].graph
    assert inner is not None
    assert inner["both_concat_1"].inputs == (inner["out_add_1"].inputs[1], "input")
    assert str(inner["both_concat_1"].shape) == "f32[B,11,16,16]"
    assert len(inner["out_add_1"].inputs) == 3


def test_a_wired_block_has_named_inputs() -> None:
    blocks = "blocks: {Join: {inputs: [a, b], steps: {s: {from: [a, b], do: [Add]}}, output: s}}\n"
    steps = "  steps: {p: {do: [Conv(4)]}, q: {do: [Conv1x1(4)]}, r: {from: [p, q], do: [Join]}}\n  output: r\n"
    inner = graph(blocks + HEAD + steps)["body"].graph
    assert inner is not None and inner["r"].inputs == ("p", "q")
    item = only(f"{blocks}{HEAD}  pipeline: [Join]\n", "TD043")
    assert item.message == "the block `Join` takes 2 inputs, but gets 1"


@pytest.mark.parametrize(
    ("steps", "code", "message"),
    [
        ("{a: {from: b, do: [Act]}, b: {from: a, do: [Act]}}, output: a", "TD041", "`a` <- `b`"),
        ("{a: {from: inputs, do: [Act]}}, output: a", "TD040", "`a` reads `inputs`"),
        ("{a: {do: [Act]}}, output: b", "TD040", "`output` names `b`"),
        ("{a: {do: [Act]}, b: {do: [Act]}}, output: b", "TD044", "nothing reads the step `a`"),
        ("{a: {do: [Conv(4)]}, b: {from: [a, input], do: [Add]}}, output: b", "TD202", "differ"),
        ("{a: {from: [input, input], do: [Act]}}, output: a", "TD043", "`Act` takes 1 input, but gets 2"),
    ],
)
def test_wired_steps_that_do_not_fit(steps: str, code: str, message: str) -> None:
    text = "tdspec: 1\nmodel: {input: [3, 16, 16], steps: " + steps + "}\n"
    assert message in only(text, code).message


# ------------------------------------------------------------------ ODEs

FIELD = "[GN(1)–Act–ConcatConv–PosEmb–GN(1)]"


def test_odes_are_steps_of_any_pipeline() -> None:
    blocks = f"blocks: {{Flow: {{ode: {{field: {FIELD}, t: [0, 2], solver: {{method: rk4, steps: 4}}}}}}}}\n"
    found = body("[Conv(8)–Flow–Conv(16, stride=2)–Flow*2–GAP–FC(10)]", blocks)
    odes = [node for node in found if node.ode is not None]
    assert [node.name for node in odes] == ["flow_1", "flow_2", "flow_3"]
    assert [str(node.shape) for node in odes] == ["f32[B,8,16,16]", "f32[B,16,8,8]", "f32[B,16,8,8]"]
    assert all(node.ode is not None and node.ode.t == (0, 2) and node.ode.solver.steps == 4 for node in odes)


STATE = """\
time: {}
model:
  input: [3, 16, 16]
  ode:
    state: {h: 4, m: 4}
    init: {h: [Conv(4)], m: [Conv1x1(4)–Tanh]}
    field:
      steps:
        dh: {from: m, do: [Scale(-1)]}
        dm: {from: h, do: [ConcatConv–PosEmb]}
      output: {h: dh, m: dm}
    read: m
tdspec: 1
"""


def test_a_state_is_a_named_tuple() -> None:
    node = graph(STATE)["ode"]
    assert node.ode is not None and node.ode.init is not None
    assert (node.ode.parts, node.ode.read, str(node.shape)) == (("h", "m"), "m", "f32[B,4,16,16]")
    assert node.ode.init.outputs == {"h": "h_conv_1", "m": "m_tanh_1"}
    field = node.ode.field
    assert [entry.name for entry in field.inputs] == ["h", "m", "t"]
    assert (field[field.outputs["h"]].inputs, field["dm_concat_conv_1"].inputs) == (("m",), ("h", "t"))


@pytest.mark.parametrize(
    ("old", "new", "code", "message"),
    [
        ("m: 4}", "m: 6}", "TD202", "`m` is declared with 6 channels, but starts with 4"),
        ("    read: m\n", "", "TD023", "`ode` needs `read`"),
        ("read: m", "read: n", "TD040", "`read` names `n`, but the state has `h`, `m`"),
        (", m: [Conv1x1(4)–Tanh]", "", "TD023", "`init` needs `m`"),
        ("[Scale(-1)]", "[Conv(5)]", "TD204", "the field of `h` gives f32[B,5,16,16]"),
        ("{h: dh, m: dm}", "{h: dh}", "TD040", "wired steps need an `output`"),
    ],
)
def test_a_state_that_does_not_fit(old: str, new: str, code: str, message: str) -> None:
    assert message in only(STATE.replace(old, new), code).message


# ------------------------------------------------------------------ the same text in other clothes


def clothes(pipeline: str) -> list[str]:
    hyphens = pipeline.replace("–", "-")
    return [
        pipeline,
        hyphens,
        f"'{pipeline}'",
        f'"{hyphens}"',
        pipeline.replace("–", " – "),
        hyphens.replace("-", " - "),
    ]


@pytest.mark.parametrize("form", range(6))
def test_dashes_quotes_and_blanks_mean_the_same(form: int) -> None:
    pipeline = "[GN(2)–Act–ConcatConv3x3(C, position=last)–PosEmb–GN(groups=C/4)]"
    texts = [f"{HEAD}  stem: [Conv(8)]\n  ode: {{field: {found}}}\n" for found in clothes(pipeline)]
    assert drawn(graph(texts[form])) == drawn(graph(texts[0]))


def test_a_dict_is_a_spec() -> None:
    text = f"{HEAD}  stem: [Conv(8, stride=2)–GN(1)]\n  ode: {{field: {FIELD}}}\n"
    split = yaml.safe_load(text)  # YAML 1.1 reads the pipeline as a list, split at its comma
    assert split["model"]["stem"] == ["Conv(8", "stride=2)–GN(1)"]
    whole = {**split, "model": {**split["model"], "stem": "[Conv(8, stride=2)–GN(1)]"}}
    for spec in (split, whole):
        found = check_dict(spec)
        assert found.graph is not None
        assert drawn(found.graph) == drawn(graph(text))


def holding(value: Any) -> dict[Any, Any]:
    return {"tdspec": 1, "model": {"input": [3, 8, 8], "pipeline": "[Conv(8)]"}, "train": {"epochs": value}}


LOOP: dict[Any, Any] = holding(1)
LOOP["train"]["loop"] = LOOP
CHAIN: list[Any] = []
CHAIN.append(CHAIN)


@pytest.mark.parametrize(
    ("spec", "code", "message"),
    [
        (holding({1}), "TD008", "`train.epochs` is a set, which cannot stand in a spec"),
        (holding(b"3"), "TD008", "`train.epochs` is a bytes, which cannot stand in a spec"),
        (holding([1, Path("a")]), "TD008", "`train.epochs.1` is a pathlib."),
        (holding({(1, 2): 3}), "TD008", "a key of `train.epochs` is a tuple, but should be text"),
        ({b"tdspec": 1}, "TD008", "a key of the spec is a bytes, but should be text"),
        (LOOP, "TD004", "a spec nests at most 100 levels deep, but this dict goes on"),
        (holding(CHAIN), "TD004", "a spec nests at most 100 levels deep, but this dict goes on"),
        (holding(float("nan")), "TD024", "`epochs` should be a finite number, found `.nan`"),
        (holding({1: 2}), "TD021", "`epochs` should be a whole number, found a mapping"),
        ({**holding(1), 3: 4}, "TD020", "a spec has no section `3`"),
        ({**holding(1), True: 4}, "TD020", "a spec has no section `true`"),
        (holding("\ud800"), "TD002", ""),
        ({}, "TD023", "the spec needs `tdspec`"),
    ],
    ids=repr,
)
def test_a_dict_that_is_no_spec_is_reported(spec: dict[Any, Any], code: str, message: str) -> None:
    report = tdspec.validate(spec)
    assert any(item.code == code and item.message.startswith(message) for item in report.findings), report.findings
    with pytest.raises(tdspec.SpecError) as caught:
        tdspec.compile(spec)
    assert code in str(caught.value)


@pytest.mark.parametrize("spec", [None, 42, ["tdspec: 1"], b"tdspec: 1\n"])
def test_what_is_neither_path_text_nor_dict_is_refused(spec: Any) -> None:
    for take in (tdspec.validate, tdspec.load, tdspec.compile, tdspec.train):
        with pytest.raises(TypeError, match=f"a path, the text of a spec, or a dict; found {type(spec).__name__}"):
            take(spec)


def test_one_setting_may_stand_alone() -> None:
    assert tdspec.load(f"{HEAD}  pipeline: [Conv(8)]\n", overrides="name=other").name == "other"


def test_a_mistake_in_a_dict_is_shown_as_yaml() -> None:
    report = tdspec.validate({"tdspec": 1, "model": {"input": [3, 8, 8], "pipeline": "[Conv(8)–Gn]"}})
    (item,) = report.findings
    assert (item.code, item.path) == ("TD030", "<dict>")
    assert item.span is not None and item.span.text == "Gn"


def test_keys_of_the_user_are_left_alone() -> None:
    text = """\
x-note: anything, {of: [any, shape]}
tdspec: 1
defaults: {x-a: 1, GN: {x-b: 2, groups: 1}}
blocks: {x-c: text, Res: {x-d: [1], pipeline: [Conv]}}
model: {input: [3, 8, 8], x-e: {}, steps: {x-f: 1, a: {x-g: null, do: [Res–GN]}}, output: a}
train: {epochs: 1, optimizer: {kind: adam, lr: 1e-3, x-h: 0}}
allow: {x-i: 3}
"""
    text = text.replace("x-note: anything, {of: [any, shape]}", "x-note: {of: [any, shape]}")
    assert findings(text) == []
    assert len(graph(text).nodes) == 2


# ------------------------------------------------------------------ allowances

ERASED = """\
tdspec: 1
{root}
model:
  {model}
  input: [3, 8, 8]
  stem: [Conv(8)]
  ode:
    {ode}
    field: [ConcatConv–BN]
"""


def with_allowance(**where: str) -> str:
    return ERASED.format(**{"root": "", "model": "", "ode": "", **where})


@pytest.mark.parametrize("scope", ["root", "model", "ode"])
@pytest.mark.parametrize("name", ["TD104", "td104", "batch-norm-in-ode"])
def test_an_allowance_holds_for_its_mapping(scope: str, name: str) -> None:
    if name == "td104":
        item = only(with_allowance(**{scope: f"allow: {{{name}: an ablation}}"}), "TD037")
        assert item.help == "did you mean `TD104`?"
        return
    report = checked(with_allowance(**{scope: f"allow: {{{name}: an ablation}}"})).report
    assert [(item.code, reason) for item, reason in report.allowed] == [("TD104", "an ablation")]
    assert not any(item.code in ("TD104", "TD037", "TD038") for item in report.findings)


def test_an_allowance_of_another_mapping_does_not_help() -> None:
    text = with_allowance(root="blocks: {Unused: {pipeline: [Conv], allow: {TD104: elsewhere}}}")
    assert {item.code for item in findings(text)} >= {"TD104", "TD038"}
    assert only(text, "TD038").message == "nothing below `blocks.Unused` needs the allowance of TD104"


def test_a_block_may_allow_what_an_ode_makes_of_it() -> None:
    text = with_allowance(root="blocks: {Norm: {pipeline: [BN], allow: {TD104: an ablation}}}")
    assert findings(text.replace("ConcatConv–BN", "ConcatConv–Norm"), "TD104") == []


@pytest.mark.parametrize(
    ("name", "message", "help_"),
    [
        ("TD999", "`allow` names no rule: `TD999`", ""),
        ("batch-norm-in-od", "`allow` names no rule: `batch-norm-in-od`", "did you mean `batch-norm-in-ode`?"),
        ("TD030", "TD030 (`unknown-op`) cannot be allowed", "mend"),
        ("channel-mismatch", "TD202 (`channel-mismatch`) cannot be allowed", "mend"),
    ],
)
def test_an_allowance_of_what_is_no_rule(name: str, message: str, help_: str) -> None:
    item = only(with_allowance(root=f"allow: {{{name}: why}}"), "TD037")
    assert item.message == message and help_ in item.help


def test_a_mistake_cannot_be_allowed() -> None:
    text = with_allowance(model="allow: {TD030: my op}").replace("ConcatConv", "ConcatConf")
    assert only(text, "TD030").help == "did you mean `ConcatConv`?"


@pytest.mark.parametrize("reason", ["", "''", "3", "[a]"])
def test_an_allowance_wants_a_reason(reason: str) -> None:
    item = only(with_allowance(ode=f"allow: {{TD104: {reason}}}"), "TD037")
    assert item.message == "`TD104` is allowed without a reason"
    assert findings(with_allowance(ode=f"allow: {{TD104: {reason}}}"), "TD104")


# ------------------------------------------------------------------ messages


def test_all_findings_of_a_file_come_in_one_pass_sorted_by_place() -> None:
    text = """\
tdspec: 1
nmae: typo
model:
  input: [3, 16]
  stem: [Conv(8, strid=2)–Gn–Act(Relu)–Conv(bias=no)]
  ode: {field: [GN(3)–ConcatConv–GN(3)], t: [0, 0], solver: {method: dopri, rtol: 0}}
  head: [GAP-FC(]
train: {epochs: 1.5, optimizer: {kind: sgd, lr: 0.1, momentum: 2}}
allow: {TD1: x}
"""
    found = findings(text)
    places = [(item.region.line, item.region.column) for item in found]
    assert places == sorted(places)
    assert [item.code for item in found] == [
        "TD020", "TD031", "TD030", "TD032", "TD032", "TD024", "TD022", "TD024", "TD016", "TD021", "TD024", "TD037",
    ]  # fmt: skip
    helps = {item.help for item in found}
    assert {f"did you mean `{word}`?" for word in ("name", "stride", "GN", "ReLU", "dopri5")} <= helps
    assert not any("invalid" in (item.message + item.help).lower() for item in found)


@pytest.mark.parametrize(
    ("text", "help_"),
    [
        ("tdspec: 1\nmodle: {}\n", "did you mean `model`?"),
        ("tdspec: 1\nmodel: {lr: 1}\n", "`lr` belongs in `train.optimizer`"),
        ("tdspec: 1\nrtol: 1\n", "`rtol` belongs in `model.ode.solver`"),
        ("tdspec: 1\nmodel: {foo: 1}\n", "keys of your own start with `x-`"),
    ],
)
def test_an_unknown_key_is_told_where_it_belongs(text: str, help_: str) -> None:
    assert help_ in findings(text, "TD020")[0].help


# ------------------------------------------------------------------ the drafts

DRAFTS = (Path(__file__).parents[2] / "docs" / "language-drafts.md").read_text(encoding="utf-8")


def drafts(kind: str) -> dict[str, str]:
    found = re.findall(r"^## (\w+\S*).*?```yaml (\w+)\n(.*?)```", DRAFTS, re.MULTILINE | re.DOTALL)
    return {name: text for name, marked, text in found if marked == kind}


def test_every_draft_is_marked() -> None:
    assert len(drafts("passes")) + len(drafts("paper")) == DRAFTS.count("```yaml") == 6


@pytest.mark.parametrize("name", drafts("passes"))
def test_a_draft_that_passes(name: str) -> None:
    assert [item.message for item in findings(drafts("passes")[name]) if item.severity.value == "error"] == []


@pytest.mark.parametrize("name", drafts("paper"))
def test_a_draft_on_paper_asks_only_for_additions(name: str) -> None:
    """It is YAML, its pipelines can be read, and what is amiss is that something is not there yet."""
    codes = {item.code for item in findings(drafts("paper")[name]) if item.severity.value == "error"}
    assert codes and codes <= {"TD016", "TD020", "TD030", "TD031", "TD032"}


# ------------------------------------------------------------------ shuffled keys


def shuffled(value: Any, chance: random.Random) -> Any:
    """The same data with the keys of every mapping in another order."""
    if isinstance(value, dict):
        keys = list(value)
        chance.shuffle(keys)
        return {key: shuffled(value[key], chance) for key in keys}
    return value


@pytest.mark.parametrize("seed", range(5))
def test_the_order_of_keys_means_nothing(seed: int) -> None:
    path = Path(__file__).parents[2] / "specs" / "node" / "node-cifar10.yaml"
    spec = tdspec.load(path)
    assert check_dict(yaml.safe_load(spec.text)).graph is not None
    other = check_dict(shuffled(yaml.safe_load(spec.text), random.Random(seed)))
    assert other.graph is not None and other.spec is not None
    assert drawn(other.graph) == drawn(graph(path.read_text(encoding="utf-8")))
    assert other.spec.hash == spec.hash


# ------------------------------------------------------------------ blocks that nothing uses

UNUSED = HEAD + "  pipeline: [Used]\nblocks:\n  Used: {pipeline: [Conv]}\n"


@pytest.mark.parametrize(
    ("block", "code", "word"),
    [
        ("{pipeline: [Cnov(3)]}", "TD030", "Cnov"),
        ("{pipeline: '[Conv(3, wiidth=2)]'}", "TD031", "wiidth"),
        ("{pre: [Act(Relu)], pipeline: [Conv]}", "TD032", "Relu"),
        ("{steps: {a: {do: [Conv], from: b}}}", "TD040", "b"),
        ("{ode: {field: [ConcatConv–Cnov]}}", "TD030", "Cnov"),
        ("{unet: {block: Ues, width: 4, multipliers: [1], down: [Conv], up: [Conv]}}", "TD030", "Ues"),
        ("{params: {a: null}, pipeline: [Conv(a)–Nothing(a)]}", "TD030", "Nothing"),
    ],
)
def test_a_block_without_use_is_checked_as_far_as_it_can_be(block: str, code: str, word: str) -> None:
    found = findings(f"{UNUSED}  Other: {block}\n")
    assert {item.code for item in found} == {"TD045", code}
    assert any(f"`{word}`" in item.message for item in found if item.code == code)


@pytest.mark.parametrize(
    "block",
    [
        "{pipeline: [Conv(C/4)–GN(out)–ConcatConv–Emb]}",  # depends on shapes and on there being a t
        "{params: {a: null}, pipeline: [Conv(a*out)–SelfAttn(heads=C/a)], scale: 1/C, shortcut: [Conv1x1]}",
        "{inputs: [a, b], steps: {s: {from: [a, b], do: [Mul]}}}",
        "{ode: {state: {h: 3, g: 5}, init: {h: [], g: [Conv(5)]}, read: h, field: {steps: {a: {from: h, do: [Act]},"
        " b: {from: g, do: [ConcatConv]}}, output: {h: a, g: b}}}}",
    ],
)
def test_what_needs_shapes_is_not_said_of_a_block_without_use(block: str) -> None:
    found = only(f"{UNUSED}  Other: {block}\n", "TD")
    assert found.code == "TD045" and found.span is not None and found.span.text == "Other"


def test_blocks_that_others_or_the_embedding_use_are_used() -> None:
    text = "time: {embed: [Start]}\n" + HEAD + "  pipeline: [A–Emb]\nblocks:\n"
    text += "  A: {pre: [B], pipeline: [Conv]}\n  B: {ode: {field: [C2–Emb]}}\n  C2: {pipeline: [Conv]}\n"
    assert not findings(text + "  Start: {pipeline: [Sinusoid(8)]}\n", "TD045")


def test_an_unknown_step_says_enough() -> None:
    assert [item.code for item in findings(UNUSED.replace("[Used]", "[Uesd]"))] == ["TD030"]


# ------------------------------------------------------------------ the words of a newcomer's mistakes


def test_keys_that_are_missing_are_named_together() -> None:
    (found,) = [item for item in findings(HEAD + "  unet: {width: 4}\n") if item.where == "model.unet"]
    assert found.message == "`unet` needs `block`, `multipliers`, `down` and `up`"
    assert [line.split("`")[1] for line in found.help.splitlines()] == ["block", "multipliers", "down", "up"]


@pytest.mark.parametrize("written", ["(1, 8, 8)", "1, 8, 8", "1x8x8", "'[1, 8, 8]'"])
def test_an_input_that_is_text(written: str) -> None:
    assert only(f"tdspec: 1\nmodel:\n  input: {written}\n  pipeline: [Conv]\n", "TD021").help == "write `[1, 8, 8]`"


@pytest.mark.parametrize(
    ("step", "written"),
    [
        ("Conv(8, kernel=5)", "`Conv5x5(8)`"),
        ("Conv(kernel_size=1)", "`Conv1x1`"),
        ("Conv(8, kernel=C, stride=2)", "`Conv3x3(8, stride=2)`"),
        ("MaxPool(kernel=2)", "`MaxPool2x2`"),
    ],
)
def test_a_kernel_given_as_an_argument(step: str, written: str) -> None:
    found = only(f"{HEAD}  pipeline: '[{step}]'\n", "TD031")
    assert found.help == f"the kernel is a suffix: {written}"


@pytest.mark.parametrize(
    ("field", "step", "help_"),
    [
        ("Conv(8, 3)–Act–ConcatConv(8)–GN(1)", "Conv(8, 3)", "the kernel is a suffix: `Conv3x3(8)`"),
        ("ConcatConv(8)–Act–Conv(4)–GN(1)", "Conv(4)", "keep the channels, and use no stride"),
        ("ConcatConv–Act–Conv(stride=2)–Conv(4)", "Conv(stride=2)", "keep the channels, and use no stride"),
        ("ConcatConv–Act–MaxPool", "MaxPool", "keep the channels, and use no stride"),
    ],
)
def test_the_step_that_changes_the_state_is_shown(field: str, step: str, help_: str) -> None:
    found = only(f"{HEAD}  stem: [Conv(8)]\n  ode: {{field: '[{field}]'}}\n", "TD204")
    assert found.span is not None and found.span.text == step and help_ in found.help


def test_a_correction_is_whole() -> None:
    steps = "–".join(f"Conv({width})" for width in range(10, 60))
    (found,) = findings(f"{HEAD}  pipeline: {steps}\n", "TD010")
    assert found.help == f"write `[{steps}]`"


def test_what_the_package_shows() -> None:
    assert set(dir(tdspec)) == {*tdspec.__all__, "__version__"}
    shown = repr(tdspec.validate(f"{HEAD}  pipeline: [Cnov]\n"))
    assert shown == "<Report of <string>; errors: 1, warnings: 0, notes: 0>"
