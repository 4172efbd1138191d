"""Tables as text."""

from __future__ import annotations

from collections.abc import Sequence


def aligned(head: tuple[str, ...], rows: Sequence[tuple[str, ...]], *, right: tuple[str, ...] = ()) -> str:
    """Rows under a head, in columns; those named in `right` hold numbers, which stand under each other's last digit."""
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]

    def line(values: tuple[str, ...]) -> str:
        cells = (
            value.rjust(width) if title in right else value.ljust(width)
            for title, value, width in zip(head, values, widths, strict=True)
        )
        return "  ".join(cells).rstrip()

    return "\n".join([line(head), *map(line, rows)])
