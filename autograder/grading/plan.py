"""What one grading runs, and what its tests are given."""

from __future__ import annotations

import difflib
import fnmatch
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from autograder.core.errors import ConfigurationError
from autograder.core.homework import TestFunction
from autograder.grading import timing
from autograder.grading.casefile import Case
from autograder.grading.diagnose.diagnosis import Knowledge
from autograder.grading.session import Session


@dataclass(frozen=True)
class Races:
    """What speed tests need.

    Attributes
    ----------
    reference : callable
        Returns the model answer, as a submission; called when the first race is run.
    bounds : Bounds
    """

    reference: Callable[[], Session]
    bounds: timing.Bounds


@dataclass(frozen=True)
class Plan:
    """What to run, and what the tests are given.

    Attributes
    ----------
    public, hidden : Path
        The folders with the tests.
    cases : mapping of str to sequence of Case
        The cases of each group.
    tolerances : mapping of str to float
        By dtype name, and ``slope``.
    order : sequence of str
        The names of all graded tests, in the order of the assignment. They run in this order, except that speed tests
        come last.
    subject : callable
        Returns the student's function that a test, given by name, is about.
    left_out : collection of str
        Tests in the same files that are not graded.
    module : str
        What public tests call the student's functions.
    only : str or None
        One test's name, ``name[case]``, or a pattern of names with ``*``; all tests when None.
    races : Races or None
        None where no test measures speed.
    follow_through : str
        ``credit``, ``explain`` or ``off``; see ``follow.py``.
    knowledge : callable
        Returns the homework's catalogue of mistakes, for the diagnosis; called when a result is wrong.
    """

    public: Path
    hidden: Path
    cases: Mapping[str, Sequence[Case]]
    tolerances: Mapping[str, float]
    order: Sequence[str]
    subject: Callable[[str], str | None]
    module: str
    left_out: Collection[str] = ()
    only: str | None = None
    races: Races | None = None
    follow_through: str = "off"
    knowledge: Callable[[], Knowledge | None] = lambda: None


def is_meant(only: str | None, name: str) -> bool:
    """Whether ONLY means the test `name`, or some of its cases."""
    return only is None or fnmatch.fnmatchcase(name, only.partition("[")[0])


def refuse_unknown(
    only: str | None,
    tests: Sequence[str],
    functions: Iterable[TestFunction],
    groups: Mapping[str, Sequence[Case]],
) -> None:
    """Refuse an ONLY that means nothing.

    Parameters
    ----------
    tests : sequence of str
        The names of all graded tests.
    functions : iterable of TestFunction
        What their files define.
    groups : mapping of str to sequence of Case
        The cases of each group.

    Raises
    ------
    ConfigurationError
        If there is no such test, or it has no such case.
    """
    if only is None:
        return
    name, bracket, _ = only.partition("[")
    if not any(is_meant(only, test) for test in tests):
        raise _no("test", name, tests)
    function = next((function for function in functions if function.name == name), None)
    if not bracket or (function and function.parametrized):  # its own list of cases is known only when it runs
        return
    if function is None:
        problem = f"{only} is a pattern, which takes no case"
        raise ConfigurationError("ONLY", "", problem, f"Write {name}, or one test with its case")
    known = [f"{name}[{case.id}]" for case in groups.get(function.cases, ())]
    if not known:
        raise ConfigurationError("ONLY", "", f"{name} has no cases", f"Write {name}")
    if only not in known:
        raise _no("case", only, known)


def _no(what: str, only: str, known: Sequence[str]) -> ConfigurationError:
    near = difflib.get_close_matches(only, known, n=1, cutoff=0.8)
    remedy = f"Did you mean {near[0]}? " if near else ""
    return ConfigurationError("ONLY", "", f"no {what} is called {only}", f"{remedy}The {what}s are: {', '.join(known)}")
