"""Whether a function is right on large inputs. Code with 16-bit indices or blocks of a fixed size is not.

The same calls are made by the student's functions and by the model answer's, each in a worker of its own, and the
results are compared. The largest size comes first; a right function needs no other. If a result is wrong, the smaller
sizes are tried, from the smallest, to find up to which size it is right. Inputs are the same in every grading.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from autograder.core.errors import GraderFault, Raised, StudentError, Wrong
from autograder.grading import compare
from autograder.grading.inputs import Inputs
from autograder.grading.proxy import Proxy
from autograder.grading.timing import Lap

SEED = 0
"""Seed of the inputs."""

Sizes = Sequence[tuple[int, int]]
"""Heights and widths, the smallest first."""


def require_right(
    lap: Lap,
    function: str,
    student: Proxy,
    reference: Proxy,
    sizes: Sizes,
    tolerance: float,
    over: str,
    inputs: str = "inputs",
) -> None:
    """Pass silently if a function is right at the largest size.

    Parameters
    ----------
    lap : callable
        See ``timing.Lap``; it calls the function, and before that what the function needs.
    function : str
    student, reference : Proxy
    sizes : sequence of tuple of int
    tolerance : float
        As in ``compare.array``.
    over : str
        What a large input has more of, in the words of the homework.
    inputs : str
        What the homework calls its inputs.

    Raises
    ------
    StudentError
        If the function is wrong, raises, or cannot be reached.
    GraderFault
        If the model answer fails.
    """
    failure = failure_at(lap, function, student, reference, sizes[-1], tolerance)
    if isinstance(failure, (Wrong, Raised)) and failure.function == function:
        right = 0
        for height, width in sizes:
            if failure_at(lap, function, student, reference, (height, width), tolerance) is not None:
                break
            right = height * width
        if right:
            failure.message += (
                f". It is right on small {inputs}, up to {right} {over}, and wrong from {height * width} {over} on: "
                "look for index arrays of 8 or 16 bits, and for blocks of a fixed size"
            )
        else:
            failure.message += f", and it is wrong on small {inputs} as well"
    if failure is not None:
        raise failure


def failure_at(
    lap: Lap, function: str, student: Proxy, reference: Proxy, size: tuple[int, int], tolerance: float
) -> StudentError | None:
    """Make the calls at one size; return the error of the function, or the error that comes before its call.

    See `require_right` for the parameters.
    """
    try:
        got = _results(lap, function, student, size)
    except StudentError as error:
        return error
    try:
        reference.connect()  # its functions are known only after that
        right = _results(lap, function, reference, size)
    except StudentError as error:
        raise GraderFault(f"the model answer fails on large inputs: {error.message}") from error
    for name, expected in right.items():
        assert isinstance(expected, np.ndarray)
        mismatch = compare.array(name, got[name], expected.astype(np.float64, copy=False), tolerance)
        if mismatch is not None:
            return Wrong(mismatch.message, function, {"kind": mismatch.kind, "result": name})
    return None


def _results(lap: Lap, function: str, layers: Proxy, size: tuple[int, int]) -> Mapping[str, object]:
    """Return what one function of a lap returns, by name."""
    named = _Named(layers)
    calls = lap(named, Inputs(SEED).draw(), *size)
    try:
        for results in calls:
            if named.last == function:
                return results
    finally:
        calls.close()  # type: ignore[attr-defined]  # laps are generators
        layers.calls.clear()  # their arrays are large
    raise GraderFault(f"the calls of this test do not include {function}")


class _Named:
    """Functions that remember which of them was called last."""

    def __init__(self, layers: Proxy) -> None:
        self._layers = layers
        self.last = ""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        self.last = name
        function: Callable[..., Any] = getattr(self._layers, name)
        return function
