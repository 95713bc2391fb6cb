"""What a test can end in, and what that is worth. Pure: it must not know pytest, files, processes or the platform."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

PASSED = "passed"
PARTLY = "partly"
FAULT = "grader fault"

ROUNDING = 100
"""Scores are rounded once per test, to 1/ROUNDING of a point."""


@dataclass(frozen=True)
class CaseResult:
    """One case of one test.

    Attributes
    ----------
    case : str
        The case's id; empty for a test without cases.
    outcome : str
        ``passed``, or the ``outcome`` of the StudentError it ended in.
    message : str
        What the student reads; empty when passed.
    function : str
        The student's function that it concerns.
    values : str
        Got and expected, for tests that may show them.
    detail : dict
        For staff and scripts: never shown to students.
    """

    case: str
    outcome: str
    message: str = ""
    function: str = ""
    values: str = ""
    detail: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class TestResult:
    """One test function with all its cases.

    Attributes
    ----------
    name, title : str
        The function's name, and the first line of its docstring.
    subject : str or None
        The student's function it is about.
    seconds : float
        Wall time; varies from run to run.
    """

    __test__ = False  # not a test of ours, whatever pytest thinks of the name

    name: str
    title: str
    subject: str | None
    cases: tuple[CaseResult, ...]
    seconds: float = 0.0

    @property
    def passed(self) -> int:
        """How many cases passed."""
        return sum(case.outcome == PASSED for case in self.cases)

    @property
    def outcome(self) -> str:
        """``passed``, ``partly``, or the outcome of the first case that did not pass."""
        if self.passed == len(self.cases):
            return PASSED
        if self.passed:
            return PARTLY
        return self.cases[0].outcome

    def score(self, points: Fraction) -> Fraction:
        """Return the share of `points` that was earned: by cases, exact, rounded once and never up to full marks."""
        if self.passed == len(self.cases):
            return points
        share = points * self.passed / len(self.cases)
        rounded = Fraction(int(share * ROUNDING + Fraction(1, 2)), ROUNDING)
        return min(rounded, points - Fraction(1, ROUNDING))
