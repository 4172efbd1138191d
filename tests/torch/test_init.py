"""Weights start by their role: what the spec's rule says is what was drawn."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

import tdspec
from tdspec.graph.arguments import rule_of
from tdspec.ops.init import LARGEST, RULES
from tdspec.ops.op import Rule
from tdspec.report.finding import Report
from tdspec.text.notation import read_expression
from tdspec.text.source import Source
from tdspec.text.yaml_node import Scalar

SPEC = """\
tdspec: 1
defaults: {{GN: 1}}
init: {init}
time: {{embed: [Sinusoid(32)–FC(96)–Act–FC(96)]}}
model:
  input: [16, 8, 8]
  stem: [Conv(48)]
  ode: {{field: [GN–Act–ConcatConv{call}–Emb–PosEmb–GN]}}
  head: [GN–Act–GAP–FC(64)]
"""

RULES_GIVEN = [
    "normal(0.02)", "uniform(0.3)", "xavier_uniform", "xavier_uniform(0.5)", "xavier_normal", "kaiming_uniform",
    "kaiming_normal", "lecun_normal", "fan_avg_uniform", "fan_avg_uniform(0.1)", "zeros", "ones", "constant(0.7)",
]  # fmt: skip

KERNEL = "ode.field.concat_conv_1.weight"
OPERAND = ("stem.conv_1",)
TIME = ("ode.field.embed.fc_1", "ode.field.embed.fc_2", "ode.field.emb_1.projection", "ode.field.pos_emb_1.projection")
NORM = ("ode.field.gn_1", "ode.field.gn_2", "head.gn_1")
HEAD = ("head.fc_1",)


def compiled(init: str = "{}", call: str = "", *, seed: int = 0) -> dict[str, Tensor]:
    torch.manual_seed(seed)
    return dict(tdspec.compile(SPEC.format(init=init, call=call)).state_dict())


def read(written: str) -> Rule:
    expression = read_expression(Scalar(Source("<test>", written).whole(), written, "plain"), Report())
    assert expression is not None
    return rule_of(expression)


def assert_drawn(values: Tensor, written: str) -> None:
    """The values have the root mean square that the table of rules says, and the mean of the rule."""
    rule = read(written)
    fans = nn.init._calculate_fan_in_and_fan_out(values) if values.ndim > 1 else (1, 1)
    mean = {"ones": 1.0, "constant": 0.7}.get(rule.kind, 0.0)
    std = (RULES[rule.kind].rms(rule.arguments, *fans) ** 2 - mean**2) ** 0.5
    assert values.std().item() == pytest.approx(std, rel=0.1, abs=1e-6)
    assert values.mean().item() == pytest.approx(mean, abs=5 * std / values.numel() ** 0.5 + 1e-6)


@pytest.mark.parametrize("rule", RULES_GIVEN)
def test_operand_and_time_start_by_different_rules(rule: str) -> None:
    """A ConcatConv has both: its slice for t is time, the rest operand."""
    weights = compiled(f"{{operand: {{weight: {rule}}}, time: {{weight: normal(2)}}}}")
    assert_drawn(weights[KERNEL][:, 1:], rule)
    assert_drawn(weights[KERNEL][:, :1], "normal(2)")
    for name in OPERAND:
        assert_drawn(weights[f"{name}.weight"], rule)
    for name in TIME:
        assert_drawn(weights[f"{name}.weight"], "normal(2)")
    assert_drawn(weights["head.fc_1.weight"], "default")


@pytest.mark.parametrize("rule", RULES_GIVEN)
def test_time_starts_by_its_rule_and_leaves_the_operand(rule: str) -> None:
    weights, plain = compiled(f"{{time: {{weight: {rule}}}}}"), compiled()
    assert_drawn(weights[KERNEL][:, :1], rule)
    assert_drawn(weights[KERNEL][:, 1:].flatten(), f"normal({(1 / (3 * 49 * 9)) ** 0.5})")  # PyTorch's own
    for name in TIME:
        assert_drawn(weights[f"{name}.weight"], rule)
    assert torch.equal(weights["stem.conv_1.weight"], plain["stem.conv_1.weight"])  # drawn before the first of time


def test_the_slice_of_a_last_channel() -> None:
    weights = compiled("{time: {weight: ones}, operand: {weight: zeros}}", "(position=last)")[KERNEL]
    assert torch.equal(weights[:, -1:], torch.ones(48, 1, 3, 3))
    assert not weights[:, :-1].any()


@pytest.mark.parametrize(
    ("role", "names"),
    [("operand", OPERAND), ("time", TIME), ("norm", NORM), ("head", HEAD)],
    ids=lambda item: str(item),
)
def test_a_role_is_its_weights_and_no_others(role: str, names: tuple[str, ...]) -> None:
    weights = compiled(f"{{{role}: {{weight: constant(0.7), bias: constant(0.3)}}}}")
    whole = {name for name in weights if name != KERNEL}
    for part, value in (("weight", 0.7), ("bias", 0.3)):
        filled = {name for name in whole if name.endswith(part) and (weights[name] == value).all()}
        operand = {"ode.field.concat_conv_1.bias"} if (role, part) == ("operand", "bias") else set()
        assert filled == {f"{name}.{part}" for name in names} | operand


def test_an_argument_comes_before_the_role() -> None:
    init = "{operand: {weight: zeros, bias: ones}, time: {weight: zeros}}"
    call = "(init=normal(2), time_init=constant(0.7), bias_init=zeros)"
    weights = compiled(init, call)
    assert_drawn(weights[KERNEL][:, 1:], "normal(2)")
    assert_drawn(weights[KERNEL][:, :1], "constant(0.7)")
    assert not weights["ode.field.concat_conv_1.bias"].any()
    assert not weights["stem.conv_1.weight"].any() and weights["stem.conv_1.bias"].all()


def test_without_a_rule_weights_start_as_pytorch_starts_them() -> None:
    weights = compiled()
    torch.manual_seed(0)
    expected = nn.Conv2d(16, 48, 3, padding=1)
    assert torch.equal(weights["stem.conv_1.weight"], expected.weight)
    assert_drawn(weights[KERNEL], "default")
    assert all(weights[f"{name}.weight"].eq(1).all() and not weights[f"{name}.bias"].any() for name in NORM)


@pytest.mark.parametrize("init", ["{}", "{operand: {weight: normal(0.1)}, time: {weight: xavier_normal}}"])
def test_the_same_seed_gives_the_same_weights(init: str) -> None:
    one, same, other = compiled(init), compiled(init), compiled(init, seed=1)
    assert one.keys() == same.keys()
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert not torch.equal(one[KERNEL], other[KERNEL])


@pytest.mark.parametrize(
    ("init", "message", "help_"),
    [
        ("{operand: {weight: normal}}", "should give `normal` one number, found 0", "standard deviation"),
        ("{operand: {weight: zeros(1)}}", "should give `zeros` no number, found 1", "All zero"),
        ("{operand: {weight: kaming_normal}}", "found `kaming_normal`", "did you mean `kaiming_normal`?"),
        ("{operand: {bias: xavier_normal}}", "asks for fan-in and fan-out, which a bias does not have", "use `zeros`"),
        ("{operant: {bias: zeros}}", "`init` has no key `operant`", "did you mean `operand`?"),
    ],
)
def test_a_rule_that_does_not_hold(init: str, message: str, help_: str) -> None:
    report = tdspec.validate(SPEC.format(init=init, call=""))
    (item,) = (item for item in report.findings if item.severity.value == "error")
    assert message in item.message and help_ in item.help
    assert item.region.line == 3


@pytest.mark.parametrize("rule", [name for name, facts in RULES.items() if facts.most])
def test_every_number_that_a_rule_takes_can_be_drawn(rule: str) -> None:
    """Torch refuses a negative standard deviation, and overflows at a great one."""
    least = RULES[rule].minimum
    for number in (least, 0, LARGEST):
        assert compiled(call=f"(init={rule}({number!r}))")["ode.field.concat_conv_1.weight"].isfinite().all()
    for number in (least * 10 - 1, LARGEST * 10):
        report = tdspec.validate(SPEC.format(init="{}", call=f"(init={rule}({number!r}))"))
        (found,) = [item for item in report.findings if item.code == "TD032"]
        assert f"should give `{rule}` a number from {least:g} to 1e+30, found {number:g}" in found.message
