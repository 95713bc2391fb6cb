"""Find the smallest input on which each faulty function is wrong.

Programs of the homework's public family are run in a worker with the student's code, and in this process with the right
functions of the homework's catalogue; ``diagnose/smallest.py`` compares. An example that is found is run again in a
fresh worker, as the student will run it. It counts only if the result is the same, so it never depends on earlier
calls. Examples use no test and no fixture, and no points depend on them.
"""

from __future__ import annotations

import copy
import dataclasses
import operator
import warnings
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np

from autograder.core.errors import NotRun, StudentError, TooSlow, Wrong
from autograder.core.outcomes import NOT_MEASURED, PASSED, TestResult
from autograder.grading.calls import Call
from autograder.grading.diagnose import smallest
from autograder.grading.diagnose.catalogue import Functions
from autograder.grading.diagnose.smallest import Example, Program, Ran
from autograder.grading.proxy import Proxy
from autograder.grading.session import Session

CALL_SECONDS = 2.0
"""How long one call with a few numbers may take. Loops need a ten-thousandth of it."""
MOST_BLOCKED = 20
"""How many programs, each with other shapes, may show nothing because an earlier function is wrong."""
UNCONFIRMED = 3
"""If a fresh worker does not confirm this many examples, the function remembers earlier calls."""


def at_fault(tests: Sequence[TestResult], functions: Sequence[str], once: Collection[str] = ()) -> list[str]:
    """Return those of `functions` that failed for a reason of their own, not because of an earlier function.

    Tests that run only `once` (speed, large images) cannot be run again with right earlier functions. They count only
    for functions none of whose failures is explained by an earlier function.
    """
    explained = {test.subject for test in tests for case in test.cases if case.stand_ins}
    guilty = set()
    for test in tests:
        for case in test.cases:
            failed = case.outcome not in (PASSED, NOT_MEASURED, NotRun.outcome, TooSlow.outcome)
            own = not case.stand_ins and not (test.name in once and test.subject in explained)
            if failed and own and case.function in ("", test.subject):
                guilty.add(test.subject)
    return [function for function in functions if function in guilty]


def promises_only(tests: Sequence[TestResult], functions: Sequence[str]) -> set[str]:
    """Return those of `functions` whose values are right: only a dtype, an input or shared memory is wrong.

    Public tests complain in their own words, so that nothing is known of their kind: the others decide.
    """
    kinds: dict[str | None, set[object]] = {}
    for test in tests:
        for case in test.cases:
            if case.outcome not in (PASSED, NOT_MEASURED, TooSlow.outcome) and not case.stand_ins:
                kind = case.detail.get("kind", "" if case.outcome == Wrong.outcome else case.outcome)
                kinds.setdefault(test.subject, set()).update([kind] if kind else [])
    slips = {"dtype", "changed", "shared"}
    return {function for function in functions if kinds.get(function) and kinds[function] <= slips}


class Family(Protocol):
    """What the homework provides: a module."""

    def family(self, function: str, /) -> Sequence[Program]:
        """Return programs in which this function is looked at, the smallest first."""


class Examples:
    """Looks for examples in one submission.

    Parameters
    ----------
    session : Session
        The submission.
    right : mapping of str to callable
        Right functions.
    family : Family
    tolerances : sequence of float
        Of float64 and of float32.
    most_calls : int
        Calls of the student's functions for one example; what is not found by then is not shown.
    """

    def __init__(
        self,
        session: Session,
        right: Functions,
        family: Family,
        tolerances: Sequence[float],
        most_calls: int,
    ) -> None:
        self._session = copy.copy(session)
        self._session.hung = set()  # a new set: a function that hung in a test may return when it gets a few numbers
        limits = session.interface.limits.model_copy(update={"call_seconds": CALL_SECONDS})
        self._session.interface = dataclasses.replace(session.interface, limits=limits)
        interface = self._session.interface
        self._right = right_caller(right, interface.functions, interface.opaque)
        self._family = family
        self._tolerances = tolerances
        self._most_calls = most_calls
        self._inspect = False

    def find(self, functions: Iterable[str], promises: Collection[str] = ()) -> dict[str, Example]:
        """Return an example for each of these functions, as far as there is one and time is left.

        The values of the functions in `promises` are known to be right, so their first example is good enough.
        """
        found: dict[str, Example] = {}
        functions = list(functions)
        if not functions:
            return found
        student = Proxy(self._session)
        try:
            for function in functions:
                example = self._example(function, function in promises, student)
                if example is not None:
                    found[function] = dataclasses.replace(example, code=f"{self._imports(example)}\n{example.code}")
        except NotRun:  # the time for the whole submission is up
            pass
        finally:
            student.close()
        return found

    def _imports(self, example: Example) -> str:
        """Return the lines that a program needs on top."""
        names = ", ".join(dict.fromkeys(smallest.called(example.code)))
        return f"import numpy as np\nfrom {self._session.interface.module} import {names}"

    def _example(self, function: str, values_are_right: bool, student: Proxy) -> Example | None:
        """Look for wrong results; for changed inputs and shared memory, which takes longer, where results are right."""
        self._inspect = values_are_right
        return self._smallest(function, student, smallest.SHARED if values_are_right else smallest.VALUES)

    def _smallest(self, function: str, student: Proxy, mildest: int) -> Example | None:
        """Return the first example that is no milder than `mildest`; if there is none, a milder one."""
        programs = self._family.family(function)
        self._session.hung.clear()
        best, unconfirmed = None, 0
        for program, example in self._searched(function, programs, student):
            if best is not None and example.rank >= best.rank:
                continue
            if self._session.hung:  # waiting for it again would show nothing new
                return example
            if self._again(function, program, student) != example:
                unconfirmed += 1
                if unconfirmed == UNCONFIRMED:
                    break
                continue
            best = example
            if best.rank <= mildest:
                return best
        return self._remembered(function, programs, student) or best if unconfirmed else best

    def _searched(
        self, function: str, programs: Sequence[Program], student: Proxy
    ) -> Iterator[tuple[Program, Example]]:
        """Yield each program that shows something, as far as the budget goes."""
        left, blocked, free = self._most_calls, set[str](), set[str]()
        for program in programs:
            outline = smallest.outline(program.code)
            if outline in blocked:
                continue
            example = self._shown(function, program, student)
            if not isinstance(example, smallest.Blocked):
                free.add(outline)
            elif outline not in free:  # the plainest numbers come first: here the other function is wrong with any
                blocked.add(outline)
            if isinstance(example, Example):
                yield program, example
            left -= len(student.calls) or 1
            student.calls.clear()
            if left <= 0 or len(blocked) == MOST_BLOCKED or self._session.hung:
                return

    def _shown(self, function: str, program: Program, student: Proxy) -> Example | smallest.Blocked | None:
        mine = caller_of(student, self._session.interface.functions, function if self._inspect else "")
        return smallest.shown(function, program, mine, self._right, self._tolerances)

    def _again(self, function: str, program: Program, student: Proxy) -> Example | None:
        """Return what a program shows in a fresh worker, which the search goes on with."""
        student.close()
        found = self._shown(function, program, student)
        return found if isinstance(found, Example) else None

    def _remembered(self, function: str, programs: Sequence[Program], student: Proxy) -> Example | None:
        """Return the first example among the programs that call something twice, each in a fresh worker."""
        left = self._most_calls // 10  # a worker of its own takes as long as ten calls
        for program in programs:
            if smallest.calls_twice(program.code):
                example = self._again(function, program, student)
                if example is not None and example.rank == smallest.VALUES:
                    return example if self._again(function, program, student) == example else None
                left -= 1
                if left <= 0:
                    break
        return None


class Callee(Protocol):
    """What calls functions: ``proxy.Proxy``."""

    calls: list[Call]

    def inspect(self, name: str, /, *args: Any, **kwargs: Any) -> Call:
        """Call a function, and look at what that did to its inputs."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """Return a function."""


def caller_of(proxy: Callee, returns: Mapping[str, Sequence[str]], inspected: str = "") -> smallest.Caller:
    """Return a function that calls the functions of a proxy and reports the outcome.

    Parameters
    ----------
    proxy : Callee
    returns : mapping of str to sequence of str
        What the results of each function are called.
    inspected : str
        The function whose calls are checked for changes to their inputs. The check takes several times as long. It
        overwrites the inputs, so no later call may depend on an inspected call.
    """

    def call(function: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Ran:
        names = tuple(returns[function])
        try:
            if function == inspected:
                made = proxy.inspect(function, *args, **kwargs)
            else:
                getattr(proxy, function)(*args, **kwargs)
                made = proxy.calls[-1]
        except NotRun:
            raise
        except StudentError as error:
            return Ran(function, names, failure=error.message)
        return Ran(function, names, made.results, made.inputs, made.inputs_after, made.shares)

    return call


class _Opaque(NamedTuple):
    """What only another call can use."""

    held: Any


def right_caller(
    functions: Functions, returns: Mapping[str, Sequence[str]], opaque: Collection[str]
) -> smallest.Caller:
    """Return a function that calls right functions in this process and reports the outcome; see `caller_of`."""

    def call(function: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Ran:
        names = tuple(returns[function])
        inputs = tuple(value for value in (*args, *kwargs.values()) if isinstance(value, np.ndarray))
        try:
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")
                given = {key: _given(value) for key, value in kwargs.items()}
                returned = functions[function](*map(_given, args), **given)
            results = returned if len(names) > 1 else (returned,)
            kept = tuple(
                _Opaque(one) if name in opaque else _sent(one) for name, one in zip(names, results, strict=True)
            )
        except Exception as error:  # then no result is right
            return Ran(function, names, failure=f"{function} raised {type(error).__name__}")
        return Ran(function, names, kept, inputs)

    return call


def _given(value: Any) -> Any:
    """Return an argument as a function gets it: an array of its own, as if it came over the wire."""
    if isinstance(value, _Opaque):
        return value.held
    return value.copy() if isinstance(value, np.ndarray) else value


def _sent(result: Any) -> Any:
    """Return a result as it would come over the wire.

    Raises
    ------
    TypeError
        If it is neither an array nor an integer.
    """
    return result if isinstance(result, np.ndarray) else operator.index(result)
