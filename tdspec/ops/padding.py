"""Padding: how many positions a window gets beyond the map's ends."""

from __future__ import annotations

from tdspec.ops.op import Param, Site

PADDING = Param(
    "padding",
    "padding",
    "same",
    "Positions added on every side. `same` is half the kernel; `same_upper` is as many in all as give size/stride "
    "positions, rounded up, an odd one at the end: TensorFlow's SAME, ONNX's SAME_UPPER.",
    minimum=0,
    choices=("same", "same_upper"),
)


def padding_of(site: Site, kernel: tuple[int, ...], dilation: int = 1) -> tuple[tuple[int, int], ...]:
    """How many positions are added before and behind the map, on each axis."""
    if site["padding"] == "same":
        return tuple(((dilation * (window - 1)) // 2,) * 2 for window in kernel)
    if site["padding"] == "same_upper":
        return tuple(
            _same_upper(extent, dilation * (window - 1) + 1, site["stride"])
            for extent, window in zip(site.x.spatial, kernel, strict=True)
        )
    return ((int(site["padding"]),) * 2,) * len(kernel)


def _same_upper(extent: int, window: int, stride: int) -> tuple[int, int]:
    """As few positions as give ceil(extent / stride) windows; an odd one goes behind the map."""
    total = max((-(-extent // stride) - 1) * stride + window - extent, 0)
    return total // 2, total - total // 2
