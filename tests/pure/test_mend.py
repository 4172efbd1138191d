"""Fixes: what they write, that they hold, that twice is once, and that nothing else moves."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tdspec
from tdspec.mend import Workspace
from tdspec.report.finding import Finding, Report
from tdspec.report.fix import FIXES, edited
from tdspec.report.standing import standing
from tdspec.rules.page import Example, load_pages
from tests.pure.test_corpus import CORPUS
from tests.pure.test_text_fuzz import TOKENS

SPEC = """\
tdspec: 1
x-top: 1
# the network
model:
  input: [1, 8, 8]  # one channel
  stem: [Conv(16)]
  ode:
    field: [GN(1)–Act–ConcatConv(bias_init=zeros)–PosEmb–GN(1)]
  head: [GAP–FC]
data: {name: digits}
"""
FIELD = "GN(1)–Act–ConcatConv(bias_init=zeros)–PosEmb–GN(1)"
ODE = f"  ode:\n    field: [{FIELD}]\n  head: [GAP–FC]"
EMBED = "time: {embed: [Sinusoid(16, period=10)–FC(32)]}"
SLOW = "time:\n    embed: [Sinusoid(128)]  # theirs"
TOP = "x-top: 1"  # where a section can stand
INIT = "init: {operand: {bias: zeros}}\n"
WIRED = "{steps: {one: {from: h, do: [ConcatConv]}}, output: "
NARROWER = "Emb–Res(24)–Res(16)"  # a block that meets 16 channels, and 24
BLOCK = "blocks: {{Res: {{pipeline: [{}–Act–Conv–Emb], residual: true, shortcut: [Conv1x1]}}}}"

# A code, and what of the spec is replaced: by what has the finding, and by what fixing makes of that (by
# default, what was there).
CASES: list[tuple[str, tuple[str, ...], tuple[str, ...]]] = [
    ("TD002", ("data: {name: digits}", "data: {name:digits}"), ()),
    ("TD002", ("data: {name: digits}", "data:digits", "data: digits"), ()),
    ("TD006", ("  input:", "\tinput:"), ()),
    ("TD006", ("  ode:", "\tode:"), ("    field", "\t\tfield")),
    ("TD011", ("Act–Concat", "Act — Concat", "Act – Concat"), ()),
    ("TD011", ("–Act–Concat", "→Act->Concat"), ()),
    ("TD011", (FIELD, "GN(1) - Act - Conv — GN(1)", "GN(1) - Act - Conv - GN(1)"), ()),
    ("TD011", ("Conv(16)", "Conv\uff0816\uff09"), ()),
    ("TD011", ("Conv(16)", "Conv(20−2–2)", "Conv(20-2-2)"), ()),
    ("TD011", ("Conv(16)", "Conv3×3(16)", "Conv3x3(16)"), ()),
    ("TD016", (TOP, "defaults: {GN: {groups: min(C/4, 8)}}", 'defaults: {GN: {groups: "min(C/4, 8)"}}'), ()),
    ("TD020", ("  head:", "  haed:"), ()),
    ("TD021", (TOP, "train: {epochs: '3'}", "train: {epochs: 3}"), ()),
    ("TD021", (TOP, "defaults: {Conv: {bias: yes}}", "defaults: {Conv: {bias: true}}"), ()),
    ("TD022", ("digits", '"Digits"', '"digits"'), ()),
    ("TD030", ("Act–", "act–"), ()),
    ("TD030", ("[Conv(16)]", "[Conv(16)–BatchNorm2d]", "[Conv(16)–BN]"), ()),
    ("TD031", ("bias_init", "biasinit"), ()),
    ("TD032", ("bias_init=zeros", "bias_init=zeroes"), ()),
    ("TD032", ("[Conv(16)]", "[Conv(16)–GN(c/4)]", "[Conv(16)–GN(C/4)]"), ()),
    ("TD037", (TOP, "allow: {groups-above-on: why}", "allow: {groups-above-one: why}"), ()),
    ("TD038", ("  ode:\n", "  ode:\n    allow: {TD104: why}\n"), ()),
    ("TD038", ("  ode:\n", "  ode:\n    allow: {TD104: why}  # once\n", "  ode:\n    # once\n"), ()),
    ("TD038", (TOP, "allow: {x-mine: a, TD104: why}", "allow: {x-mine: a}"), ()),
    ("TD038", (TOP, "allow:\n  TD104: why\n  x-mine: a", "allow:\n  x-mine: a"), ()),
    ("TD040", (f"[{FIELD}]", f"{WIRED}onee}}", f"{WIRED}one}}"), ()),
    ("TD101", (FIELD, "Conv(bias_init=zeros)–Emb–IN(1e-3)", "Conv(bias_init=zeros)–Emb–GN(1, eps=1e-3)"), ()),
    ("TD102", (FIELD, "Emb–Res", "Emb–Res"), (TOP, BLOCK.format("IN*2"), BLOCK.format("GN(1)*2"))),
    ("TD103", ("PosEmb–GN(1)", "GN(C/1)", "GN(C/8)"), ()),
    ("TD102", (FIELD, NARROWER, NARROWER), (TOP, BLOCK.format("GN(C)"), BLOCK.format("GN(C/8)"))),
    ("TD104", ("PosEmb–GN(1)", "PosEmb–BN(momentum=0.2, eps=1e-3)", "PosEmb–GN(1, eps=1e-3)"), ()),
    ("TD105", (ODE, "  head: [Emb–BN(1e-3)–GAP–FC]", "  head: [Emb–GN(1, eps=1e-3)–GAP–FC]"), (TOP, EMBED, EMBED)),
    ("TD106", ("PosEmb–GN(1)", "PosEmb–GN(8, eps=1e-3)", "PosEmb–GN(2, eps=1e-3)"), ()),
    ("TD108", (FIELD, "Conv–PosEmb–ChannelLN(affine=false)", "Conv–PosEmb–GN(1, affine=false)"), ()),
    ("TD109", ("(bias_init=zeros)", "(bias_init=default)"), ()),
    ("TD109", ("(bias_init=zeros)", "", ""), ("# the network\n", "# the network\n", INIT + "# the network\n")),
    ("TD110", (TOP, f"{EMBED}\ninit:\n  time: {{bias: zeros}}", f"{EMBED}\ninit:\n  time: {{bias: default}}"), ()),
    ("TD110", (TOP, EMBED.replace("32", "32, bias_init=zeros"), EMBED.replace("32", "32, bias_init=default")), ()),
    ("TD112", (TOP, SLOW, SLOW + "\n    argument: 1000*t"), ()),
    ("TD112", (TOP, "time: {embed: [Sinusoid(128)]}", "time: {embed: [Sinusoid(128)], argument: 1000*t}"), ()),
    ("TD114", ("–PosEmb", ""), ()),
    ("TD114", (FIELD, "GN(1) - ConcatConv - GN(1)", "GN(1) - ConcatConv - PosEmb - GN(1)"), ()),
    ("TD115", ("PosEmb–GN(1)", "PosEmb–GN(groups=2)", "PosEmb–GN(groups=1)"), ()),
    ("TD115", ("PosEmb–GN(1)", "PosEmb–GN*2", "PosEmb–GN(1)*2"), (TOP, "defaults: {GN: 2}", "defaults: {GN: 2}")),
    ("TD116", (FIELD, "Gate(squash=Sigmoid)–IN–Act–Conv", "Gate(squash=Sigmoid)–GN(1)–Act–Conv"), ()),
    ("TD201", ("PosEmb–GN(1)", "PosEmb–GN(5)", "PosEmb–GN(4)"), ()),
    ("TD106", (FIELD, NARROWER, NARROWER), (TOP, BLOCK.format("GN(8)"), BLOCK.format("GN(2)"))),
    ("TD201", (FIELD, NARROWER, NARROWER), (TOP, BLOCK.format("GN"), BLOCK.format("GN(8)"))),
]  # fmt: skip


def everything(_: Finding) -> bool:
    return True


def codes(report: Report) -> Counter[str]:
    return Counter(item.code for item in report.findings)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("mend") / "spec.yaml"


def fixed(path: Path, data: bytes, *select: str, unsafe: bool = True) -> bytes:
    """What fixing makes of the file, written."""
    path.write_bytes(data)
    workspace = Workspace([str(path)])
    workspace.fix(lambda item: not select or item.code in select, unsafe=unsafe)
    workspace.write()
    return path.read_bytes()


def holds_up(path: Path, data: bytes) -> None:
    """Everything that is promised of fixes, for one file."""
    path.write_bytes(data)
    workspace = Workspace([str(path)])
    before = workspace.offer(str(path), everything)
    for item in before.findings:
        assert item.fix is None or item.code in FIXES
        if item.offered:
            assert item.fix is not None and item.span is not None
            path.write_bytes(edited(item.span.source, item.fix.edits).encode())
            after = Workspace([str(path)]).check(str(path))
            assert codes(after)[item.code] < codes(before)[item.code] and standing(after) < standing(before)
    for unsafe in (False, True):
        once = fixed(path, data, unsafe=unsafe)
        after = Workspace([str(path)]).check(str(path))
        assert standing(after) <= standing(before)
        assert fixed(path, once, unsafe=unsafe) == once
        assert comments(data) == comments(once) and data.count(b"\r\n") <= once.count(b"\r\n")


def comments(data: bytes) -> list[bytes]:
    return re.findall(rb"(?:^|(?<=\s))# [^\r\n]*", data)


def written(bad: bool, *replaced: tuple[str, ...]) -> str:
    text = SPEC
    for change in filter(None, replaced):
        old, spoilt, *rest = change
        text = text.replace(old, spoilt if bad else rest[0] if rest else old)
    return text


@pytest.mark.parametrize(("code", "first", "second"), CASES)
def test_what_a_fix_writes(code: str, first: tuple[str, ...], second: tuple[str, ...], path: Path) -> None:
    bad, good = (written(spoilt, first, second) for spoilt in (True, False))
    for mark, line_break in (("", "\n"), ("\ufeff", "\r\n"), ("", "\r")):
        data, wanted = ((mark + text.replace("\n", line_break)).encode() for text in (bad, good))
        assert fixed(path, data, code, unsafe=FIXES[code] == "unsafe").decode() == wanted.decode()
    assert fixed(path, bad.encode(), code, unsafe=False).decode() == (good if FIXES[code] == "safe" else bad)
    holds_up(path, bad.encode())


def test_every_code_with_a_fix_has_its_case() -> None:
    assert {case[0] for case in CASES} == set(FIXES)


PAGES = [(page.code, example) for page in load_pages() for example in page.examples if example.kind == "bad"]


@pytest.mark.parametrize(("code", "example"), PAGES, ids=[code for code, _ in PAGES])
def test_bad_examples(code: str, example: Example, path: Path) -> None:
    holds_up(path, example.text.encode())


@pytest.mark.parametrize("broken", sorted(CORPUS.glob("*.yaml")), ids=lambda broken: broken.stem)
def test_broken_specs(broken: Path, path: Path) -> None:
    holds_up(path, broken.read_bytes())


WORDS = [*TOKENS, "GN", "BN", "IN(eps=1e-3)", "GN(C)", "GN(3)", "GN(8)", "Emb", "PosEmb", "Res", "groups", "act", "yes",
         "# note\n", "\n  allow: {TD104: why}", "BatchNorm2d", "Conv\uff0816\uff09", "C/2", "extends: x\n"]  # fmt: skip
GOOD = [example.text for page in load_pages() for example in page.examples if example.kind == "good"]


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A good spec with letters swapped, and pieces lost or replaced."""
    text = draw(st.sampled_from(GOOD))
    for _ in range(draw(st.integers(1, 5))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.sampled_from([0, 1, 2, 2, 6])))
        text = text[:start] + draw(st.sampled_from([text[start:end][::-1], "", *WORDS])) + text[end:]
    return draw(st.sampled_from([text, text.replace("\n", "\r\n"), "\ufeff" + text])).encode()


@settings(max_examples=300)
@given(data=mutated())
def test_mutated_specs(path: Path, data: bytes) -> None:
    holds_up(path, data)


# ------------------------------------------------------------------ several files


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "base.yaml").write_text(SPEC.replace("PosEmb–GN(1)", "PosEmb–BN"), encoding="utf-8")
    (tmp_path / "child.yaml").write_text("tdspec: 1\nextends: ./base.yaml\nnmae: child\n", encoding="utf-8")
    return tmp_path


def texts(workspace: Workspace) -> dict[str, str]:
    workspace.fix(everything, unsafe=True)
    return {path: after for path, _, after in workspace.changes()}


def test_only_files_that_are_named_are_changed(folder: Path) -> None:
    assert texts(Workspace(["child.yaml"])) == {"child.yaml": "tdspec: 1\nextends: ./base.yaml\nname: child\n"}
    both = texts(Workspace(["child.yaml", "base.yaml"]))
    assert both["base.yaml"] == SPEC and "name: child" in both["child.yaml"]


def test_a_fix_leaves_no_other_file_worse(folder: Path) -> None:
    """What is unused in one file may be what another needs."""
    (folder / "base.yaml").write_text(SPEC.replace("  ode:\n", "  ode:\n    allow: {TD104: why}\n"), encoding="utf-8")
    (folder / "child.yaml").write_text(
        f"tdspec: 1\nextends: base.yaml\nmodel: {{ode: {{field: [{FIELD.replace('GN(1)', 'BN')}]}}}}\n",
        encoding="utf-8",
    )
    assert texts(Workspace(["base.yaml", "child.yaml"])) == {}
    assert list(texts(Workspace(["base.yaml"]))) == ["base.yaml"]


def test_a_section_of_the_base_is_set_in_the_spec(folder: Path) -> None:
    (folder / "base.yaml").write_text(SPEC.replace("(bias_init=zeros)", ""), encoding="utf-8")
    (folder / "child.yaml").write_text("tdspec: 1\nextends: base.yaml\ninit: {time: {}}\n", encoding="utf-8")
    found = texts(Workspace(["child.yaml"]))["child.yaml"]
    assert "TD109" not in codes(tdspec.validate(found)) and found.startswith("tdspec: 1\nextends: base.yaml\n")


def test_settings_are_no_text(folder: Path) -> None:
    (folder / "spec.yaml").write_text(SPEC, encoding="utf-8")
    field = f"model.ode.field=[{FIELD.replace('PosEmb–GN(1)', 'BN')}]"
    assert texts(Workspace(["spec.yaml"], [field])) == {}
    assert texts(Workspace(["spec.yaml"], ["model.stem=[Conv(12)]"])) == {}


def test_a_fix_holds_without_the_settings_too(folder: Path) -> None:
    """What `--set` makes superfluous is needed by the file."""
    allowed = SPEC.replace("PosEmb–GN(1)", "PosEmb–BN").replace("  ode:\n", "  ode:\n    allow: {TD104: why}\n")
    (folder / "spec.yaml").write_text(allowed, encoding="utf-8")
    workspace = Workspace(["spec.yaml"], [f"model.ode.field=[{FIELD}]"])
    assert codes(workspace.check("spec.yaml")) == {"TD038": 1, "TD302": 1} and texts(workspace) == {}


def test_a_fix_is_for_its_own_finding(folder: Path) -> None:
    """That a file stands better is not enough."""
    (folder / "spec.yaml").write_text(SPEC.replace("digits", "Digits").replace("head", "haed"), encoding="utf-8")
    workspace = Workspace(["spec.yaml"])
    first, second = workspace.check("spec.yaml").findings
    assert {first.code, second.code} == {"TD020", "TD022"}
    assert workspace.tried("spec.yaml", first) is not None
    assert workspace.tried("spec.yaml", replace(first, fix=second.fix)) is None


def test_json_stays_json(path: Path) -> None:
    spec = {
        "tdspec": 1,
        "model": {
            "input": [1, 8, 8],
            "stem": "[Conv(16)]",
            "ode": {"field": "[GN(1)–Act–ConcatConv–PosEmb–GN(1)]"},
            "head": "[GN(1)–Act–GAP–FC]",
        },
        "data": {"name": "digits"},
    }
    found = json.loads(fixed(path, json.dumps(spec, ensure_ascii=False, indent=1).encode(), "TD109"))
    assert found == {**spec, "init": {"operand": {"bias": "zeros"}}}
