"""Whether a student's function loops over entries in Python: its Python steps, counted at three sizes.

The steps (opcodes) of vectorised code are as many for a large input as for a small one; those of a loop over rows grow
like the side, those of a loop over entries like its square. The inputs are the same in every grading, and so is the
count. The steps of NumPy's own Python count as well: ``np.vectorize`` and ``np.apply_along_axis`` loop in there.

Code that turns an array into lists and uses ``map`` with built-in functions takes no steps, but makes a Python object
for every entry. So objects are counted as well.

The student's own worker counts, so student code could forge the count. ``timing.py`` says what that can gain.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from autograder.core.errors import NotRun, StudentError
from autograder.grading.calls import Count
from autograder.grading.inputs import Inputs
from autograder.grading.proxy import Proxy

FLAT, ROWS, ENTRIES, OBJECTS, UNKNOWN = "flat", "rows", "entries", "objects", "unknown"

SIZES = (16, 32, 64)
"""Heights and widths where steps are counted."""
FIRST_SIZE = 8
"""Size of a first call that is not counted: since Python 3.12 the first count misses most of the steps."""
SEED = 0
"""Seed of the inputs. Even if the steps depend on values, they are the same in every grading."""
FEWEST_STEPS = 5
"""A call takes at least this many steps; a smaller count cannot be true."""
PER_ENTRY = 0.5
"""From so many steps or objects for one more entry on, code loops over entries. The shortest loop takes five steps for
each, and a loop over every fourth entry counts as well."""
SHARE = 0.1
"""Less than this share of the steps at the largest size is no loop: printing takes more or fewer with other numbers."""
PER_SIDE = 5.0
"""From so many steps on for one more row or column, code loops over rows or columns."""


@dataclass(frozen=True)
class Growth:
    """How the steps of a call grow.

    Attributes
    ----------
    kind : str
        ``flat``, ``rows`` (or columns), ``entries``, ``objects`` (one of every entry, without steps for it), or
        ``unknown`` where the count is missing or cannot be true.
    function : str
        The student's function whose steps grow most; empty where none do.
    """

    kind: str
    function: str = ""

    @property
    def is_vectorised(self) -> bool:
        """Whether the steps do not grow with the number of entries."""
        return self.kind in (FLAT, ROWS)


def growth(counts: Sequence[Count]) -> Growth:
    """Say how steps grow.

    Parameters
    ----------
    counts : sequence of Count
        At each of SIZES.

    Notes
    -----
    Steps are ``a + b*n + c*n**2`` at the size ``n``, so that three counts tell ``b`` and ``c`` exactly.
    """
    totals = [sum(count.steps.values()) for count in counts]
    if min(totals) < FEWEST_STEPS or 2 * totals[-1] < max(totals):  # no code does half as much for more entries
        return Growth(UNKNOWN)
    per_entry, per_side = _coefficients(totals)
    if per_entry < PER_ENTRY and _coefficients([count.objects for count in counts])[0] >= PER_ENTRY:
        return Growth(OBJECTS)
    least = SHARE * totals[-1] / SIZES[-1]
    loops = {ENTRIES: per_entry >= max(PER_ENTRY, least / SIZES[-1]), ROWS: per_side >= max(PER_SIDE, least)}
    kind = next((kind for kind, holds in loops.items() if holds), FLAT)
    if kind == FLAT:
        return Growth(FLAT)
    each = {name: _coefficients([count.steps.get(name, 0) for count in counts]) for name in sorted(counts[-1].steps)}
    by_kind = 0 if kind == ENTRIES else 1
    return Growth(kind, max(each, key=lambda name: each[name][by_kind]))


def _coefficients(counts: Sequence[int]) -> tuple[float, float]:
    """Return ``c`` and ``b`` of the parabola through three counts."""
    small, middle, large = SIZES
    first = (counts[1] - counts[0]) / (middle - small)
    second = (counts[2] - counts[1]) / (large - middle)
    per_entry = (second - first) / (large - small)
    return per_entry, first - per_entry * (small + middle)


def count(lap: Callable[..., Iterator[Mapping[str, object]]], student: Proxy, function: str) -> Growth:
    """Count the steps of one function of the assignment in the calls of a race, and say how they grow.

    Parameters
    ----------
    lap : callable
        See ``timing.Lap``.
    student : Proxy
    function : str
        Whose steps.
    """
    student.close()  # a new worker, because this one may have stored results that need no steps now
    try:
        _count(lap, student, function, FIRST_SIZE)
        grown = growth([_count(lap, student, function, size) for size in SIZES])
    except NotRun:  # time is up: that is no sign of a loop
        raise
    except StudentError:
        return Growth(UNKNOWN)
    # Text from the worker is shown to the student only if it names something in the student's own files.
    return grown if grown.function in student.names else Growth(grown.kind, function)


def _count(lap: Callable[..., Iterator[Mapping[str, object]]], student: Proxy, function: str, size: int) -> Count:
    counted = _Counted(student, function)
    draw = Inputs(SEED).draw()
    with suppress(StopIteration):
        calls = lap(counted, draw, size, size)
        while counted.count is None:
            next(calls)
    student.forget()
    return counted.count or Count({}, 0)


class _Counted:
    """A student's functions; the steps of one of them are counted."""

    def __init__(self, student: Proxy, function: str) -> None:
        self._student = student
        self._function = function
        self.count: Count | None = None

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name != self._function:
            function: Callable[..., Any] = getattr(self._student, name)
            return function

        def counted(*args: Any, **kwargs: Any) -> Any:
            results, self.count = self._student.counted(name, *args, **kwargs)
            return results

        return counted
