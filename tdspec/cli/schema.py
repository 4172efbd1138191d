"""`tdspec schema`: the JSON Schema of the language, printed, written or compared."""

from __future__ import annotations

from pathlib import Path

import click

from tdspec.language.schema import schema_text

FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.option("--write", type=FILE, metavar="PATH", help="Write it to a file.")
@click.option("--check", type=FILE, metavar="PATH", help="Exit with 1 if a file is not this schema.")
def schema(write: Path | None, check: Path | None) -> int:
    """Print the JSON Schema of the language, for editors.

    Name it in the first line of a spec, and editors complete and explain its keys:

    \b
    # yaml-language-server: $schema=tdspec.schema.json
    """
    if write is not None and check is not None:
        raise click.UsageError("give --write or --check, not both")
    text = schema_text()
    if write is not None:
        write.write_text(text, encoding="utf-8")
        click.echo(f"wrote {write}", err=True)
    elif check is not None:
        if check.read_text(encoding="utf-8") != text:
            click.echo(f"{check} is of another version; `tdspec schema --write {check}` renews it", err=True)
            return 1
        click.echo(f"{check} is current", err=True)
    else:
        click.echo(text, nl=False)
    return 0
