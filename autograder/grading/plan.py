"""What one grading runs, and what its tests are given."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

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
        The names of all graded tests, in the order of the assignment. So they run, but for those that measure speed,
        which come last.
    subject : callable
        From a test's name to the student's function it is about.
    only : str or None
        One test's name, ``name[case]``, or a pattern of names with ``*``; all tests when None.
    races : Races or None
        None where no test measures speed.
    knowledge : callable
        Returns what the homework knows of mistakes, for the diagnosis; called when something is wrong.
    """

    public: Path
    hidden: Path
    cases: Mapping[str, Sequence[Case]]
    tolerances: Mapping[str, float]
    order: Sequence[str]
    subject: Callable[[str], str | None]
    only: str | None = None
    races: Races | None = None
    knowledge: Callable[[], Knowledge | None] = lambda: None


def is_meant(only: str | None, name: str) -> bool:
    """Whether ONLY means the test `name`, or some of its cases."""
    return only is None or fnmatch.fnmatchcase(name, only.partition("[")[0])
