"""Find the smallest example: the first of a family of small programs in which a student's function is wrong.

A program is a few lines of code that a student can paste. It is run line by line, once with the student's functions and
once with the model answer's, and the outcomes of every call are compared. Programs come from the homework, the smallest
first, and never from a hidden test, so a student may read everything about them.

The tests judge the same differences: results of the wrong kind, shape or value; then the dtype, changed inputs, and
shared memory. This module does not know what the functions compute.
"""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from types import CodeType
from typing import Any, NamedTuple, Protocol

import numpy as np

from autograder.grading import compare
from autograder.grading.compare import Array, Foreign, Mismatch

WIDTH = 72
"""Characters up to which an array is written in one line."""
SHOWN_ENTRIES = 60
"""How many entries of an array are written out; of a longer array only both ends are."""

_ENTRY = re.compile(r"[-\d.]+(e-?\d+)?")

VALUES, DTYPE, CHANGED, SHARED = range(4)
"""Kinds of differences; the first explains most and is looked for first."""


class Program(Protocol):
    """One program of the homework's family."""

    @property
    def numbers(self) -> int:
        """How many numbers go in."""

    @property
    def code(self) -> str:
        """Lines that assign arrays, and call functions of the assignment."""


@dataclass(frozen=True)
class Ran:
    """The outcome of one call.

    Attributes
    ----------
    function : str
    names : tuple of str
        What its results are called.
    results : tuple
        An array, an int, a ``Foreign``, or anything that only another call can use. Empty where it failed.
    inputs, after : tuple of ndarray
        The input arrays before the call, and after it; none after it where that was not looked at.
    shares : tuple of tuple of bool
        Whether each array that came back shares memory with each input array; likewise.
    failure : str
        Why nothing came back, in words; empty where something did.
    """

    function: str
    names: tuple[str, ...]
    results: tuple[Any, ...] = ()
    inputs: tuple[Array, ...] = ()
    after: tuple[Array, ...] = ()
    shares: tuple[tuple[bool, ...], ...] = ()
    failure: str = ""


Caller = Callable[[str, tuple[Any, ...], dict[str, Any]], Ran]
"""Calls a function by its name, with these arguments."""


@dataclass(frozen=True)
class Example:
    """A program, cut off after the call that is wrong, and what is wrong there.

    Attributes
    ----------
    function : str
    numbers : int
        How many numbers go in.
    code : str
        Lines to paste.
    said : str
        What came back, and what should have, in lines.
    rank : int
        What kind of difference it is: ``VALUES`` and so on.
    calls : int
        How many calls the program makes up to there.
    """

    function: str
    numbers: int
    code: str
    said: str
    rank: int
    calls: int


class _Traced(NamedTuple):
    """One line of a program, and the calls that it made."""

    line: str
    calls: tuple[Ran, ...]
    variables: dict[str, Any]


class _Failed(Exception):
    """A call has failed: the program cannot go on."""


class Blocked:
    """Marks a program that shows nothing, because another function is wrong before this one is called."""


def run(code: str, caller: Caller) -> Iterator[_Traced]:
    """Run a program line by line; it ends where a call fails."""
    calls: list[Ran] = []

    def bound(name: str) -> Callable[..., Any]:
        def function(*args: Any, **kwargs: Any) -> Any:
            calls.append(caller(name, args, kwargs))
            if calls[-1].failure:
                raise _Failed
            results = calls[-1].results
            return results[0] if len(results) == 1 else results

        return function

    lines = code.split("\n")
    names = {name for line in lines for name in _compiled(line).co_names} - {"np"}
    variables: dict[str, Any] = {**{name: bound(name) for name in names}, "np": np}
    for line in lines:
        calls.clear()
        try:
            exec(_compiled(line), variables)  # our own program
        except _Failed:
            yield _Traced(line, tuple(calls), variables)
            return
        yield _Traced(line, tuple(calls), variables)


@functools.lru_cache(maxsize=1000)  # each program runs twice, and programs share lines
def _compiled(line: str) -> CodeType:
    return compile(line, "<program>", "exec")


def calls_twice(code: str) -> bool:
    """Whether a program calls some function twice."""
    names = called(code)
    return len(names) > len(set(names))


def outline(code: str) -> str:
    """Return a program without the entries of its arrays: it is the same for all arrays of these shapes."""
    return "\n".join(_ENTRY.sub("", line) if " = np.array(" in line else line for line in code.split("\n"))


def called(code: str) -> list[str]:
    """Return the names of the functions that a program calls, those of NumPy not among them."""
    calls = (node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Call))
    return [node.func.id for node in calls if isinstance(node.func, ast.Name)]


def shown(
    function: str, program: Program, student: Caller, right: Caller, tolerances: Sequence[float]
) -> Example | Blocked | None:
    """Return what a program shows about a function; None where it shows nothing.

    Parameters
    ----------
    function : str
    program : Program
    student, right : callable
        What calls the student's functions, and right ones.
    tolerances : sequence of float
        Of float64 and of float32, as in ``compare.array``.
    """
    got, expected = run(program.code, student), run(program.code, right)
    lines: list[str] = []
    made = 0
    found: Example | None = None
    for mine, ours in zip(got, expected, strict=False):
        lines.append(mine.line)
        for call, wanted in zip(mine.calls, ours.calls, strict=False):
            made += 1
            different = _difference(call, wanted, mine.variables, tolerances)
            if different is not None and call.function != function:
                return found or Blocked()
            if different is not None and (found is None or different[0] < found.rank):
                found = Example(function, program.numbers, "\n".join(lines), different[1], different[0], made)
    return found


def _difference(
    got: Ran, expected: Ran, variables: dict[str, Any], tolerances: Sequence[float]
) -> tuple[int, str] | None:
    """Return the kind of difference between two calls, and its description."""
    if expected.failure:  # the model answer fails, so there is no right result
        return None
    if got.failure:
        wanted = (_is(name, value) for name, value in _values(expected))
        return VALUES, "\n".join([f"{got.failure}.", "It should return", *_indented(wanted)])
    pairs = [(name, one, other) for (name, one), (_, other) in zip(_values(got), _values(expected), strict=True)]
    scale = max([1.0, *(float(np.abs(array).max(initial=0.0)) for array in expected.inputs)])
    for name, one, other in pairs:
        mismatch = _compared(name, one, other, scale, tolerances)
        if mismatch is not None:
            return VALUES, _both(name, one, other, mismatch)
    for name, one, other in pairs:
        if isinstance(one, np.ndarray) and isinstance(other, np.ndarray) and one.dtype != other.dtype:
            return DTYPE, f"{name}.dtype is {one.dtype}, but should be {other.dtype}."
    for before, after in zip(got.inputs, got.after, strict=False):  # nothing after it where that was not looked at
        if compare.untouched([before], [after]) is not None:
            what = _name_of(before, variables)
            lines = [
                f"After the call {what} is",
                *_indented([entries(after)]),
                "but was",
                *_indented([entries(before)]),
            ]
            return CHANGED, "\n".join(lines)
    arrays = [name for name, value in _values(got) if isinstance(value, np.ndarray)]
    for name, row in zip(arrays, got.shares, strict=False):
        for array, shared in zip(got.inputs, row, strict=False):  # arrays of earlier calls are looked at, not compared
            if shared:
                text = f"{name} shares memory with {_name_of(array, variables)}, but should have memory of its own."
                return SHARED, text
    return None


def _values(ran: Ran) -> list[tuple[str, Any]]:
    """Return the results that can be looked at, with their names."""
    kept = (np.ndarray, int, Foreign)
    return [(name, result) for name, result in zip(ran.names, ran.results, strict=True) if isinstance(result, kept)]


def _compared(name: str, got: Any, expected: Any, scale: float, tolerances: Sequence[float]) -> Mismatch | None:
    """Compare as tests do; but where zero is expected, a value as small as the rounding of the inputs passes."""
    if not isinstance(expected, np.ndarray):
        return compare.integer(name, got, expected)
    tolerance = tolerances[0 if expected.dtype == np.float64 else 1]
    mismatch = compare.array(name, got, expected.astype(np.float64), tolerance)
    if mismatch is not None and mismatch.kind == "values":
        error = np.abs(np.asarray(got, dtype=np.float64) - expected)
        return mismatch if error.max() > tolerance * scale else None
    return mismatch


def _both(name: str, got: Any, expected: Any, mismatch: Mismatch) -> str:
    """Say what came back and what should have."""
    if not isinstance(expected, np.ndarray):
        return f"{name} is {got!r}, but should be {expected}."
    if not isinstance(got, np.ndarray):
        return "\n".join([f"{name} is {got!r}, but should be an array of numbers:", *_indented([entries(expected)])])
    if mismatch.kind == "dtype":
        return f"{name}.dtype is {got.dtype}, but should be {expected.dtype}."
    if mismatch.kind == "shape":
        head, tail = f"{name} has shape {got.shape}:", f"but should have shape {expected.shape}:"
    else:
        head, tail = f"{name} is", "but should be"
    digits = _digits(got, expected)
    return "\n".join([head, *_indented([entries(got, digits)]), tail, *_indented([entries(expected, digits)])])


def _digits(got: Array, expected: Array) -> int:
    """Return how many digits are needed to show the difference."""
    for digits in (6, 9):
        if entries(got, digits) != entries(expected, digits):
            return digits
    return 17


def _is(name: str, value: Any) -> str:
    return f"{name} = {entries(value) if isinstance(value, np.ndarray) else value}"


def entries(array: Array, digits: int = 6) -> str:
    """Write an array as NumPy would, in one line if it is short."""
    text = np.array2string(
        array,
        separator=", ",
        threshold=SHOWN_ENTRIES,
        edgeitems=3,
        max_line_width=WIDTH,
        formatter={"float_kind": lambda number: f"{number:.{digits}g}"},
    )
    short = " ".join(text.split()).replace("[ ", "[")
    return short if len(short) <= WIDTH else text


def _indented(texts: Iterable[str]) -> list[str]:
    return [f"    {line}" for text in texts for line in text.split("\n")]


def _name_of(array: Array, variables: dict[str, Any]) -> str:
    """Return the name of an input; that of the only variable with these entries where it is a copy."""
    arrays = {name: value for name, value in variables.items() if isinstance(value, np.ndarray)}
    equal = [name for name, value in arrays.items() if value.dtype == array.dtype and np.array_equal(value, array)]
    named = [name for name, value in arrays.items() if value is array] or (equal if len(equal) == 1 else [])
    return named[0] if named else "an input array"
