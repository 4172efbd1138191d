"""Verdicts about time, case by case: each row of the theory, by code."""

from __future__ import annotations

import pytest

from tdspec.check import check_text
from tdspec.report.finding import Severity

SPEC = """
tdspec: 1
{extra}
model:
  input: [16, 8, 8]
  ode:
    field: {field}
"""


def codes(field: str, extra: str = "", *, notes: bool = False) -> list[str]:
    report = check_text(SPEC.format(field=field, extra=extra)).report
    return sorted({item.code for item in report.findings if notes or item.severity is not Severity.NOTE})


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("[Conv–Emb–GN(1)]", []),
        ("[Conv–Emb–IN]", ["TD101"]),
        ("[Conv–Emb–GN(C)]", ["TD101"]),
        ("[Conv–Emb–GN(8)]", ["TD106"]),
        ("[Conv–Emb–BN]", ["TD104"]),
        ("[ConcatConv(pad_mode=circular)–IN]", ["TD101"]),
        ("[ConcatConv–IN]", ["TD103"]),
        ("[ConcatConv1x1–IN]", ["TD101"]),
        ("[Conv–PosEmb–IN]", []),
        ("[Conv–PosEmb–ChannelLN]", ["TD108"]),
        ("[Conv–Emb–PosEmb–ChannelLN]", ["TD108"]),
        ("[Conv–Emb–ChannelLN]", []),
        ("[Conv–Emb–Act–IN]", []),
        ("[Conv–Emb–RMSN]", []),
        ("[Conv–Gate(squash=Sigmoid)–IN]", ["TD116"]),
        ("[Conv–Gate–IN]", []),
        ("[IN–ScaleShift–Act–Conv]", []),
        ("[Conv–ScaleShift–IN]", []),
        ("[Conv–Emb–MaxPool3x3(stride=1, padding=1)–IN]", ["TD101"]),
        ("[Conv–Emb–Conv(pad_mode=reflect)–IN]", ["TD101"]),
        ("[Conv–Emb–Conv–IN]", ["TD103"]),
        ("[Conv–Emb–Up–Down–IN]", ["TD101"]),
        ("[Conv–Emb–GN(1)–IN]", ["TD101"]),
        ("[Conv–Emb–GN(2)–IN]", ["TD101"]),
        ("[ConcatConv–GN(2)–IN]", ["TD103"]),  # at the border, and but for eps
        ("[Conv–Emb–Dropout(0)–IN]", ["TD101"]),
        ("[Conv–Emb–BN–IN]", ["TD101", "TD104"]),
        ("[Conv]", ["TD107"]),
    ],
)
def test_pipelines(field: str, expected: list[str]) -> None:
    assert codes(field) == expected


def test_faint_is_said_but_for_eps() -> None:
    report = check_text(SPEC.format(field="[Conv–Emb–GN(2)–IN]", extra="")).report
    assert any("but for its eps" in item.message for item in report.findings)


def test_time_none_silences_the_family() -> None:
    assert codes("[Conv–Emb–IN]", "time: none") == []


def test_a_route_that_ends_beside_one_that_goes_on() -> None:
    extra = "blocks: {Res: {pipeline: [IN–Act–Conv], residual: true}}"
    assert codes("[Conv–Emb–Res]", extra) == ["TD102"]


def test_a_branch_that_is_cut_off_is_unused() -> None:
    field = """
      steps:
        timed: {from: h, do: [Conv–Emb]}
        both: {from: [h, timed], do: [Concat]}
        kept: {from: both, do: "[Split(2, take=0)]"}
      output: kept"""
    assert codes(field) == ["TD107"]


@pytest.mark.parametrize(
    ("extra", "expected"),
    [
        ("time: {embed: [Sinusoid(128)–FC(32)]}", ["TD112"]),
        ("time: {argument: 1000*t, embed: [Sinusoid(128)–FC(32)]}", []),
        ("time: {embed: '[Sinusoid(128, period=10)–FC(32)]'}", []),
    ],
)
def test_a_sinusoid_wants_a_range(extra: str, expected: list[str]) -> None:
    assert codes("[Conv–Emb–GN(1)]", extra) == expected


def test_features_that_move_are_counted_as_measured() -> None:
    # Over [0, 1] 22 of 128 features move by more than 0.1, over [0, 999] 118 without the end point.
    from math import cos, sin

    from tdspec.ops import OPS
    from tdspec.ops.op import Site
    from tdspec.ops.shape import Shape
    from tdspec.rules.td112_embedding_argument_too_small import moves

    op = OPS["Sinusoid"]
    assert op.frequencies is not None
    site = Site({**{param.name: param.default for param in op.params}, "dim": 128, "endpoint": False}, (Shape(1),))
    for high, expected in ((1, 22), (999, 118)):
        found = sum(moves(w, 0, high, wave) for w in op.frequencies(site) for wave in (sin, cos))
        assert found == expected


def test_bias_rules_follow_the_role() -> None:
    assert "TD109" in codes("[Conv–Emb–GN(1)]", notes=True)
    assert "TD109" not in codes("[Conv–Emb–GN(1)]", "init: {operand: {bias: zeros}}", notes=True)
    embed = "time: {argument: 1000*t, embed: [Sinusoid(16)–FC(32)]}\n"
    assert "TD110" in codes("[Conv–Emb–GN(1)]", embed + "init: {time: {bias: zeros}}", notes=True)
    assert "TD110" not in codes("[Conv–Emb–GN(1)]", embed, notes=True)


def test_dropout_in_an_adaptive_field() -> None:
    assert codes("[Conv–Emb–Dropout(0.1)–GN(1)]") == ["TD301"]


def test_a_finding_names_the_place_of_norm_and_source() -> None:
    text = SPEC.format(field="[Conv–Emb–IN]", extra="")
    (found,) = [item for item in check_text(text).report.findings if item.code == "TD101"]
    assert found.span is not None and found.span.text == "IN"
    assert [label.span.text for label in found.labels] == ["Emb"]


def test_an_allowance_holds_below_its_scope_and_no_further() -> None:
    text = """
tdspec: 1
model:
  input: [16, 8, 8]
  ode:
    field: [Conv–Emb–IN]
    allow: {time-erased: a control without time}
"""
    report = check_text(text).report
    assert [item.code for item in report.findings if item.severity is Severity.ERROR] == []
    assert [(item.code, reason) for item, reason in report.allowed] == [("TD101", "a control without time")]
    elsewhere = text.replace(
        "    allow: {time-erased: a control without time}\n", "train: {epochs: 1, allow: {TD101: no}}\n"
    )
    assert "TD101" in {item.code for item in check_text(elsewhere).report.findings}


def test_an_allowance_that_silences_nothing_is_reported() -> None:
    assert codes("[Conv–Emb–GN(1)]", "allow: {TD101: not needed}") == ["TD038"]


def test_a_norm_that_begins_a_block_is_judged_by_what_enters_it() -> None:
    extra = "blocks: {Tail: {pipeline: [GN(8)–Act–Conv]}}"
    assert codes("[Conv–Emb–Tail]", extra) == ["TD106"]


def test_a_classifier_must_end_in_classes() -> None:
    text = "tdspec: 1\nmodel: {input: [1, 8, 8], pipeline: [Conv(16)%s]}\ndata: {name: digits}\n"
    for end, expected in (("", ["TD206"]), ("–GAP", ["TD206"]), ("–GAP–FC", [])):
        found = check_text(text % end).report.findings
        assert [item.code for item in found] == expected, end


def wired(steps: str, output: str, more: str = "") -> str:
    return f"""
      steps: {{{steps}}}
      output: {output}{more}"""


def test_bn_beside_another_killer_does_not_hide_it() -> None:
    steps = """y: {from: h, do: "[ConcatConv(pad_mode=circular)]"}, a: {from: y, do: [IN]}, b: {from: y, do: [BN]},
               s: {from: [a, b], do: [Add]}"""
    report = check_text(SPEC.format(field=wired(steps, "s"), extra="allow: {TD104: on purpose}")).report
    assert "TD101" in {item.code for item in report.findings}


MODEL = """
tdspec: 1
{extra}
model:
  input: [16, 8, 8]
  pipeline: "[{pipeline}]"
"""
EMBED = 'time: {argument: 1000*t, embed: "[Sinusoid(8)–FC(8)]"}'


def model_codes(pipeline: str, extra: str = EMBED) -> list[str]:
    report = check_text(MODEL.format(pipeline=pipeline, extra=extra)).report
    return sorted({item.code for item in report.findings if item.severity is not Severity.NOTE})


@pytest.mark.parametrize(
    ("pipeline", "expected"),
    [
        ("Conv–Emb–Dropout(0.1)–IN–Conv", ["TD101"]),  # alive in training, erased in evaluation
        ("Conv–Emb–Dropout(0.1)–GN(1)–Conv", []),
        ("Conv–Emb–BN–Act–Conv", ["TD105"]),
        ("Conv–BN–Emb–GN(1)–Conv", []),
        ("Conv–Emb–Scale(0)–Conv", ["TD205"]),
        ("Conv–Emb–IN–AvgPool8x8–Conv1x1", ["TD101", "TD205"]),
        ("Conv–Emb–IN–Down(factor=8)–Conv1x1", ["TD101", "TD205"]),
        # Between a norm and the mean over what it has centred, steps that leave means over positions alone.
        ("Conv–Emb–Act–IN–Conv1x1–GAP–FC", ["TD205"]),
        ("Conv–Emb–Act–IN–Down–GAP–FC", ["TD205"]),
        ("Conv–Emb–Act–IN–Up–GAP–FC", ["TD205"]),
        ("Conv–Emb–Act–GN(C)–Scale(2)–Positions–GAP–FC", ["TD205"]),
        ("Conv–Emb–Act–GN(C)–Conv(pad_mode=circular)–GAP–FC", ["TD205"]),
        ("Conv–Emb–Act–IN–Conv–GAP–FC", []),
        ("Conv–Emb–Act–IN–Act–GAP–FC", []),
        ("Conv–Emb–Act–IN–Conv1x1(stride=2)–GAP–FC", []),
        ("Conv–Emb–Act–IN–Down(max)–GAP–FC", []),
        ("Conv–Emb–Act–IN–Emb–GAP–FC", []),
        ("Conv–Emb–PixelUnshuffle–IN–Act–PixelShuffle–Conv", ["TD101"]),
        ("Conv–Emb–PixelUnshuffle–PixelShuffle–IN–Act–Conv", ["TD101"]),
        ("Conv–PosEmb–PixelShuffle–ChannelLN–Conv", ["TD108"]),
        ("Conv–PosEmb–PixelUnshuffle–IN–Conv", []),
        ("Conv–Emb–PixelShuffle–IN–Conv", []),
    ],
)
def test_models_with_a_t_for_each_sample(pipeline: str, expected: list[str]) -> None:
    assert model_codes(pipeline) == expected


def test_a_death_in_evaluation_alone_says_so() -> None:
    report = check_text(MODEL.format(pipeline="Conv–Emb–Dropout(0.1)–IN–Conv", extra=EMBED)).report
    (found,) = (item for item in report.findings if item.code == "TD101")
    assert any("in evaluation" in note for note in found.notes)


STATE = """
tdspec: 1
model:
  input: [4, 8, 8]
  ode:
    state: {{h: 4, m: 4}}
    init: {{h: [], m: []}}
    read: h
    field:
      steps:
        dh: {{from: {reads}, do: [Conv(4)]}}
        dm: {{from: m, do: "[Conv(4)–Emb]"}}
      output: {{h: dh, m: dm}}
"""


def test_time_in_a_part_of_the_state_counts_where_the_read_part_follows_it() -> None:
    alone = check_text(STATE.format(reads="h")).report
    assert "TD107" in {item.code for item in alone.findings}
    follows = STATE.format(reads="[h, m]").replace("do: [Conv(4)]", "do: '[Concat–Conv(4)]'")
    assert "TD107" not in {item.code for item in check_text(follows).report.findings}


USES = """
tdspec: 1
blocks:
  F: {{pipeline: "[GN(4)–Act–ConcatConv–IN]"}}
  A: {{ode: {{field: [F], {allow}}}}}
  B: {{ode: {{field: [F]}}}}
model:
  input: [16, 8, 8]
  {more}pipeline: "[{pipeline}]"
"""


def use_codes(pipeline: str, allow: str = "", more: str = "") -> list[str]:
    report = check_text(USES.format(pipeline=pipeline, allow=allow, more=more)).report
    return sorted(item.code for item in report.findings if item.severity is Severity.ERROR)


@pytest.mark.parametrize("pipeline", ["A–B", "B–A"])
def test_an_allowance_of_one_ode_does_not_cover_another_that_uses_the_same_block(pipeline: str) -> None:
    assert use_codes(pipeline, "allow: {TD103: on purpose}") == ["TD103"]


def test_the_same_text_used_twice_is_reported_once() -> None:
    assert use_codes("B–B") == ["TD103"]


def test_an_allowance_where_a_block_is_used_reaches_into_it() -> None:
    assert use_codes("B", more="allow: {TD103: on purpose}\n  ") == []
