"""`tdspec init`: a small spec to start from, which editors can complete."""

from __future__ import annotations

import os
import re
from pathlib import Path

import click

SCHEMA = "tdspec.schema.json"
NODE = """\
# yaml-language-server: $schema={schema}
tdspec: 1
name: {name}
about: A neural ODE that reads handwritten digits.

defaults:
  Act: SiLU                     # smooth: a solver needs fewer evaluations than with ReLU
  GN: {{groups: 1}}               # one group keeps the whole time signal

init: {{operand: {{bias: zeros}}}}  # the time branch keeps PyTorch's bias

model:
  input: [1, 8, 8]              # channels, height, width
  stem: [Conv(32)–GN–Act]
  ode:                          # h' = field(t, h) from t = 0 to t = 1
    field: [GN–Act–ConcatConv–PosEmb–GN–Act–ConcatConv–PosEmb–GN]
    t: [0, 1]
    solver: {{method: dopri5, rtol: 1e-3, atol: 1e-3, gradient: adjoint}}
  head: [GN–Act–GAP–FC]         # FC is as wide as the data has classes

task: {{kind: classify}}
data: {{name: digits}}            # 1,797 images inside scikit-learn; nothing to download
train:
  optimizer: {{kind: adam, lr: 1e-3}}
  epochs: 20
  batch_size: 64
"""

DIFFUSION = """\
# yaml-language-server: $schema={schema}
tdspec: 1
name: {name}
about: A diffusion model that writes digits.

defaults:
  Act: SiLU
  GN: {{groups: 1}}               # one group keeps the whole time signal

init: {{operand: {{bias: zeros}}}}  # the time branch keeps PyTorch's bias

time:
  argument: 1000*t              # t is in [0, 1]; the sinusoid is made for DDPM's 1000 steps
  embed: [Sinusoid(32)–FC(64)–Act–FC(64)]

blocks:
  Res:                          # Emb adds time per channel, PosEmb per position
    pipeline: [GN–Act–Conv–Emb–PosEmb–GN–Act–Conv(init=zeros)]
    shortcut: [Conv1x1]

model:
  input: [1, 8, 8]              # channels, height, width
  unet:
    width: 16
    multipliers: [1, 2, 4]      # channels of each level over width
    blocks_per_level: 1
    block: Res
    middle: [Res–Res]
    down: [Conv(stride=2)]
    up: [Up–Conv]
  head: [GN–Act–Conv(1, init=zeros)]

task: {{kind: diffuse, noise: {{kind: cosine}}, predict: v}}
data: {{name: digits}}            # 1,797 images inside scikit-learn; nothing to download
train:
  optimizer: {{kind: adam, lr: 2e-3}}
  iterations: 2000
  batch_size: 64
  clip_norm: 1
  ema: {{decay: 0.995}}
  evaluate_every: 20
"""

SPECS = {"node": NODE, "diffusion": DIFFUSION}


@click.command()
@click.argument("path", type=click.Path(dir_okay=False, path_type=Path), required=False)
@click.option(
    "--kind", type=click.Choice(tuple(SPECS)), default="node", help="A neural ODE, node, or a diffusion model."
)
def init(path: Path | None, kind: str) -> None:
    """Write a small spec to start from.

    PATH is node.yaml or diffusion.yaml unless given; a file that is there is left alone. The spec's first line names
    the language's schema: the nearest tdspec.schema.json or schemas/tdspec.schema.json in the folders
    above, or one that is written beside the spec.
    """
    path = path or Path(f"{kind}.yaml")
    known = _schema_for(path)
    schema = known or path.parent / SCHEMA
    relative = Path(os.path.relpath(schema, path.parent)).as_posix()
    _write(path, SPECS[kind].format(schema=relative, name=_name(path)))
    if known is None:
        from tdspec.language.schema import schema_text

        _write(schema, schema_text())
    click.echo(f"next: tdspec validate {path}, then tdspec train {path}", err=True)


def _schema_for(path: Path) -> Path | None:
    """A schema that is there already, in the spec's folder or above."""
    for folder in path.absolute().parents:
        for found in (folder / SCHEMA, folder / "schemas" / SCHEMA):
            if found.is_file():
                return found
    return None


def _name(path: Path) -> str:
    """A spec name from the file's: letters, digits, `.`, `_` and `-`."""
    return re.sub(r"[^A-Za-z0-9._-]", "-", path.stem).lstrip("._-") or "node"


def _write(path: Path, text: str) -> None:
    """Write a new file. Never touches one that is there."""
    try:
        with open(path, "x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except FileExistsError:
        raise click.UsageError(f"{path} exists, and `init` never overwrites; name another file") from None
    click.echo(f"wrote {path}", err=True)
