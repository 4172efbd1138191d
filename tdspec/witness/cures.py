"""What to write instead of a normalisation that erases time, in torch's terms."""

from __future__ import annotations

from tdspec.witness.comparison import WIDE
from tdspec.witness.recording import Norm

SCORE_SDE_BOUND = 4  # least C/G of score_sde's models, arXiv 2405.14126, section 3.3


def group_norm(norm: Norm, width: int) -> str:
    """A `GroupNorm` with at least so many channels in a group, and at most 32 groups."""
    channels = norm.call.channels
    groups = max((item for item in range(1, 33) if channels % item == 0 and channels // item >= width), default=1)
    return f"`nn.GroupNorm({groups}, {channels})` in place of `{norm.title}`"


def cure(norm: Norm, code: str) -> str:
    """The help of a finding of this code at this normalisation."""
    if code == "TD116":
        return "scale behind the norm, as FiLM and adaptive norms do"
    if not norm.call.over_map:
        spanning = f"`nn.GroupNorm(1, {norm.call.channels})`"
        return f"a norm whose units span positions, {spanning}, or an embedding that differs between channels"
    if norm.call.groups == 1:
        return "let time act behind the norm, as scale and shift"
    if code == "TD106":
        return group_norm(norm, WIDE)
    return f"{group_norm(norm, SCORE_SDE_BOUND)}, or let time act behind it, as scale and shift"
