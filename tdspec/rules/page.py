"""The page of a code: what `tdspec explain` prints and what the tests run.

A page is the docstring of `tdspec/rules/<code>_<name>.py`: a headline, then Markdown, with
examples in fences marked `bad` or `good`:

    ```yaml bad --set train.epochs=0
    tdspec: 1
    ```

A bad example yields the page's code and no other error or warning; a good one yields none.
What follows the mark are settings from the command line. Pages are read without importing
the rule, because explaining should not wait for what judging needs.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Literal, NamedTuple

from tdspec.report.codes import CODES, code_of
from tdspec.report.finding import Severity
from tdspec.report.fix import FIXES, Applicability

FOLDER = Path(__file__).parent
FENCE = re.compile(r"^```(\w+) (bad|good)( --set [^\n]+)?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Example(NamedTuple):
    """A complete spec that shows the code, or how to avoid it.

    settings  `--set` of the command line that goes with it, `train.epochs=0`
    """

    kind: Literal["bad", "good"]
    language: str
    text: str
    settings: tuple[str, ...] = ()


class Page(NamedTuple):
    """What there is to say about one code.

    headline  one sentence without Markdown
    body      the rest of the page, Markdown with the examples in it
    fix       whether `validate --fix` may mend it: `safe`, `unsafe` (with `--unsafe-fixes`) or `none`
    """

    code: str
    name: str
    severity: Severity
    headline: str
    body: str
    examples: tuple[Example, ...]
    fix: Applicability | Literal["none"] = "none"


def path_of(code: str) -> Path:
    """The file that holds a code's page, and its rule if a rule finds it."""
    name, _ = CODES[code]
    return FOLDER / f"{code.lower()}_{name.replace('-', '_')}.py"


def load_page(code_or_name: str) -> Page:
    """The page of a code. Raises `KeyError` for a word that is neither a code nor a name."""
    code = code_of(code_or_name)
    if code is None:
        raise KeyError(code_or_name)
    name, severity = CODES[code]
    # As it is: cleaning a docstring would turn the tabs of an example into blanks.
    text = ast.get_docstring(ast.parse(path_of(code).read_text(encoding="utf-8")), clean=False) or ""
    headline, _, body = text.partition("\n")
    return Page(code, name, severity, headline, body.strip(), _examples(text), FIXES.get(code, "none"))


def load_pages() -> tuple[Page, ...]:
    """All pages, by code."""
    return tuple(load_page(code) for code in CODES)


def _examples(text: str) -> tuple[Example, ...]:
    return tuple(
        Example("bad" if kind == "bad" else "good", language, example, tuple(settings.split()[1::2]))
        for language, kind, settings, example in FENCE.findall(text)
    )
