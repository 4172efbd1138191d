"""The command `tdspec`: the table of commands, and how a command ends.

A command is one file of this folder and one line here; its module is imported when it runs, so
that `tdspec --help` waits for nothing. Findings go to stdout, all else to stderr.

Exit codes: 0 clean, 1 findings of severity error, 2 usage or a bug of ours, 130 interrupted.
"""

from __future__ import annotations

import os
import sys
import traceback
from importlib import import_module
from typing import Any

import click

from tdspec import __version__
from tdspec.report.finding import SpecError

FINDINGS, FAILED, INTERRUPTED, CLOSED_PIPE = 1, 2, 130, 141

COMMANDS = {
    "validate": "Check specs and say what does not hold.",
    "explain": "Print the page of a finding's code, or of an op.",
    "build": "Compile a spec: its nodes, its source, its picture.",
    "train": "Train a spec.",
    "sample": "Draw images from a trained diffusion model.",
    "eval": "Measure what a trained run is worth.",
    "probe": "Measure the time share at every node.",
    "audit": "Measure where time dies in any PyTorch module that takes it.",
    "schema": "Print the JSON Schema of the language, for editors.",
    "init": "Write a small spec to start from.",
}

_debug = click.Option(
    ["--debug"], is_flag=True, expose_value=False, help="Show the traceback of a bug in tdspec.",
    callback=lambda context, _, value: value and context.obj.update(debug=True),
)  # fmt: skip


class Commands(click.Group):
    """A group whose commands are imported when they are used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = getattr(import_module(f"tdspec.cli.{cmd_name}"), cmd_name)
        if _debug not in command.params:
            command.params.append(_debug)
        return command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from tdspec.text.suggest import nearest

            near = nearest(args[0], list(COMMANDS))
            hint = f"did you mean `tdspec {near}`?" if near else f"commands are {', '.join(COMMANDS)}"
            raise click.UsageError(f"there is no command `{args[0]}`; {hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:  # `tdspec explain --all | head`: whoever read has had enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise SystemExit(CLOSED_PIPE) from None


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="tdspec")
def app() -> None:
    """A graph spec compiler for time-dependent neural networks.

    \b
    tdspec validate node.yaml     what does not hold, and how to mend it
    tdspec train node.yaml        from the spec to a trained model

    \b
    Exit codes: 0 clean; 1 a finding of severity error, or a run that failed; 2 wrong usage or a bug of tdspec;
    130 interrupted (Ctrl-C), 143 ended (SIGTERM); what a run had reached is saved by then.
    """


app.params.append(_debug)


def main(arguments: list[str] | None = None) -> int:
    """Run one command line (by default this process's) and give its exit code."""
    state = {"debug": False}
    for stream in (sys.stdout, sys.stderr):
        # A terminal that lacks a character shows its number; a message is no reason to fail.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        code = app.main(arguments, "tdspec", standalone_mode=False, obj=state)
    except SpecError as error:
        from tdspec.cli.output import print_report

        print_report(error.report, "full")
        return FINDINGS
    except click.Abort:
        return INTERRUPTED
    except click.ClickException as error:
        error.show()
        return FAILED
    except Exception as error:
        if state["debug"]:
            traceback.print_exc()
        return _failed(error)
    return code if isinstance(code, int) else 0


def _failed(error: Exception) -> int:
    """Say in one line what the operating system refused, or that tdspec has a bug."""
    if isinstance(error, OSError) and error.filename is not None:
        click.echo(f"tdspec: {error.filename}: {error.strerror}", err=True)
        return FAILED
    what = " ".join(f"{type(error).__name__}: {error}".split())
    notes = "".join(f", {note}" for note in getattr(error, "__notes__", ()))
    click.echo(
        f"tdspec: this is a bug in tdspec {__version__} ({what[:300]}{notes}); please report it "
        "with the spec and what the same command prints with --debug",
        err=True,
    )
    return FAILED
