"""One spec on top of another: `extends`, `--set`, and where every value of the resolved spec comes from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

import tdspec
from tdspec.check import Checked, check_path, check_text
from tdspec.language.resolved import resolved_text

ROOT = Path(__file__).parents[2]
SPECS = sorted((ROOT / "specs").rglob("*.yaml"))

BASE = """\
tdspec: 1
name: base
defaults: {GN: {groups: 1}, Act: SiLU}
model:
  input: [1, 8, 8]
  stem: [Conv(16)]
  ode: {field: [GN–Act–ConcatConv–PosEmb–GN], solver: {rtol: 1e-2}}
  head: [GAP–FC]
data: {name: digits}
train:
  optimizer: {kind: sgd, lr: 0.1, momentum: 0.9}
  schedule: {kind: plateau, patience: 3}
  epochs: 5
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with a base spec in it."""
    (tmp_path / "base.yaml").write_text(BASE, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def child(text: str, name: str = "child.yaml", extends: str = "base.yaml") -> Checked:
    """A spec that extends another, in a file of the working directory."""
    Path(name).parent.mkdir(exist_ok=True)
    Path(name).write_text(f"tdspec: 1\nextends: {extends}\n{text}", encoding="utf-8")
    return check_path(name)


def said(checked: Checked) -> list[tuple[str, str, str]]:
    """Every error: its code, its file, its message."""
    return [(item.code, item.path, item.message) for item in checked.report.findings if item.severity.value == "error"]


def resolved(checked: Checked) -> Any:
    """The resolved spec as data."""
    assert checked.spec is not None, said(checked)
    return yaml.safe_load(resolved_text(checked.spec, origins=False))


# ------------------------------------------------------------------ extends


def test_mappings_merge_and_the_rest_replaces(folder: Path) -> None:
    found = resolved(child("model: {ode: {t: [0, 2], solver: {atol: 0.1}}, head: [GAP–FC(10)]}\nname: child\n"))
    assert found["name"] == "child"
    assert found["model"]["ode"]["t"] == [0, 2]
    assert found["model"]["head"] == "[GAP–FC(10)]"
    assert (found["model"]["ode"]["solver"]["rtol"], found["model"]["ode"]["solver"]["atol"]) == (0.01, 0.1)
    assert found["model"]["ode"]["field"] == "[GN–Act–ConcatConv–PosEmb–GN]"
    assert found["defaults"] == {"Act": {"kind": "SiLU"}, "GN": {"groups": 1}}


def test_null_deletes(folder: Path) -> None:
    found = resolved(child("train: {schedule: null, epochs: null, iterations: 9}\ndefaults: {Act: null}\n"))
    assert "schedule" not in found["train"] and "epochs" not in found["train"]
    assert found["train"]["iterations"] == 9
    assert found["defaults"] == {"GN": {"groups": 1}}


def test_a_changed_kind_replaces_its_mapping(folder: Path) -> None:
    optimizer = resolved(child("train: {optimizer: {kind: adam, lr: 0.01}}\n"))["train"]["optimizer"]
    assert optimizer["lr"] == 0.01 and "momentum" not in optimizer
    same = resolved(child("train: {optimizer: {kind: sgd, lr: 0.01}}\n"))["train"]["optimizer"]
    assert (same["lr"], same["momentum"]) == (0.01, 0.9)
    assert said(child("train: {optimizer: {kind: adam}}\n")) == [("TD023", "child.yaml", "`optimizer` needs `lr`")]


def test_a_chain_of_three_across_folders(folder: Path) -> None:
    child("train: {epochs: 6, seed: 6}\n", "more/middle.yaml", "../base.yaml")
    found = child("train: {seed: 7}\n", "top.yaml", "more/middle.yaml")
    assert found.spec is not None
    lines = found.spec.text.splitlines()
    assert "  epochs: 6  # more/middle.yaml:3" in lines
    assert "  seed: 7  # top.yaml:3" in lines
    assert "    lr: 0.1  # base.yaml:11" in lines
    assert "  batch_size: 128  # default" in lines


@pytest.mark.parametrize("way", ["one.yaml", "../{folder}/one.yaml", "./two.yaml"])
def test_a_circle(folder: Path, way: str) -> None:
    child("", "two.yaml", way.format(folder=folder.name))
    ((code, path, message),) = said(child("", "one.yaml", "two.yaml"))
    assert (code, path) == ("TD035", "two.yaml")
    assert message.startswith("`extends` comes back to")


@pytest.mark.parametrize(
    ("extends", "code", "message"),
    [
        ("basis.yaml", "TD035", "`basis.yaml` cannot be read: there is no file `basis.yaml`"),
        ("broken.yaml", "TD035", "`broken.yaml` cannot be read: the `[` that opens here is never closed"),
        ("[base.yaml]", "TD021", "`extends` should be text, found a list"),
        ("{a: 1}", "TD021", "`extends` should be text, found a mapping"),
        ("list.yaml", "TD035", "`list.yaml` cannot be read"),
    ],
)
def test_what_cannot_be_extended(folder: Path, extends: str, code: str, message: str) -> None:
    """One finding, not a list of all that the base would have given."""
    (folder / "broken.yaml").write_text("tdspec: 1\nmodel: {input: [1, 8, 8\n", encoding="utf-8")
    (folder / "list.yaml").write_text("- a\n- b\n", encoding="utf-8")
    ((found, path, text),) = said(child("", extends=extends))
    assert (found, path) == (code, "child.yaml")
    assert text.startswith(message)


def test_messages_point_into_the_file_that_is_meant(folder: Path) -> None:
    (folder / "base.yaml").write_text(BASE.replace("Conv(16)", "Konv(16)").replace("epochs: 5", "epochs: 0"))
    found = child("model: {ode: {field: [GN–Akt–ConcatConv–PosEmb–GN]}, hat: [FC]}\ntrain: {seed: -1}\n")
    assert [(code, path) for code, path, _ in said(found)] == [
        ("TD030", "base.yaml"), ("TD024", "base.yaml"),
        ("TD030", "child.yaml"), ("TD020", "child.yaml"), ("TD024", "child.yaml"),
    ]  # fmt: skip
    for item in found.report.findings:
        assert item.span is not None
        assert item.span.text in Path(item.path).read_text(encoding="utf-8").splitlines()[item.region.line - 1]


@pytest.mark.parametrize(
    ("text", "message", "help_"),
    [
        (
            "model: {pipeline: [Conv–GAP–FC]}\n",
            "either `pipeline` or `stem`",
            "`stem: null`, `ode: null`, `head: null`",
        ),
        ("train: {iterations: 9}\n", "either `epochs` or `iterations`", "`epochs: null` deletes"),
    ],
)
def test_what_conflicts_with_the_base_can_be_deleted(folder: Path, text: str, message: str, help_: str) -> None:
    (item,) = (item for item in child(text).report.findings if item.code == "TD025")
    assert message in item.message and help_ in item.help
    assert {item.path, *(label.path for label in item.labels)} == {"base.yaml", "child.yaml"}


# ------------------------------------------------------------------ --set


def set_to(*settings: str) -> Checked:
    return check_text(BASE, "base.yaml", settings)


def at(data: Any, path: str) -> Any:
    for key in path.split("."):
        data = data[key]
    return data


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("train.optimizer.lr=0.05", 0.05),
        ("train.optimizer.lr=5e-2", 0.05),
        (" train.optimizer.lr = 5e-2 ", 0.05),
        ("train.epochs=7", 7),
        ("data.download=true", True),
        ("name=other", "other"),
        ("about='a: b'", "a: b"),
        ("model.head=[GAP-FC(10)]", "[GAP–FC(10)]"),
        ('model.head="[GAP–FC(10)]"', "[GAP–FC(10)]"),
        ("model.ode.solver={method: rk4, steps: 4}", {"method": "rk4", "steps": 4}),
        ("blocks.Res.pipeline=[Conv]", "[Conv]"),
        ("defaults.GN.groups=min(C/4, 32)", "min(C / 4, 32)"),
    ],
)
def test_set_takes_values_as_yaml_writes_them(setting: str, value: Any) -> None:
    path = setting.partition("=")[0].strip()
    found = at(resolved(set_to(setting)), path)
    if isinstance(value, dict):
        assert value.items() <= found.items()
    elif "min" in str(value):
        assert found.replace(" ", "") == value.replace(" ", "")
    else:
        assert found == value


def test_later_settings_win_and_their_origin_is_the_command_line() -> None:
    found = set_to("train.epochs=7", "train.epochs=8", "train.schedule=null", "train.seed=3")
    assert found.spec is not None
    assert "  epochs: 8  # --set:1" in found.spec.text.splitlines()
    assert "  seed: 3  # --set:1" in found.spec.text.splitlines()
    assert found.spec.train.schedule is None


@pytest.mark.parametrize(
    ("setting", "code", "message"),
    [
        ("train", "TD036", "`train` sets nothing"),
        ("=3", "TD036", "`=3` sets nothing"),
        ("train..seed=3", "TD036", "`train..seed=3` sets nothing"),
        ("train.epochs.more=3", "TD036", "`train.epochs` holds a value, so nothing lies below it"),
        ("model.stem.0=Conv", "TD036", "`model.stem` holds a value, so nothing lies below it"),
        ("extends=other.yaml", "TD036", "`extends` cannot be set"),
        ("train.epochs=many", "TD021", "`epochs` should be a whole number, found `many`"),
        ("train.epoch=3", "TD020", "`train` has no key `epoch`"),
        ("model.head=[GAP–FD]", "TD030", "there is no op and no block `FD`"),
        ("model.head=[GAP–FC", "TD002", "the `[` that opens here is never closed"),
    ],
)
def test_a_setting_that_does_not_hold(setting: str, code: str, message: str) -> None:
    ((found, path, text),) = said(set_to(setting))
    assert (found, path, text) == (code, "--set", message)


# ------------------------------------------------------------------ the resolved spec


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_the_resolved_spec_reads_back_to_the_same(path: Path) -> None:
    spec = tdspec.load(path)
    again = check_text(spec.text)
    assert again.spec is not None
    assert again.spec.hash == spec.hash
    assert resolved_text(again.spec, origins=False) == resolved_text(spec, origins=False)


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_every_value_has_an_origin_that_holds_it(path: Path) -> None:
    for line in tdspec.load(path).text.splitlines():
        if line.endswith((":", "{}")) or "kind: " in line:
            continue
        _, _, origin = line.rpartition("  # ")
        if origin != "default":
            name, _, number = origin.rpartition(":")
            key = line.partition(":")[0].strip()
            lines = Path(name).read_text(encoding="utf-8").splitlines()
            # A scalar of `defaults` stands under its op, not under its parameter.
            assert any(f"{word}:" in lines[int(number) - 1] for word in (key, "Act", "GELU"))


SAME = [
    ("GN: {groups: 1}, Act: SiLU", "Act: 'SiLU', GN: 1"),
    ("[1, 8, 8]", "[ 1,8, 8 ]"),
    ("[GN–Act–ConcatConv–PosEmb–GN]", "'[GN - Act - ConcatConv - PosEmb - GN]'"),
    ("rtol: 1e-2", "rtol: 0.010"),
    ("name: base\n", "x-note: mine\nname: 'base'\n"),
    ("epochs: 5\n", "epochs: 5  # a remark\n  batch_size: 128\n"),
]


@pytest.mark.parametrize(("old", "new"), SAME, ids=[new.strip() for _, new in SAME])
def test_a_hash_is_of_what_is_said(old: str, new: str) -> None:
    def hashes() -> Iterator[str]:
        for text in (BASE, BASE.replace(old, new)):
            spec = check_text(text).spec
            assert spec is not None and old in BASE
            yield spec.hash

    first, second = hashes()
    assert first == second


def test_a_hash_differs_where_meaning_does() -> None:
    changes = ["train.epochs=6", "defaults.GN.groups=2", "model.head=[GAP–Dropout–FC]", "init.operand.bias=zeros"]
    specs = [set_to(*([change] if change else [])).spec for change in ["", *changes]]
    assert len({spec.hash for spec in specs if spec is not None}) == 1 + len(changes)


def test_a_variant_may_leave_blocks_of_its_base_without_use(folder: Path) -> None:
    (folder / "blocks.yaml").write_text(BASE + "blocks: {Res: {pipeline: [Conv]}}\n", encoding="utf-8")
    (folder / "variant.yaml").write_text("extends: blocks.yaml\nname: variant\n", encoding="utf-8")
    assert [item.code for item in check_path("blocks.yaml").report.findings if item.code == "TD045"] == ["TD045"]
    assert not [item for item in check_path("variant.yaml").report.findings if item.code == "TD045"]
    own = "extends: blocks.yaml\nblocks: {Own: {pipeline: [Conv]}}\n"
    (folder / "variant.yaml").write_text(own, encoding="utf-8")
    (found,) = [item for item in check_path("variant.yaml").report.findings if item.code == "TD045"]
    assert found.message == "nothing uses the block `Own`" and found.path == "variant.yaml"
