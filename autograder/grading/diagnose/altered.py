"""Recognise results that are right but for what was done to them at the end: rounded, or cut off at a limit.

Pure: knows two arrays of numbers. No text holds a number of the arrays.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

MOST_DECIMALS = 6
FEWEST = 2
"""So many entries have to be at a limit, since one alone may be wrong for any reason."""


def rounded(got: Array, expected: Array, tolerance: float) -> str:
    """Return to what a wrong array was rounded, which completes "is rounded to …"; empty if it was not.

    Parameters
    ----------
    got, expected : ndarray of float64
        Of the same shape, and finite.
    tolerance : float
        The largest error that passes, as a share of the largest entry.
    """
    error = float(np.max(np.abs(got - expected), initial=0.0))
    noise = max(tolerance, 1e-12) * float(np.max(np.abs(expected), initial=0.0))
    for decimals in range(MOST_DECIMALS + 1):
        unit = 10.0**-decimals
        if 100 * noise > unit or error > 0.5 * unit + noise:
            return ""
        if got.size > 2 and bool((np.abs(got - np.round(got, decimals)) <= noise).all()):
            return {0: "whole numbers", 1: "1 decimal"}.get(decimals, f"{decimals} decimals")
    return ""


def limited(got: Array, expected: Array, bound: float) -> tuple[str, str]:
    """Return which entries of a wrong array were cut off, as a key and as a text that completes "It …".

    Parameters
    ----------
    got, expected : ndarray of float64
        Of the same shape, and finite.
    bound : float
        The largest error that passes.
    """
    most, least = float(got.max()), float(got.min())
    above, below = expected > most + bound, expected < least - bound
    inside = ~(above | below)
    right = np.abs(got - np.clip(expected, least, most)) <= bound
    if not right.all() or not inside.any() or np.count_nonzero(~inside) < FEWEST:
        return "", ""
    if below.any() and not above.any() and least == 0:
        return "no negative", "is right but for the negative entries, which became 0"
    sides = [("large", "larger")] * bool(above.any()) + [("small", "smaller")] * bool(below.any())
    what = " or ".join(side for side, _ in sides)
    return f"limited {what}", f"is cut off: entries that should be {' or '.join(s for _, s in sides)} became a limit"
