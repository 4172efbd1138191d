"""The command line: what each command prints, how it exits, and what it does not wait for."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest

import tdspec
from tdspec import SpecError, __version__
from tdspec.cli.app import COMMANDS, Commands, app
from tdspec.report.codes import CODES, finding
from tdspec.report.finding import Report
from tdspec.report.fix import FIXES
from tests.conftest import Run

GOOD = """\
tdspec: 1
init: {operand: {bias: zeros}}
model:
  input: [1, 8, 8]
  stem: [Conv(16)]
  ode:
    field: [GN(1)–Act–ConcatConv–PosEmb–GN(1)]
  head: [GAP–FC]
data: {name: digits}
defaults: {Act: SiLU}
"""
BAD = GOOD.replace("PosEmb–GN(1)", "BN")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with a good spec, a bad one, and what is none."""
    (tmp_path / "more").mkdir()
    (tmp_path / ".hidden").mkdir()
    (tmp_path / "good.yaml").write_text(GOOD, encoding="utf-8")
    (tmp_path / "more" / "bad.yml").write_text(BAD, encoding="utf-8")
    (tmp_path / "more" / "workflow.yaml").write_text("on: push\njobs:\n  tdspec: {}\n", encoding="utf-8")
    (tmp_path / ".hidden" / "bad.yaml").write_text(BAD, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


# ------------------------------------------------------------------ the command itself


def test_help_lists_the_commands(run: Run) -> None:
    ran = run("--help")
    assert ran.code == 0 and ran.err == ""
    for name, text in COMMANDS.items():
        assert f"{name}" in ran.out and text in ran.out


@pytest.mark.parametrize("name", COMMANDS)
def test_the_table_says_what_the_commands_say(name: str) -> None:
    command = app.get_command(click.Context(app), name)
    assert command is not None and command.help is not None
    assert command.help.partition("\n")[0] == COMMANDS[name]


def test_the_table_is_the_folder() -> None:
    folder = Path(sys.modules[Commands.__module__].__file__ or "").parent
    texts = {path.stem: path.read_text(encoding="utf-8") for path in folder.glob("*.py")}
    assert {name for name, text in texts.items() if "@click.command()" in text} == set(COMMANDS)


def test_version(run: Run) -> None:
    assert run("--version") == (0, f"tdspec, version {__version__}\n", "")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("vaildate",), "did you mean `tdspec validate`?"),
        (("validate", "--format", "xml"), "'xml' is not one of"),
        (("validate", "--select", "TD9"), "no rule is called `TD9`"),
        (("validate", "--ignore", "batch-norm-in-od"), "did you mean `batch-norm-in-ode`?"),
        (("explain", "TD1O4"), "did you mean `TD104`?"),
        (("explain", "TD104", "--all"), "not both"),
        (("build",), "Missing argument"),
        (("build", "x.yaml", "--graph", "x.png"), "not as `.png`"),
        (("schema", "--check", "a", "--write", "b"), "not both"),
    ],
)
def test_usage_exits_with_2(run: Run, arguments: tuple[str, ...], said: str) -> None:
    ran = run(*arguments)
    assert ran.code == 2 and ran.out == ""
    assert said in ran.err


def broken(error: BaseException) -> Callable[..., None]:
    def command(*_: object, **__: object) -> None:
        raise error

    return command


def test_a_crash_is_one_line(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tdspec.cli.explain.load_page", broken(ValueError("two\nlines")))
    ran = run("explain", "TD104")
    assert ran.code == 2 and ran.out == ""
    assert ran.err.startswith(f"tdspec: this is a bug in tdspec {__version__} (ValueError: two lines)")
    assert ran.err.count("\n") == 1
    for arguments in (("--debug", "explain", "TD104"), ("explain", "TD104", "--debug")):
        assert "Traceback" in run(*arguments).err


def test_ways_to_end(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tdspec.cli.explain.load_page", broken(KeyboardInterrupt()))
    assert run("explain", "TD104").code == 130
    report = Report([finding("TD107", "t reaches nothing", file="node.yaml")], files=["node.yaml"])
    monkeypatch.setattr("tdspec.cli.explain.load_page", broken(SpecError(report)))
    ran = run("explain", "TD104")
    assert ran.code == 1 and ran.out.startswith("error[TD107]: t reaches nothing")
    monkeypatch.setattr("tdspec.cli.explain.load_page", broken(OSError(28, "No space left", "/x")))
    assert run("explain", "TD104") == (2, "", "tdspec: /x: No space left\n")


def process(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """A Python process of its own, in the folder that tdspec is in."""
    folder = Path(tdspec.__file__).parents[1]
    return subprocess.run(
        [sys.executable, *arguments], cwd=folder, input=stdin, capture_output=True, encoding="utf-8", check=False
    )


def imported(*arguments: str) -> set[str]:
    """The modules that a command has imported when it ends."""
    code = (
        f"import sys; from tdspec.cli.app import main; assert main({list(arguments)!r}) == 0; "
        "print(*sys.modules, file=sys.stderr)"
    )
    ran = process("-c", code)
    assert ran.returncode == 0, ran.stderr
    return set(ran.stderr.split())


HEAVY = {"torch", "torchvision", "torchdiffeq", "numpy", "networkx", "rich"}


@pytest.mark.parametrize("arguments", ["--help", "--version", "explain TD104"])
def test_what_prints_text_imports_nothing_else(arguments: str) -> None:
    checker = {"yaml", "jsonschema", "tdspec.language.schema", "tdspec.graph.graph", "tdspec.facts.time"}
    assert imported(*arguments.split()).isdisjoint(HEAVY | checker)


def test_a_verdict_does_not_wait_for_torch(folder: Path) -> None:
    modules = imported("validate", str(folder / "good.yaml"))
    assert "tdspec.facts.time" in modules and modules.isdisjoint(HEAVY)


def test_module_is_the_command() -> None:
    assert process("-m", "tdspec", "--version").stdout == f"tdspec, version {__version__}\n"


def test_a_closed_pipe_is_quiet() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    code = "import sys; from tdspec.cli.app import main; sys.exit(main(['explain', 'TD104']))"
    with os.fdopen(writer, "w") as closed:
        ran = subprocess.run(
            [sys.executable, "-c", code], cwd=Path(tdspec.__file__).parents[1], stdout=closed,
            stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    assert (ran.returncode, ran.stderr) == (141, "")


# ------------------------------------------------------------------ validate


def test_validate_exits_by_what_it_finds(run: Run, folder: Path) -> None:
    good = run("validate", "good.yaml")
    assert (good.code, good.out) == (0, "good.yaml: ok\n")
    bad = run("validate", "more/bad.yml")
    assert bad.code == 1 and bad.out.startswith("error[TD104]") and bad.err == ""


def test_validate_finds_specs_in_folders(run: Run, folder: Path) -> None:
    found = run("validate", "--format", "concise")
    assert found.code == 1
    assert {line.partition(":")[0] for line in found.out.splitlines()} == {"more/bad.yml"}
    assert " in 1 of 2 files" in run("validate", ".", "good.yaml").out
    assert run("validate", ".hidden/bad.yaml").code == 1
    empty = folder / "empty"
    empty.mkdir()
    nothing = run("validate", "empty")
    assert nothing.code == 2 and "no specs in empty" in nothing.err


def test_validate_takes_what_is_named(run: Run, folder: Path) -> None:
    assert json.loads(run("validate", "more/workflow.yaml", "--format", "json").out) != []
    (found,) = json.loads(run("validate", "none.yaml", "--format", "json").out)
    assert (found["code"], found["path"]) == ("TD001", "none.yaml")


def test_validate_reads_standard_input() -> None:
    ran = process("-m", "tdspec", "validate", "-", "--format", "json", stdin=BAD)
    assert ran.returncode == 1
    assert {item["path"] for item in json.loads(ran.stdout)} == {"<stdin>"}


def test_validate_selects_and_ignores(run: Run, folder: Path) -> None:
    def codes(*options: str) -> tuple[int, set[str]]:
        ran = run("validate", "more/bad.yml", "--format", "json", *options)
        return ran.code, {item["code"] for item in json.loads(ran.out)}

    code, everything = codes()
    assert code == 1 and "TD104" in everything
    assert codes("--select", "batch-norm-in-ode") == (1, {"TD104"})
    assert codes("--select", "TD2,TD104", "--ignore", "TD1") == (0, set())
    assert codes("--ignore", "TD104") == (int(bool(everything & {"TD101", "TD103"})), everything - {"TD104"})


def test_validate_takes_settings(run: Run, folder: Path) -> None:
    field = "model.ode.field=[GN(1)–Act–ConcatConv–PosEmb–GN(1)]"
    assert run("validate", "more/bad.yml", "--set", field).code == 0
    ran = run("validate", "good.yaml", "--set", "train.epochs=0", "--format", "concise")
    assert ran.code == 1 and "TD024" in ran.out


def test_validate_counts_a_file_that_others_extend_once(run: Run, folder: Path) -> None:
    alone = run("validate", "more/bad.yml", "--format", "concise")
    for name in ("a", "b"):
        text = f"tdspec: 1\nname: {name}\nextends: more/bad.yml\n"
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    assert run("validate", "--format", "concise") == alone


def test_validate_says_which_file_broke_it(run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tdspec.mend.check_source", broken(RuntimeError("lost")))
    assert "while checking good.yaml" in run("validate", "good.yaml").err


# ------------------------------------------------------------------ validate --fix

BATCH = GOOD.replace("GN(1)]", "BN]")
MISSPELT = BATCH.replace("–Act", "–act").replace("  stem", "  # where it begins\n  setm")


def test_fix_writes_the_file_and_says_what_is_left(run: Run, folder: Path) -> None:
    path = folder / "more" / "bad.yml"
    path.write_text(MISSPELT, encoding="utf-8")
    ran = run("validate", "more", "--fix")
    assert path.read_text(encoding="utf-8") == BATCH.replace("  stem", "  # where it begins\n  stem")
    assert (
        ran.code == 1 and ran.out.startswith("error[TD104]") and "fix: write `GN(1)` (--fix --unsafe-fixes)" in ran.out
    )
    assert ran.err == "fixed 2, 1 more with --unsafe-fixes\n"
    ran = run("validate", "more", "--fix", "--unsafe-fixes")
    assert (ran.code, ran.err) == (0, "fixed 1\n")
    assert run("validate", "more", "--fix") == (0, "more/bad.yml: ok\n", "fixed nothing\n")


def test_fix_does_what_is_selected(run: Run, folder: Path) -> None:
    path = folder / "more" / "bad.yml"
    path.write_text(MISSPELT, encoding="utf-8")
    assert run("validate", "more", "--fix", "--unsafe-fixes", "--select", "TD104").err == "fixed nothing\n"
    run("validate", "more", "--fix", "--ignore", "TD03")
    assert path.read_text(encoding="utf-8") == MISSPELT.replace("setm", "stem")


def test_fix_leaves_what_is_allowed(run: Run, folder: Path) -> None:
    allowed = BATCH.replace("  ode:", "  ode:\n    allow: {TD104: an ablation}")
    (folder / "good.yaml").write_text(allowed, encoding="utf-8")
    assert run("validate", "good.yaml", "--fix", "--unsafe-fixes").err == "fixed nothing\n"


def test_diff_changes_nothing(run: Run, folder: Path) -> None:
    path = folder / "more" / "bad.yml"
    path.write_bytes(MISSPELT.rstrip("\n").replace("\n", "\r\n").encode())
    before = path.read_bytes()
    ran = run("validate", "more", "--diff")
    assert (ran.code, ran.err) == (1, "would fix 2, 1 more with --unsafe-fixes\n")
    assert ran.out.startswith("--- more/bad.yml\n+++ more/bad.yml\n@@ ") and path.read_bytes() == before
    (folder / "fix.diff").write_bytes(ran.out.encode())
    git = ["git", "-c", "core.autocrlf=false", "apply", "-p0", "fix.diff"]
    assert subprocess.run(git, cwd=folder, capture_output=True, check=False).returncode == 0
    by_git = path.read_bytes()
    path.write_bytes(before)
    run("validate", "more", "--fix")
    assert path.read_bytes() == by_git
    assert run("validate", "more", "--diff") == (0, "", "would fix nothing, 1 more with --unsafe-fixes\n")


def test_fix_of_standard_input_goes_to_standard_output(folder: Path) -> None:
    ran = process("-m", "tdspec", "validate", "-", "--fix", stdin=MISSPELT)
    assert ran.returncode == 1 and ran.stdout == BATCH.replace("  stem", "  # where it begins\n  stem")
    assert "error[TD104]" in ran.stderr and ran.stderr.endswith("fixed 2, 1 more with --unsafe-fixes\n")
    ran = process("-m", "tdspec", "validate", "-", "--diff", stdin=MISSPELT)
    assert ran.stdout.startswith("--- <stdin>\n+++ <stdin>\n")
    assert process("-m", "tdspec", "validate", "-", "--fix", stdin=GOOD).stdout == GOOD


def test_unsafe_fixes_alone_mean_nothing(run: Run, folder: Path) -> None:
    ran = run("validate", "--unsafe-fixes")
    assert ran.code == 2 and "goes with --fix or --diff" in ran.err


def test_what_json_offers_is_what_fix_does(run: Run, folder: Path) -> None:
    path = folder / "more" / "bad.yml"
    path.write_text(MISSPELT, encoding="utf-8")
    (key, *_) = [item for item in json.loads(run("validate", "more", "--format", "json").out) if item["fix"]]
    assert key["fix"] == {
        "applicability": "safe",
        "title": "write `stem`",
        "edits": [
            {"path": "more/bad.yml", "line": 6, "column": 3, "end_line": 6, "end_column": 7, "text": "stem"},
        ],
    }
    (run_,) = json.loads(run("validate", "more", "--format", "sarif").out)["runs"]
    (fix,) = next(result["fixes"] for result in run_["results"] if result["ruleId"] == "TD020")
    (change,) = fix["artifactChanges"]
    assert fix["description"]["text"] == "write `stem`" and change["artifactLocation"]["uri"] == "more/bad.yml"
    assert change["replacements"] == [
        {
            "deletedRegion": {"startLine": 6, "startColumn": 3, "endLine": 6, "endColumn": 7},
            "insertedContent": {"text": "stem"},
        }
    ]


# ------------------------------------------------------------------ explain


def test_explain_prints_a_page(run: Run) -> None:
    ran = run("explain", "td104")
    assert ran == run("explain", "batch-norm-in-ode")
    assert ran.code == 0 and ran.out.startswith("TD104 batch-norm-in-ode (error)\n\nBatch normalisation")


def test_explain_lists_all(run: Run) -> None:
    assert len(run("explain").out.splitlines()) == len(CODES)
    pages = json.loads(run("explain", "--all", "--json").out)
    assert [page["code"] for page in pages] == list(CODES)
    assert json.loads(run("explain", "TD104", "--json").out) == pages[list(CODES).index("TD104")]
    assert {example["kind"] for example in pages[-1]["examples"]} == {"bad", "good"}
    assert {page["code"]: page["fix"] for page in pages if page["fix"] != "none"} == FIXES


def test_the_committed_pages_are_current(run: Run) -> None:
    """`make rules` renews them."""
    path = Path(__file__).parents[2] / "docs" / "rules.md"
    assert run("explain", "--all", "--markdown").out == path.read_text(encoding="utf-8")
    assert run("explain", "--all", "--markdown", "--json").code == 2


# ------------------------------------------------------------------ schema, init


def test_schema_is_printed_written_and_compared(run: Run, folder: Path) -> None:
    printed = run("schema")
    assert printed.code == 0 and json.loads(printed.out)["$schema"].startswith("https://json-schema.org/")
    assert run("schema", "--write", "x.json").code == 0
    assert (folder / "x.json").read_text(encoding="utf-8") == printed.out
    assert run("schema", "--check", "x.json").code == 0
    (folder / "x.json").write_text("{}", encoding="utf-8")
    assert run("schema", "--check", "x.json").code == 1
    assert run("schema", "--check", "none.json").code == 2


def test_init_writes_a_spec_that_holds(run: Run, folder: Path) -> None:
    assert run("init", "my spec.yaml").code == 0
    lines = (folder / "my spec.yaml").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "# yaml-language-server: $schema=tdspec.schema.json"
    assert lines[2] == "name: my-spec"
    assert json.loads((folder / "tdspec.schema.json").read_text(encoding="utf-8"))["title"] == "tdspec"
    assert run("validate", "my spec.yaml").out == "my spec.yaml: ok\n"


def test_init_writes_a_diffusion_model_that_holds(run: Run, folder: Path) -> None:
    assert run("init", "--kind", "diffusion").code == 0
    assert "kind: diffuse" in (folder / "diffusion.yaml").read_text(encoding="utf-8")
    assert run("validate", "diffusion.yaml").out == "diffusion.yaml: ok\n"


def test_init_uses_the_schema_that_is_there(run: Run, folder: Path) -> None:
    (folder / "schemas").mkdir()
    (folder / "schemas" / "tdspec.schema.json").write_text("{}", encoding="utf-8")
    assert run("init", "more/node.yaml").code == 0
    first = (folder / "more" / "node.yaml").read_text(encoding="utf-8").partition("\n")[0]
    assert first == "# yaml-language-server: $schema=../schemas/tdspec.schema.json"
    assert not (folder / "more" / "tdspec.schema.json").exists()


def test_init_never_overwrites(run: Run, folder: Path) -> None:
    ran = run("init", "good.yaml")
    assert ran.code == 2 and "never overwrites" in ran.err
    assert (folder / "good.yaml").read_text(encoding="utf-8") == GOOD
    assert run("init", "nowhere/node.yaml") == (
        2,
        "",
        "tdspec: nowhere/node.yaml: No such file or directory\n",
    )


def test_train_says_what_a_device_is(run: Run) -> None:
    ran = run("train", "x.yaml", "--device", "gpu")
    assert ran.code == 2 and "did you mean `cuda`" in ran.err


def test_train_without_a_spec_asks_for_one(run: Run) -> None:
    ran = run("train", "--resume", "nowhere")
    assert ran.code == 2 and "give a SPEC" in ran.err


def test_explain_knows_the_ops(run: Run) -> None:
    said = run("explain", "ConcatConv").out
    assert "Conv2dTime" in said and "position" in said and "One of first, last." in said


def test_torch_names_are_pointed_to_ours(run: Run) -> None:
    text = "tdspec: 1\nmodel: {input: [4], pipeline: [Linear(3)]}\n"
    from tdspec.check import check_text

    assert [item.help for item in check_text(text).report.findings] == ["did you mean `FC`?"]


def test_a_file_in_a_folder_is_reported_as_by_its_name(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "utf16.yaml").write_bytes("tdspec: 1\nname: a\n".encode("utf-16"))
    (tmp_path / "latin.yaml").write_bytes(b"tdspec: 1\nname: \xff\n")
    (tmp_path / "link.yaml").symlink_to("nowhere.yaml")
    named = run("validate", "latin.yaml", "link.yaml", "utf16.yaml")
    assert run("validate", ".") == named
    assert "`link.yaml` is a link to `nowhere.yaml`, which is not there" in named.out and "UTF-16" in named.out


def test_help_has_the_exit_codes(run: Run) -> None:
    shown = " ".join(run("--help").out.split())
    assert "0 clean" in shown and "130 interrupted" in shown and "143" in shown
