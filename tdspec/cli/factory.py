"""A model by the name of what makes it: `package.module:factory`, or `file.py:factory`."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from typing import TYPE_CHECKING, Any

import click

from tdspec.text.suggest import nearest

if TYPE_CHECKING:
    from torch import nn


def made(factory: str, config: dict[str, Any], seed: int) -> nn.Module:
    """The model that a factory makes, from the same random state every time."""
    import torch
    from torch import nn

    path, colon, name = factory.rpartition(":")
    if not colon or not name:
        raise click.UsageError(f"`{factory}` names no factory; expected module:factory, such as diffusers:UNet2DModel")
    found: Any = _imported(path)
    for part in name.split("."):
        if not hasattr(found, part):
            near = nearest(part, [word for word in dir(found) if not word.startswith("_")])
            hint = f"; did you mean `{near}`?" if near else ""
            raise click.UsageError(f"there is no `{part}` in {path}{hint}")
        found = getattr(found, part)
    if not isinstance(found, nn.Module):
        torch.manual_seed(seed)
        try:
            found = found(**config)
        except Exception as error:
            raise click.ClickException(f"{factory} failed: {type(error).__name__}: {error}") from error
    if not isinstance(found, nn.Module):
        raise click.ClickException(f"{factory} made a {type(found).__name__}; expected a torch.nn.Module")
    return found


def _imported(path: str) -> Any:
    """A module by its name, also from the working directory, or from its file."""
    if path.endswith(".py") and not os.path.isfile(path):
        raise click.UsageError(f"there is no file {path}")
    arguments, sys.argv = sys.argv, sys.argv[:1]  # scripts read their command line while they are imported
    try:
        if path.endswith(".py"):
            return _from_file(path)
        if os.getcwd() not in sys.path:
            sys.path.insert(0, os.getcwd())
        return import_module(path)
    except ModuleNotFoundError as error:
        if error.name is not None and (path == error.name or path.startswith(f"{error.name}.")):
            message = f"no module is called {path}; a file is given by its path, such as net.py:Net"
            raise click.UsageError(message) from None
        raise click.ClickException(f"importing {path} failed: {error}") from error
    except (Exception, SystemExit) as error:
        raise click.ClickException(f"importing {path} failed: {type(error).__name__}: {error}") from error
    finally:
        sys.argv = arguments


def _from_file(path: str) -> Any:
    spec = spec_from_file_location(os.path.splitext(os.path.basename(path))[0], path)
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    sys.modules.setdefault(spec.name, module)  # dataclasses and pickles look for it there
    spec.loader.exec_module(module)
    return module
