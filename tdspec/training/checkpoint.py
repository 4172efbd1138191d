"""Checkpoints: safetensors and JSON, never a pickle; written aside, then renamed.

    checkpoints/step-360/model.safetensors      weights and buffers, the spec in the metadata
                        /ema.safetensors        the averaged ones, if there are any
                        /optimizer.safetensors  `<slot>/<parameter>`
                        /state.json             everything else; see `tdspec.training.loop`
    checkpoints/last -> step-360, checkpoints/best -> step-240

A folder that has a name is complete. Older ones than `last` and `best` are removed.
"""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from tdspec.training.errors import CheckpointError, FolderError


@dataclass
class Checkpoint:
    """All that a run needs to go on.

    model      state dict
    optimizer  the optimizer's tensors, `<slot>/<parameter>`
    ema        state dict of the averaged weights; empty without
    state      JSON: step, epoch, position, random states, schedule, ...
    """

    model: dict[str, Tensor]
    optimizer: dict[str, Tensor]
    ema: dict[str, Tensor]
    state: dict[str, Any]
    metadata: dict[str, str] = field(default_factory=dict)


def save(folder: Path, name: str, checkpoint: Checkpoint, *, best: bool) -> Path:
    """Write a checkpoint below `folder` (`checkpoints`) and point `last`, and maybe `best`, to it.

    Raises `FolderError` if the disk is full or the folder read-only; what was there before stays.
    """
    final, aside = folder / name, folder / f".{name}.{os.getpid()}"
    try:
        if not final.exists():
            shutil.rmtree(aside, ignore_errors=True)
            aside.mkdir(parents=True)
            for part in ("model", "optimizer", "ema"):
                tensors = getattr(checkpoint, part)
                if tensors or part == "model":
                    _write_tensors(aside / f"{part}.safetensors", tensors, checkpoint.metadata)
            _write(aside / "state.json", json.dumps(checkpoint.state).encode())
            os.rename(aside, final)
            _sync(folder)
        for link in ("last", "best") if best else ("last",):
            _point(folder / link, name)
        _tidy(folder)
    except (OSError, SafetensorError) as error:
        shutil.rmtree(aside, ignore_errors=True)
        raise FolderError(
            f"cannot write the checkpoint {final}: {error}; the one before is untouched, go on from it with --resume "
            "once there is room"
        ) from error
    return final


def load(path: Path) -> Checkpoint:
    """Read a checkpoint folder, or the one that a `last` or `best` points to. Raises `CheckpointError`."""
    if not path.is_dir():
        raise CheckpointError(f"no checkpoint at {path}: a folder with model.safetensors and state.json is expected")
    tensors: dict[str, dict[str, Tensor]] = {}
    metadata: dict[str, str] = {}
    file = path / "state.json"
    try:
        state = json.loads(file.read_bytes())
        for part in ("model", "optimizer", "ema"):
            file = path / f"{part}.safetensors"
            tensors[part] = load_file(file) if file.exists() or part == "model" else {}
        with safe_open(path / "model.safetensors", "pt") as opened:
            metadata = opened.metadata() or {}
    except (OSError, ValueError, SafetensorError) as error:
        raise CheckpointError(
            f"{file} is missing, cut off or damaged ({error}): resume from another checkpoint beside it, `best` for one"
        ) from error
    return Checkpoint(**tensors, state=state, metadata=metadata)


def optimizer_tensors(optimizer: torch.optim.Optimizer, model: nn.Module) -> dict[str, Tensor]:
    """The optimizer's tensors by slot and name of the parameter, which survive a change of order."""
    names: dict[Tensor, str] = {parameter: name for name, parameter in model.named_parameters()}
    return {
        f"{slot}/{names[parameter]}": value.detach()
        for parameter, slots in optimizer.state.items()
        for slot, value in slots.items()
        if isinstance(value, Tensor)
    }


def restore_optimizer(optimizer: torch.optim.Optimizer, model: nn.Module, tensors: dict[str, Tensor]) -> None:
    """Put `optimizer_tensors` back, each on the device of the optimizer's own choice."""
    parameters = dict(model.named_parameters())
    for key, value in tensors.items():
        slot, name = key.split("/", 1)
        if name not in parameters:
            raise CheckpointError(f"the checkpoint's optimizer knows a parameter `{name}`, the network does not")
        parameter = parameters[name]
        place = value if slot == "step" else value.to(parameter.device)
        optimizer.state[parameter][slot] = place.clone()


def _write_tensors(path: Path, tensors: dict[str, Tensor], metadata: dict[str, str]) -> None:
    kept: dict[str, Tensor] = {}
    seen: set[int] = set()
    for name, tensor in tensors.items():
        tensor = tensor.detach().cpu().contiguous()
        place = tensor.untyped_storage().data_ptr()
        kept[name] = tensor.clone() if place in seen else tensor  # safetensors refuses shared memory
        seen.add(place)
    save_file(kept, path, metadata)
    _sync(path)


def _write(path: Path, content: bytes) -> None:
    with open(path, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _point(link: Path, name: str) -> None:
    """Let a link point to a checkpoint, at no moment to nothing."""
    aside = link.with_name(f".{link.name}.{os.getpid()}")
    aside.unlink(missing_ok=True)
    aside.symlink_to(name, target_is_directory=True)
    os.replace(aside, link)


def _tidy(folder: Path) -> None:
    kept = {os.readlink(link) for link in (folder / "last", folder / "best") if link.is_symlink()}
    for entry in folder.iterdir():
        stale = entry.name.startswith("step-") and entry.name not in kept
        if entry.is_dir() and not entry.is_symlink() and (stale or entry.name.startswith(".step-")):
            shutil.rmtree(entry)
