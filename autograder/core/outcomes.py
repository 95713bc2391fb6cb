"""How a test can end, and how many points that earns. Pure functions and data, without files or processes."""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from dataclasses import dataclass, field
from fractions import Fraction

from autograder.core.errors import Detail

PASSED = "passed"
PARTLY = "partly"
CARRIED = "carried"
NOT_MEASURED = "not measured"
FAULT = "grader fault"

ROUNDING = 100
"""Scores are rounded once per test, to 1/ROUNDING of a point."""


@dataclass(frozen=True)
class Diagnosis:
    """What is known about the wrong results of one test.

    Attributes
    ----------
    id : str
        Ids of the known mistakes that explain them, joined by ``+``, or of what they look like; may be empty.
    hint : str
        What is wrong and where to look. Empty unless that is certain.
    notes : tuple of str
        What the wrong results look like, in sentences; empty if there is a hint.
    map : str
        A drawing of where one of them is wrong, in several lines; empty if it would not help.
    seconds : float
        How long the diagnosis took; varies from run to run.
    known : tuple of tuple of str
        The known mistakes behind the hint: for each the function that is wrong, and what is said about it.
    of_one_case : bool
        Whether the first note is true of one wrong result, and not of the others.
    """

    id: str
    hint: str = ""
    notes: tuple[str, ...] = ()
    map: str = ""
    seconds: float = 0.0
    known: tuple[tuple[str, str], ...] = ()
    of_one_case: bool = False


@dataclass(frozen=True)
class CaseResult:
    """One case of one test.

    Attributes
    ----------
    case : str
        The case's id; empty for a test without cases.
    outcome : str
        ``passed``, ``carried`` (it passes with right earlier functions, and counts), ``not measured`` (a speed that
        this machine cannot tell), or the ``outcome`` of the StudentError that it ended with.
    message : str
        What the student reads; empty when passed.
    function : str
        The student's function that it concerns.
    values : str
        Got and expected, for tests that may show them.
    detail : Detail
        For staff and scripts: never shown to students.
    group : str
        The same for all cases of one test that failed in the same way. If empty, equal messages make a group.
    quoted : str
        The part of the message that the student's code wrote.
    stand_ins : tuple of str
        The student's functions that were replaced by right ones so that the case passes; empty if there are none.
    blocked : bool
        Whether the case was not run because of a mistake elsewhere in the submission.
    because : str
        If it was not run because of another function: what that function did.
    """

    case: str
    outcome: str
    message: str = ""
    function: str = ""
    values: str = ""
    detail: Detail = field(default_factory=Detail)
    group: str = ""
    quoted: str = ""
    stand_ins: tuple[str, ...] = ()
    blocked: bool = False
    because: str = ""


@dataclass(frozen=True)
class TestResult:
    """One test function with all its cases.

    Attributes
    ----------
    name, title : str
        The function's name, and the first line of its docstring.
    subject : str or None
        The student's function that it tests.
    seconds : float
        Wall time; varies from run to run.
    diagnosis : Diagnosis or None
        The diagnosis of the cases that ended with a wrong result.
    """

    __test__ = False  # pytest must not collect this class because of its name

    name: str
    title: str
    subject: str | None
    cases: tuple[CaseResult, ...]
    seconds: float = 0.0
    diagnosis: Diagnosis | None = None

    @property
    def passed(self) -> int:
        """How many cases passed."""
        return sum(case.outcome == PASSED for case in self.cases)

    @property
    def carried(self) -> int:
        """How many cases count because they pass with right earlier functions."""
        return sum(case.outcome == CARRIED for case in self.cases)

    @property
    def earned(self) -> Fraction:
        """The exact share of its points that it earns."""
        return Fraction(sum(case.outcome in (PASSED, CARRIED, NOT_MEASURED) for case in self.cases), len(self.cases))

    @property
    def outcome(self) -> str:
        """``passed``, ``carried``, ``partly``, or the outcome of the first case that did not pass."""
        if self.passed == len(self.cases):
            return PASSED
        if self.passed + self.carried == len(self.cases):
            return CARRIED
        if self.passed + self.carried:
            return PARTLY
        return self.cases[0].outcome

    def carried_score(self, points: Fraction) -> Fraction:
        """Return the carried part of `score`: the points that the test would not have earned by itself."""
        return self.score(points) - _rounded(points, Fraction(self.passed_or_unmeasured, len(self.cases)))

    @property
    def passed_or_unmeasured(self) -> int:
        """How many cases count by themselves."""
        return sum(case.outcome in (PASSED, NOT_MEASURED) for case in self.cases)

    def score(self, points: Fraction) -> Fraction:
        """Return the points earned: `points` times the share, rounded once, but never up to full marks."""
        return _rounded(points, self.earned)


def with_stand_in(test: TestResult, function: str) -> TestResult:
    """Return a test's result if this function of the student were right, as far as its cases have shown that."""
    if test.subject == function:
        return dataclasses.replace(test, cases=tuple(CaseResult(case.case, PASSED) for case in test.cases))
    cases = (CaseResult(case.case, PASSED) if case.stand_ins == (function,) else case for case in test.cases)
    return dataclasses.replace(test, cases=tuple(cases))


def _rounded(points: Fraction, share: Fraction) -> Fraction:
    if share == 1:
        return points
    rounded = Fraction(int(points * share * ROUNDING + Fraction(1, 2)), ROUNDING)
    less = Fraction(math.ceil(points * ROUNDING) - 1, ROUNDING)
    return min(rounded, less)


def tally(outcomes: Counter[str]) -> str:
    """Return how tests ended, in words: passed ones first, then the most frequent outcome."""
    ordered = sorted(outcomes.items(), key=lambda item: (item[0] != PASSED, -item[1], item[0]))
    return ", ".join(f"{count} {outcome}" for outcome, count in ordered)
