"""Where an array is wrong, drawn in text: ``.`` right, ``#`` wrong."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

MOST_ROWS, MOST_COLUMNS = 12, 48
"""A larger array is drawn in blocks."""


def draw(name: str, wrong: NDArray[np.bool_], case: str = "") -> str:
    """Return a map of the last two axes of `wrong`, for one image and channel; empty if all marks would be the same.

    It shows an image and channel that is partly right, or if there is none, one that is wrong.
    """
    if not wrong.any() or wrong.all() or wrong.ndim == 0:
        return ""
    planes = wrong.reshape(-1, *wrong.shape[-2:]) if wrong.ndim > 1 else wrong.reshape(1, 1, -1)
    shares = planes.mean(axis=(1, 2))
    mixed = np.flatnonzero((shares > 0) & (shares < 1))
    if mixed.size:
        chosen = int(mixed[0])
        where = [int(i) for i in np.unravel_index(chosen, wrong.shape[:-2])] if wrong.ndim > 2 else []
        named = f"{name}{where}" if where else name
    else:  # whole planes are right or wrong: one mark for each
        planes, chosen = wrong.any(axis=(-2, -1)).reshape(1, len(wrong), -1), 0
        named = f"{name}, one mark for each index of its first axis (down) and second axis (across)"
    plane = planes[chosen]
    heights, widths = _blocks(plane.shape[0], MOST_ROWS), _blocks(plane.shape[1], MOST_COLUMNS)
    lines = [
        "".join(_mark(plane[top:bottom, left:right]) for left, right in widths).rstrip() for top, bottom in heights
    ]
    legend, size = ". right, # wrong", f"{plane.shape[0]} by {plane.shape[1]}"
    if (len(heights), len(widths)) != plane.shape:
        legend, size = f"{legend}, + partly wrong", f"{size}, drawn in blocks"
    named += f", {case}" if case else ""
    return "\n".join([f"Map of {named} ({size}): {legend}", *(f"  {line}" for line in lines)])


def _blocks(length: int, most: int) -> list[tuple[int, int]]:
    step = -(-length // most)
    return [(start, min(start + step, length)) for start in range(0, length, step)]


def _mark(block: NDArray[Any]) -> str:
    if not block.any():
        return "."
    return "#" if block.all() else "+"
