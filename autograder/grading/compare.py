"""Compare what a student's function returned with what it should have returned.

Pure: arrays and tolerances in, a ``Mismatch`` or nothing out.

Every comparison checks in the same order: ndarray, shape, float dtype, finite entries, values. The test is
``error <= bound`` and never ``error > bound``, so NaN never passes. Shapes are checked first, so nothing is broadcast.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

SHOWN_ENTRIES = 4
"""Wrong entries that are written out where values may be shown."""


@dataclass(frozen=True)
class Foreign:
    """Stands for a result that cannot be sent, as it is neither an array of numbers nor an integer: None, a list."""

    kind: str

    def __repr__(self) -> str:
        return self.kind


@dataclass(frozen=True)
class Mismatch:
    """What is wrong with one result.

    Attributes
    ----------
    kind : str
        ``type``, ``shape``, ``dtype``, ``not finite`` or ``values``.
    message : str
        What a student reads. It contains no expected value and no value of the student's.
    values : str
        Got and expected values of some wrong entries, for tests that may show them; else empty.
    """

    kind: str
    message: str
    values: str = ""


def shape(name: str, got: object, expected: Sequence[int]) -> Mismatch | None:
    """Ask whether `got` is an array with this shape."""
    wanted = tuple(int(n) for n in expected)
    if not isinstance(got, np.ndarray):
        return Mismatch("type", f"{name} is {_described(got)}, but should be an array of shape {wanted}")
    return None if got.shape == wanted else Mismatch("shape", f"{name}.shape={got.shape}, but should be {wanted}")


def tensor(name: str, got: object, expected: Sequence[int]) -> Mismatch | None:
    """Ask whether `got` is an array of floats with this shape and finite entries."""
    mismatch = shape(name, got, expected)
    if mismatch is not None:
        return mismatch
    assert isinstance(got, np.ndarray)
    if got.dtype.kind != "f":
        return Mismatch("dtype", f"{name}.dtype={got.dtype}, but should be a float dtype")
    finite = np.isfinite(got)
    if not finite.all():
        first = tuple(int(i) for i in np.argwhere(~finite)[0])
        what = "NaN" if np.isnan(got[first]) else "infinity"
        count = f"{got.size - int(finite.sum())} of {got.size} entries are not finite"
        return Mismatch("not finite", f"{name} has {what} at {list(first)} ({count}), but should be finite everywhere")
    return None


def array(name: str, got: object, expected: Array, tolerance: float, absolute: float = 0.0) -> Mismatch | None:
    """Ask whether `got` equals `expected`.

    Parameters
    ----------
    name : str
        What the result is called in the handout, e.g. ``dx``.
    got : object
        What came back.
    expected : ndarray of float64
    tolerance : float
        Largest error allowed, as a share of the largest magnitude in `expected`:
        ``|got - expected| <= max(absolute, tolerance * max|expected|)``, entry by entry.
    absolute : float
        Largest error allowed where all of `expected` is tiny.
    """
    mismatch = tensor(name, got, expected.shape)
    if mismatch is not None:
        return mismatch
    assert isinstance(got, np.ndarray)
    with np.errstate(all="ignore"):
        error = np.abs(got.astype(np.float64) - expected)
    right = error <= max(absolute, tolerance * float(np.max(np.abs(expected), initial=0.0)))
    if right.all():
        return None
    where = np.argwhere(~right)
    message = f"{name} differs in {len(where)} of {got.size} entries, first at {[int(i) for i in where[0]]}"
    return Mismatch("values", message, _written_out(name, got, expected, where))


def integer(name: str, got: object, expected: int) -> Mismatch | None:
    """Ask whether `got` is the integer `expected` (a float that happens to be whole is not)."""
    if not isinstance(got, int):
        return Mismatch("type", f"{name} is {_described(got)}, but should be an int")
    return (
        None
        if got == expected
        else Mismatch("values", f"{name} has the wrong value", f"{name}={got}, but should be {expected}")
    )


def dtype(name: str, got: object, expected: np.dtype[Any]) -> Mismatch | None:
    """Ask whether `got` is an array with exactly this dtype."""
    if not isinstance(got, np.ndarray):
        return Mismatch("type", f"{name} is {_described(got)}, but should be an array of dtype {expected}")
    if got.dtype != expected:
        return Mismatch("dtype", f"{name}.dtype={got.dtype}, but should be {expected}")
    return None


def slopes(
    name: str,
    got: object,
    directions: Array,
    expected: Array,
    tolerance: float,
    source: str,
    absolute: float = 0.0,
) -> Mismatch | None:
    """Ask whether a gradient has the slopes that it should have along some directions.

    Parameters
    ----------
    name, got
        The gradient.
    directions : ndarray, shape (K, *got.shape)
    expected : ndarray of float64, shape (K,)
        ``(loss(x + h*v) - loss(x - h*v)) / (2*h)`` for each direction ``v``, or what equals it.
    tolerance : float
        ``|<got, v> - expected| <= max(absolute, tolerance * max|expected|)``, direction by direction.
    source : str
        What `expected` comes from, for the message.
    absolute : float
        Largest error allowed where all of `expected` is tiny.
    """
    mismatch = tensor(name, got, directions.shape[1:])
    if mismatch is not None:
        return mismatch
    assert isinstance(got, np.ndarray)
    with np.errstate(all="ignore"):
        found = directions.reshape(len(directions), -1) @ got.astype(np.float64).reshape(-1)
        bound = max(absolute, tolerance * float(np.max(np.abs(expected), initial=0.0)))
        right = np.abs(found - expected) <= bound
    if right.all():
        return None
    message = f"{name} disagrees with {source} along {int((~right).sum())} of {len(expected)} directions"
    return Mismatch("values", message)


def distinct(name: str, first: object, second: object) -> Mismatch | None:
    """Ask whether the results for two different inputs are arrays that differ; NaN equals NaN, -0.0 equals 0.0."""
    for result in (first, second):
        if not isinstance(result, np.ndarray):
            return Mismatch("type", f"{name} is {_described(result)}, but should be an array")
    got, other = np.asarray(first), np.asarray(second)
    if np.array_equal(got, other, equal_nan=True):
        if not got.size:
            return Mismatch("values", f"{name} has no entries, but should depend on the inputs")
        if np.isnan(got).all():
            return Mismatch("values", f"{name} is NaN everywhere, but should be finite and depend on the inputs")
        return Mismatch("values", f"{name} is the same for two different inputs, but should depend on them")
    return None


def untouched(before: Sequence[Array], after: Sequence[Array], labels: Sequence[str] = ()) -> Mismatch | None:
    """Ask whether a call left its input arrays as they were, bit for bit; `labels` are what they are called."""
    for number, (old, new) in enumerate(zip(before, after, strict=True), start=1):
        if old.shape != new.shape or old.dtype != new.dtype or old.tobytes() != new.tobytes():
            what = (labels[number - 1] if labels else "") or f"input array {number}"
            return Mismatch("values", f"{what} was changed by the call, but should be left as it was")
    return None


def own_memory(names: Sequence[str], shares: Sequence[Sequence[bool]]) -> Mismatch | None:
    """Ask whether no result shares memory with an input; ``shares[i][j]`` is about result i and input j."""
    for name, row in zip(names, shares, strict=True):
        if any(row):
            return Mismatch("values", f"{name} shares memory with an input, but should have memory of its own")
    return None


def _described(got: object) -> str:
    if isinstance(got, np.ndarray):
        return f"an array of shape {got.shape}"
    return repr(got) if isinstance(got, Foreign) else f"the number {got}"


def _written_out(name: str, got: Array, expected: Array, where: Array) -> str:
    lines = []
    for index in where[:SHOWN_ENTRIES]:
        place = tuple(int(i) for i in index)
        lines.append(f"{name}{list(place)}={got[place]:.6g}, but should be {expected[place]:.6g}")
    return "\n".join(lines)
