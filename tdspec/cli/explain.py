"""`tdspec explain`: the pages of the codes."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterable

import click

from tdspec.ops import OPS
from tdspec.ops.op import REQUIRED, Op
from tdspec.report.codes import CODES, code_of
from tdspec.report.colour import painter, wants_color
from tdspec.rules.page import Page, load_page, load_pages

DEEPER = re.compile(r"^(## )", re.MULTILINE)  # a page's headings, one level below its title
FIXED = {
    "none": "",
    "safe": "`validate --fix` mends it where there is no doubt about what is meant.",
    "unsafe": "`validate --fix --unsafe-fixes` mends it, which changes what is trained.",
}


@click.command()
@click.argument("rule", required=False)
@click.option("--all", "every", is_flag=True, help="All pages.")
@click.option("--json", "as_json", is_flag=True, help="As JSON: an object, or with --all an array of them.")
@click.option("--markdown", "as_markdown", is_flag=True, help="As one Markdown document.")
def explain(rule: str | None, every: bool, as_json: bool, as_markdown: bool) -> None:
    """Print the page of a finding's code, or of an op.

    RULE is a code (TD104), a name (batch-norm-in-ode) or an op (ConcatConv). Without it, all codes are listed.
    """
    if rule is not None and every:
        raise click.UsageError("give a rule or --all, not both")
    if rule is not None and code_of(rule) is None:
        op = OPS.get(rule)
        if op is not None and not as_json:
            click.echo(op_page(op))
            return
        raise click.UsageError(f"no rule is called `{rule}`{suggestion(rule)}")
    if as_json and as_markdown:
        raise click.UsageError("give --json or --markdown, not both")
    if rule is None and not (every or as_json or as_markdown):
        for code, (name, severity) in CODES.items():
            click.echo(f"{code}  {severity.value:<7}  {name}")
        return
    pages = (load_page(rule),) if rule is not None else load_pages()
    if as_markdown:
        click.echo(_as_document(pages), nl=False)
    elif as_json:
        import json

        objects = [_as_object(page) for page in pages]
        click.echo(json.dumps(objects[0] if rule is not None else objects, indent=2))
    else:
        click.echo("\n\n".join(_as_text(page, wants_color(sys.stdout)) for page in pages), color=True)


def op_page(op: Op) -> str:
    """What an op is, and its arguments in their order."""
    lines = [op.name + "".join(f", also {alias}" for alias in op.aliases), "", inspect.cleandoc(op.doc), ""]
    lines.append("Arguments, in order:" if op.params else "It takes no arguments.")
    for param in op.params:
        choices = f" One of {', '.join(param.choices)}." if param.kind == "choice" else ""
        default = "" if param.default in (None, REQUIRED) else f" By default {str(param.default).lower()}."
        if param.choices:
            default = default.replace(str(param.default).lower(), str(param.default))
        lines.append(f"  {param.name:<12}{param.doc}{choices}{default}")
    return "\n".join(lines)


def suggestion(word: str) -> str:
    """`; did you mean ...?` for a word that is no rule, or where to look."""
    from tdspec.text.suggest import nearest

    near = nearest(word, [*CODES, *(name for name, _ in CODES.values()), *OPS])
    return f"; did you mean `{near}`?" if near else "; `tdspec explain` lists them"


def _as_text(page: Page, color: bool) -> str:
    paint = painter(color)
    head = f"{paint(page.severity.value, page.code)} {paint('strong', page.name)} ({page.severity.value})"
    body = "\n".join(paint("strong", line) if line.startswith("#") else line for line in page.body.splitlines())
    return "\n\n".join(part for part in (head, page.headline, FIXED[page.fix], body) if part)


def _as_document(pages: Iterable[Page]) -> str:
    """A table of the rules, then their pages; `docs/rules.md` is this."""
    lines = ["# Rules", "", "Written by `tdspec explain --all --markdown`; each page is the docstring of its rule.", ""]
    lines += ["| code | name | severity | fix | what it says |", "|---|---|---|---|---|"]
    sections = []
    for page in pages:
        title = f"{page.code} {page.name}"
        link = f"[{page.code}](#{title.lower().replace(' ', '-')})"
        lines.append(f"| {link} | {page.name} | {page.severity.value} | {page.fix} | {page.headline} |")
        parts = (f"## {title}", page.headline, FIXED[page.fix], DEEPER.sub(r"#\1", page.body))
        sections.append("\n\n".join(part for part in parts if part))
    return "\n".join(lines) + "\n\n" + "\n\n".join(sections) + "\n"


def _as_object(page: Page) -> dict[str, object]:
    return {
        "code": page.code,
        "name": page.name,
        "severity": page.severity.value,
        "fix": page.fix,
        "headline": page.headline,
        "body": page.body,
        "examples": [example._asdict() for example in page.examples],
    }
