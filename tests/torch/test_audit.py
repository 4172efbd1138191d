"""`tdspec.audit` on modules as other people write them: how they are called, and what is found."""

from __future__ import annotations

import json

import pytest
import torch
from torch import nn

import tdspec
from tdspec.witness.audit import Audit
from tdspec.witness.calling import AuditError
from tests.conftest import Run
from tests.torch import audited as a

SHAPE = (a.C, 8, 8)

torch.manual_seed(0)  # of the models that are parameters of tests


def audit(model: nn.Module, shape: object = SHAPE, **options: object) -> Audit:
    torch.manual_seed(1)
    return tdspec.audit(model, shape, **options)


def codes(found: Audit) -> list[str]:
    return [item.code for item in found.findings]


# ------------------------------------------------------------ how models are called


@pytest.mark.parametrize(
    ("model", "options", "call"),
    [
        (a.Block(), {}, "model(x, t), t[B] continuous in [0, 1], one for each sample"),
        (a.Field(nn.GroupNorm(1, a.C)), {}, "model(t, x), t[] continuous in [0, 1], one for the batch"),
        (a.Keywords(), {}, "timestep[B] integer in [0, 999], one for each sample"),
        (a.Table(), {}, "model(x, t), t[B] integer in [0, 999], one for each sample"),
        (a.Labelled(), {"kwargs": {"y": 3}}, "model(x, t=t, y=…), t[B] continuous"),
        (a.Scalar(), {}, "model(x, t), t[] continuous in [0, 1], one for the batch"),
        (a.Block(), {"per_sample": False, "time": (0, 4), "integer": True}, "t[] integer in [0, 4], one for the batch"),
    ],
    ids=["x-t", "t-x", "keywords", "integer", "further-arguments", "scalar", "as-asked"],
)
def test_how_a_model_is_called(model: nn.Module, options: dict[str, object], call: str) -> None:
    found = audit(model, **options)
    assert call in found.call
    assert found.share["training"] > 0 and found.ok


@pytest.mark.parametrize("width", [2, 4, 16])
def test_t_never_goes_along_another_axis(width: int) -> None:
    assert "t[B, 1, 1, 1]" in audit(a.Broadcast(), (a.C, width, width)).call


def test_a_state_of_several_parts() -> None:
    found = audit(a.Parts(), (SHAPE, SHAPE))
    assert found.ok and found.sources[0].name == "net"


@pytest.mark.parametrize(
    ("model", "options", "words"),
    [
        (a.Solving(), {}, "`field` (Field): audit that, with --at"),
        (nn.Conv2d(a.C, a.C, 3), {}, "--time-name"),
        (a.Labelled(), {}, "`forward` also needs `y`"),
        (a.Block(), {"time_name": "tau"}, "no argument `tau`; it has `x`, `t`"),
    ],
    ids=["solver", "no-time", "further-argument", "no-such-name"],
)
def test_what_cannot_be_called_says_what_to_do(model: nn.Module, options: dict[str, object], words: str) -> None:
    with pytest.raises(AuditError) as error:
        audit(model, **options)
    assert words in str(error.value)


def test_a_wrong_shape_says_what_was_called() -> None:
    with pytest.raises(AuditError) as error:
        audit(a.Block(), (3, 8, 8))
    assert "f32[4, 3, 8, 8]" in str(error.value) and "model(x, t)" in str(error.value)


def test_the_model_is_not_changed() -> None:
    model = a.Block(nn.BatchNorm2d(a.C)).eval()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    torch.manual_seed(3)
    expected = torch.randn(3)
    torch.manual_seed(3)
    tdspec.audit(model, SHAPE)
    assert torch.equal(torch.randn(3), expected)
    assert not model.training and not model._forward_hooks
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


# ------------------------------------------------------------ which calls are normalisations


@pytest.mark.parametrize(
    ("norm", "title"),
    [
        (nn.GroupNorm(a.C, a.C), "GroupNorm(8, 8)"),
        (nn.InstanceNorm2d(a.C), "InstanceNorm2d(8)"),
        (a.GroupNorm32(a.C, a.C), "GroupNorm32(8, 8)"),
        (a.Functional("F.group_norm"), "F.group_norm(8, 8)"),
        (a.Functional("torch.group_norm"), "F.group_norm(8, 8)"),
        (a.Functional("F.instance_norm"), "F.instance_norm(8)"),
        (a.Functional("torch.instance_norm"), "F.instance_norm(8)"),
        (a.Functional("F.layer_norm"), "F.layer_norm(8)"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_every_way_to_normalise_is_found_and_erases(norm: nn.Module, title: str) -> None:
    found = audit(a.Block(norm))
    (row,) = found.norms
    assert (row.name, row.title, row.verdict, row.behind) == ("norm", title, "erased", 0.0)
    assert row.before > 0 and row.survival == 0
    assert codes(found) == ["TD101"] and not found.ok
    assert "`norm`" in found.findings[0].message and found.findings[0].where == "norm"


def test_a_cure_in_torchs_terms() -> None:
    (finding,) = audit(a.Block(nn.GroupNorm(a.C, a.C))).findings
    assert "`nn.GroupNorm(2, 8)` in place of `GroupNorm(8, 8)`" in finding.help


def test_batch_norm_as_a_function_of_a_shared_t() -> None:
    assert codes(audit(a.Block(a.Functional("torch.batch_norm")), per_sample=False)) == ["TD104"]


def test_rms_norm_takes_no_mean_out() -> None:
    class RMS(nn.RMSNorm):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return super().forward(x.movedim(1, -1)).movedim(-1, 1)

    found = audit(a.Block(RMS(a.C)))
    assert found.ok and found.norms[0].verdict == "alive"


# ------------------------------------------------------------ verdicts


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (a.Block(), []),
        (a.Block(nn.Identity()), []),
        (a.Block(nn.GroupNorm(4, a.C)), ["TD106"]),
        (a.Block(nn.BatchNorm2d(a.C)), ["TD105"]),
        (a.Field(nn.GroupNorm(1, a.C)), []),
        (a.Field(nn.GroupNorm(a.C, a.C)), ["TD103"]),
        (a.Field(nn.BatchNorm2d(a.C)), ["TD104"]),
        (a.Positional(embed=False), ["TD108"]),
        (a.Positional(), ["TD108"]),
        (a.Residual(), ["TD102"]),
        (a.Gated(before=True), ["TD116"]),
        (a.Gated(before=False), []),
        (a.Modulated(), []),
        (a.Modulated(zero=True), ["TD111"]),
        (a.HalfSilent(), ["TD111"]),
        (a.ZeroOut(), ["TD111"]),
        (a.Dropped(), ["TD101"]),
        (a.Ignoring(), ["TD107"]),
        (a.Ignoring(cut=True), ["TD107"]),
        (a.Number(nn.GroupNorm(1, a.C)), []),
        (a.Number(nn.GroupNorm(a.C, a.C)), ["TD101"]),
        (a.OnTimeAlone(), ["TD101"]),
        (a.InPlace(nn.GroupNorm(1, a.C)), []),
        (a.InPlace(nn.GroupNorm(a.C, a.C)), ["TD101"]),
        (a.OnTop(), ["TD101"]),
        (a.Plain(), ["TD101"]),
        (a.Block(a.ByHand()), ["TD101"]),
    ],
    ids=lambda value: "" if isinstance(value, list) else type(value).__name__,
)
def test_verdicts(model: nn.Module, expected: list[str]) -> None:
    found = audit(model)
    assert codes(found) == expected, str(found)


def test_what_is_far_away_and_weak_is_alive() -> None:
    """Its share is about 1e-16, and the same with any eps: no trace that an eps has left."""
    found = audit(a.Diluted())
    assert found.ok and found.sources[0].end == "alive", str(found)
    assert codes(found) == ["TD106", "TD111"], "notes: what the norm keeps, and that in float32 nothing is seen"


def test_a_factor_that_other_weights_make_negative_is_not_called_divided_out() -> None:
    found = audit(a.Gated(before=True, positive=False))
    assert found.ok and found.sources[0].end == "alive"


def test_each_source_is_judged_with_the_others_frozen() -> None:
    """The position dies at the norm over channels, the embedding beside it does not."""
    found = audit(a.Positional())
    assert [(row.kind, row.end) for row in found.sources] == [("added", "alive"), ("added", "erased")]
    assert found.norms[0].verdict == "alive, 1 of 2 not" and found.norms[0].behind > 0
    assert "`forward (2)`" in found.findings[0].message


def test_scale_and_shift_are_one_source() -> None:
    (row,) = audit(a.Modulated()).sources
    assert (row.name, row.kind) == ("forward", "scale and shift")


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (a.Field(nn.GroupNorm(1, a.C)), [("forward", "concatenated")]),
        (a.InPlace(nn.GroupNorm(1, a.C)), [("forward (1)", "written"), ("forward (2)", "added")]),
        (a.Gated(before=False), [("forward", "multiplied")]),
        (a.Number(nn.GroupNorm(1, a.C)), [("forward", "not followed: a number of Python, NumPy or TorchScript")]),
        (a.HalfSilent(), [("one", "added"), ("two", "added, still")]),
    ],
    ids=lambda value: "" if isinstance(value, list) else type(value).__name__,
)
def test_where_and_how_time_enters(model: nn.Module, expected: list[tuple[str, str]]) -> None:
    rows = audit(model).sources
    assert [(row.name, row.kind + (", still" if row.still else "")) for row in rows] == expected


def test_of_two_norms_over_the_batch_the_one_behind_time_is_named() -> None:
    assert [item.where for item in audit(a.Early()).findings] == ["late"]


def test_what_is_written_into_is_frozen_too() -> None:
    assert [row.end for row in audit(a.OnTop()).sources] == ["erased", "alive"]


def test_a_trace_at_the_border_is_measured() -> None:
    found = audit(a.Field(nn.GroupNorm(a.C, a.C)))
    assert found.norms[0].verdict == "border only" and 0 < found.norms[0].behind < found.norms[0].before
    assert found.findings[0].severity.value == "error" and "border" in found.findings[0].message


def test_a_border_is_a_warning_where_each_sample_has_its_own_t() -> None:
    (finding,) = audit(a.Field(nn.GroupNorm(a.C, a.C)), per_sample=True).findings
    assert (finding.code, finding.severity.value) == ("TD103", "warning")


def test_a_norm_written_by_hand_is_found_by_what_it_does() -> None:
    found = audit(a.Block(a.ByHand()))
    assert not found.norms
    assert found.findings[0].where == "norm"


def test_dead_in_evaluation_only_is_said_so() -> None:
    found = audit(a.Dropped())
    assert "so in evaluation only" in found.findings[0].notes
    assert found.share["training"] > 0 and found.share["evaluation"] == 0


def test_what_moves_no_more_before_it_enters() -> None:
    assert audit(a.OnTimeAlone()).findings[0].where == "squash"


def test_silent_weights_are_no_erasure() -> None:
    found = audit(a.Modulated(zero=True))
    assert found.ok and found.sources[0].still and found.sources[0].end == "alive"
    assert found.share["training"] == 0


def test_one_t_for_all_samples_is_measured_behind_batch_norm() -> None:
    (finding,) = audit(a.Block(nn.BatchNorm2d(a.C))).findings
    assert any("with one t for all" in note for note in finding.notes)


def test_a_model_of_half_precision() -> None:
    assert codes(audit(a.Block(nn.GroupNorm(a.C, a.C)).to(torch.bfloat16))) == ["TD101"]


# ------------------------------------------------------------ the command

FACTORY = "tests.torch.audited"


def test_the_command_prints_and_exits(run: Run) -> None:
    clean = run("audit", f"{FACTORY}:Block", "--input", "8,8,8")
    assert clean.code == 0 and "GroupNorm(1, 8)" in clean.out and f"{FACTORY}:Block: ok" in clean.out
    dead = run("audit", f"{FACTORY}:block", "--config", '{"groups": 8}', "--input", "8,8,8")
    assert dead.code == 1 and "error[TD101]: `norm`, GroupNorm(8, 8), erases" in dead.out


def test_the_object(run: Run) -> None:
    done = run("audit", f"{FACTORY}:block", "--config", '{"norm": "InstanceNorm2d"}', "--input", "8,8,8", "--json")
    found = json.loads(done.out)
    assert found["norms"][0]["name"] == "norm" and found["norms"][0]["verdict"] == "erased"
    assert found["findings"][0]["code"] == "TD101" and found["findings"][0]["where"] == "norm"
    assert found["sources"][0]["end"] == "erased"


def test_a_submodule(run: Run) -> None:
    done = run("audit", f"{FACTORY}:Solving", "--at", "field", "--input", "8,8,8")
    assert done.code == 0 and "model(t, x)" in done.out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["tests.torch.nowhere:Net"], "no module is called tests.torch.nowhere"),
        (["nowhere.py:Net"], "there is no file nowhere.py"),
        ([FACTORY], "expected module:factory"),
        ([f"{FACTORY}:Blok"], "did you mean `Block`?"),
        ([f"{FACTORY}:broken"], "broken failed: RuntimeError: no weights here"),
        ([f"{FACTORY}:number"], "made a int; expected a torch.nn.Module"),
        ([f"{FACTORY}:Solving"], "audit that, with --at"),
        ([f"{FACTORY}:Solving", "--at", "feld"], "did you mean `field`?"),
        ([f"{FACTORY}:Block", "--input", "3,8,8"], "called as model(x, t)"),
        ([f"{FACTORY}:Block", "--input", "8;8"], "expected extents without the batch"),
        ([f"{FACTORY}:Block", "--time", "1"], "expected first and last t"),
        ([f"{FACTORY}:Block", "--kwargs", "[1]"], "expected an object"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_is_wrong_is_said(run: Run, arguments: list[str], words: str) -> None:
    shape = [] if "--input" in arguments else ["--input", "8,8,8"]
    done = run("audit", *arguments, *shape)
    assert done.code == 2 and words in " ".join(done.err.split())
