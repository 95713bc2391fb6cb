"""The input of the diagnosis: the calls that led to a result, the result, and the expected result.

Calls are recorded so that they can be repeated with other functions. An object that stayed in the student's process is
named by the call that made it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

Array = NDArray[Any]


@dataclass(frozen=True)
class Made:
    """Replaces an argument that an earlier step returned and that never left the student's process."""

    step: int
    result: int


@dataclass(frozen=True)
class Step:
    """One call; its arguments are arrays, numbers, tuples and `Made`."""

    function: str
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]


@dataclass(frozen=True)
class Evidence:
    """One result that a test found wrong.

    Attributes
    ----------
    case : str
        The case's id; may be empty.
    kind : str
        The kind of the ``Mismatch``; ``changed`` and ``shared`` for inputs; ``raised`` for an exception, which is then
        in `got`: ``ValueError: …``.
    steps : tuple of Step
        What the student's process was asked to do so far. The last one is the call in question.
    name : str
        What the result is called.
    result : int or None
        Which result of the call it is; None when a test has computed it from several.
    got, expected : object
        None where there is none, or where it is too large to keep.
    tolerance : float
        As in ``compare.array``.
    after, shares : tuple
        Of an inspected call, as in ``student.Call``.
    alone : bool
        Whether the function returns nothing else.
    """

    case: str
    kind: str
    steps: tuple[Step, ...]
    name: str
    result: int | None
    got: object
    expected: object
    tolerance: float
    after: tuple[Array, ...] = ()
    shares: tuple[tuple[bool, ...], ...] = ()
    shape: tuple[int, ...] | None = field(default=None)
    alone: bool = True

    @property
    def function(self) -> str:
        """The function that returned the result."""
        return self.steps[-1].function

    def needed(self) -> list[int]:
        """Return the numbers of the steps that the last one depends on, itself included, in order."""
        wanted, open_ = set(), [len(self.steps) - 1]
        while open_:
            number = open_.pop()
            if number not in wanted:
                wanted.add(number)
                step = self.steps[number]
                open_ += [value.step for value in (*step.args, *step.kwargs.values()) if isinstance(value, Made)]
        return sorted(wanted)
