"""A QR code as the outline of its dark squares, for an SVG path without any style."""

from __future__ import annotations

from dataclasses import dataclass

import segno

QUIET = 4  # squares of white around it (ISO/IEC 18004)


@dataclass(frozen=True)
class QRCode:
    """`size` squares in both directions, the quiet zone included; `path` in the same unit."""

    size: int
    path: str


def drawn(text: str) -> QRCode:
    """The code of a text; each run of dark squares is one rectangle."""
    matrix = segno.make(text, error="m", micro=False).matrix
    parts = []
    for y, row in enumerate(matrix):
        x = 0
        while x < len(row):
            start = x
            while x < len(row) and row[x]:
                x += 1
            if x > start:
                parts.append(f"M{start + QUIET} {y + QUIET}h{x - start}v1h{start - x}z")
            x += 1
    return QRCode(len(matrix) + 2 * QUIET, "".join(parts))
