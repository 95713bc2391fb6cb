"""Results of a grading that has not ended: what stands for the tests that have not been run yet.

The titles of tests are read from their files, which are not run for it. It must not know: submissions, points, why a
grading should end early.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from autograder.core.errors import NotRun
from autograder.core.outcomes import CaseResult, TestResult


@dataclass(frozen=True)
class Leftover:
    """What can be said of tests that have not been run.

    Parameters
    ----------
    names : sequence of str
        All tests, in the order of the assignment.
    titles : dict of str to str
        Of each, as far as it has one.
    subject : callable
        From a test's name to the student's function it is about.
    reason : str
        Why they were not run, as far as the student is concerned.
    """

    names: Sequence[str]
    titles: dict[str, str]
    subject: Callable[[str], str | None]
    reason: str

    def completed(self, done: Sequence[TestResult]) -> list[TestResult]:
        """Return a result for every test: those that are there, and for the others that they were not run."""
        known = {test.name: test for test in done}
        return [known.get(name) or self._not_run(name) for name in self.names]

    def _not_run(self, name: str) -> TestResult:
        case = CaseResult("", NotRun.outcome, self.reason)
        return TestResult(name, self.titles.get(name, name), self.subject(name), (case,))
