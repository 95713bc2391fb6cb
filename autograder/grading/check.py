"""The comparisons a hidden test may ask for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from autograder.core.errors import Detail, Raised, Wrong
from autograder.grading import compare
from autograder.grading.calls import Call
from autograder.grading.compare import Array, Foreign, Mismatch
from autograder.grading.history import History
from autograder.grading.proxy import Proxy


class Check:
    """Each comparison passes silently or raises Wrong.

    Parameters
    ----------
    student : Proxy
        Knows which call produced a result.
    history : History
        Knows what led to that call.
    tolerances : mapping of str to float
    dtype : str
        The dtype of the case, which selects the tolerance.
    """

    def __init__(self, student: Proxy, history: History, tolerances: Mapping[str, float], dtype: str) -> None:
        self._student = student
        self._history = history
        self._tolerances = tolerances
        self._absolute = tolerances.get("absolute", 0.0)
        self._dtype = dtype

    def array(self, name: str, got: object, expected: Array) -> None:
        """`got` equals `expected`: ndarray, shape, float dtype, finite, values."""
        mismatch = compare.array(name, got, expected, self._tolerances[self._dtype], self._absolute)
        self._require(mismatch, name, got, expected)

    def tensor(self, name: str, got: object, shape: Sequence[int]) -> Array:
        """`got` is a finite array of floats with this shape; returned in float64, for arithmetic."""
        self._require(compare.tensor(name, got, shape), name, got, tuple(shape))
        return np.asarray(got, dtype=np.float64)

    def shape(self, name: str, got: object, shape: Sequence[int]) -> None:
        """`got` is an array with this shape."""
        self._require(compare.shape(name, got, shape), name, got, tuple(shape))

    def dtype(self, name: str, got: object, dtype: Any) -> None:
        """`got` is an array with this dtype."""
        self._require(compare.dtype(name, got, np.dtype(dtype)), name, got)

    def integer(self, name: str, got: object, expected: int) -> None:
        """`got` is the integer `expected`."""
        self._require(compare.integer(name, got, expected), name, got, expected)

    def distinct(self, name: str, first: object, second: object) -> None:
        """The results for two different inputs differ."""
        self._require(compare.distinct(name, first, second), name, second)

    def slopes(
        self,
        name: str,
        got: object,
        directions: Array,
        slopes: Array,
        source: str = "finite differences",
        own: Callable[[], Array] | None = None,
    ) -> None:
        """The gradient `got` has these slopes along these directions; `source` is what they come from.

        With `own`, the slopes of the student's own forward pass are accepted as well. They are computed only if the
        gradient does not have the right slopes. So a mistake in the forward pass costs the backward pass no points.
        """
        tolerance = self._tolerances["slope"]
        mismatch = compare.slopes(name, got, directions, slopes, tolerance, source, self._absolute)
        if mismatch is not None and mismatch.kind == "values" and own is not None:
            try:
                theirs = own()
            except (Wrong, Raised) as error:
                culprit = error.function
            else:
                if compare.slopes(name, got, directions, theirs, tolerance, source, self._absolute) is None:
                    return
                wrong = np.abs(theirs - slopes).max(initial=0.0) > tolerance * np.abs(slopes).max(initial=0.0)
                culprit = self._student.calls[-1].function if wrong else None
            if culprit is not None:
                said = f"{mismatch.message}, and {culprit} is wrong on the same inputs: repair that first"
                mismatch = replace(mismatch, message=said)
        self._require(mismatch, name, got, tuple(directions.shape[1:]))

    def untouched(self, call: Call) -> None:
        """An inspected call changed neither its inputs nor the inputs of the watched calls that made its cache."""
        mismatch = compare.untouched(call.inputs, call.inputs_after, call.labels)
        self._require(mismatch, call.names[0], call=call, about="changed")

    def own_memory(self, call: Call) -> None:
        """The results of an inspected call share no memory with its inputs."""
        arrays = [name for name, result in zip(call.names, call.results, strict=True) if isinstance(result, np.ndarray)]
        self._require(compare.own_memory(arrays, call.shares), call.names[0], call=call, about="shared")

    def _require(
        self,
        mismatch: Mismatch | None,
        name: str,
        got: object = None,
        expected: object = None,
        call: Call | None = None,
        about: str = "",
    ) -> None:
        """Raise Wrong for a mismatch, with what the diagnosis needs; `about` is its kind in the diagnosis' words."""
        calls, tolerance = self._student.calls, self._tolerances[self._dtype]
        call = call or self._student.origin(got) or (calls[-1] if calls else None)
        if mismatch is None:
            if call is not None and isinstance(expected, (np.ndarray, int)):
                self._history.note_passed(calls, call, name, got, tolerance)
            return
        detail: Detail = {"kind": about or mismatch.kind, "result": name}
        function = call.function if call is not None else None
        wrong = Wrong(mismatch.message, function, detail, _quoted(mismatch, got), mismatch.values)
        if call is not None:
            wrong.evidence = self._history.evidence(calls, call, about or mismatch.kind, name, got, expected, tolerance)
        raise wrong


def _quoted(mismatch: Mismatch, got: object) -> str:
    """Return what a message repeats of what the student's code has sent."""
    if isinstance(got, Foreign):
        return got.kind
    if mismatch.kind == "shape" and isinstance(got, np.ndarray):
        return str(got.shape)
    return str(got) if mismatch.kind == "type" else ""
