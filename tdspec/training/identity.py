"""Whether a checkpoint belongs to a spec, and if not, what differs."""

from __future__ import annotations

from typing import Any

import yaml

from tdspec.training.errors import CheckpointError

# A run may go on longer, elsewhere, or with other output; anything else makes it another run.
MAY_CHANGE = (
    "about", "name", "train.epochs", "train.iterations", "train.log_every", "train.checkpoint_every",
    "train.checkpoint_steps", "data.root", "data.download", "data.workers",
)  # fmt: skip


def require_same_spec(saved: str, current: str, place: str) -> list[str]:
    """The differences between two resolved specs, where all of them may be.

    Raises `CheckpointError` that names those that may not.
    """
    differences = list(_differences(_flat(saved), _flat(current)))
    refused = [
        line for key, line in differences if not any(key == may or key.startswith(f"{may}.") for may in MAY_CHANGE)
    ]
    if refused:
        more = f" and {len(refused) - 5} more" if len(refused) > 5 else ""
        raise CheckpointError(f"{place} was made from another spec: {'; '.join(refused[:5])}{more}")
    return [line for _, line in differences]


def _flat(text: str) -> dict[str, Any]:
    flat: dict[str, Any] = {}

    def walk(prefix: str, value: Any) -> None:
        if isinstance(value, dict):
            for key, item in value.items():
                walk(f"{prefix}.{key}" if prefix else str(key), item)
        else:
            flat[prefix] = value

    walk("", yaml.safe_load(text))
    return flat


def _differences(saved: dict[str, Any], current: dict[str, Any]) -> Any:
    for key in sorted(saved.keys() | current.keys()):
        there, here = saved.get(key), current.get(key)
        if there != here:
            yield key, f"`{key}` is {_shown(there)} there, {_shown(here)} here"


def _shown(value: Any) -> str:
    return "not given" if value is None else f"`{value}`"
