"""Where a pipeline stands: what its steps mean depends on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tdspec.ops.op import Role

Environment = Mapping[str, "int | float"]


@dataclass(frozen=True, slots=True)
class Place:
    """What a pipeline needs to know of where it stands.

    where        dotted path of the pipeline in the spec
    environment  what expressions may name besides C: `in`, `out`, the block's parameters
    out          width of the block's first convolution, if it is not written
    role         role that takes `operand`'s place: `head`, or `time` inside the embedding
    classes      width of the last FC of a classifier; 0 where the data do not say it before they are read
    prefix       put before the names of nodes
    """

    where: str
    environment: Environment = field(default_factory=dict)
    out: int | None = None
    role: Role = "operand"
    classes: int | None = None
    prefix: str = ""
