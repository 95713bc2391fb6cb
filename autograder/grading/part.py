"""One part of a homework, ready to grade submissions: its tests, their inputs, and its model answer.

Most homeworks have one part. What is read here is read once for all submissions.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

from autograder.core import homework
from autograder.core.config import Config
from autograder.core.errors import ConfigurationError
from autograder.core.outcomes import TestResult
from autograder.core.sections import Homework
from autograder.grading import casefile, timing
from autograder.grading.diagnose.smallest import Example
from autograder.grading.examples import Examples, at_fault, promises_only
from autograder.grading.plan import Plan, Races, is_meant, refuse_unknown
from autograder.grading.proxy import preflight
from autograder.grading.session import Interface, Session
from autograder.sandbox.launcher import Sandbox

_copies = itertools.count()
"""Numbers the copies of the model answers; a grading may need several."""

Guard = Callable[[Mapping[str, str]], None]
"""Called with the worker's report of its lockdown before any code runs there; raises to prevent that."""


class Part:
    """The tests of one part, and all they need.

    Parameters
    ----------
    config : Config
    only : str or None
        What is meant, if not all tests are.
    place : int
        Which part this is; 1 is the main one.

    Attributes
    ----------
    graded : list of str
        The tests that are meant.

    Raises
    ------
    ConfigurationError
        If the fixtures are missing, damaged or out of date.
    """

    def __init__(self, config: Config, only: str | None, place: int) -> None:
        self.config = config
        self.place = place
        self._only = only
        self._cases = casefile.load(config.homework.fixtures)
        casefile.refuse_out_of_date(config)
        self._parameters = homework.parameters(config.homework.solution)
        self.graded = [name for name in config.tests if is_meant(only, name)]

    @property
    def points(self) -> Fraction:
        """What the tests that are meant are worth together."""
        return sum((self.config.tests[name].points for name in self.graded), Fraction(0))

    def refuse_unknown(self) -> None:
        """Raise ConfigurationError if no case of a test is called what was asked for."""
        home = self.config.homework
        tests = homework.all_functions(home.public_tests, home.hidden_tests)
        refuse_unknown(self._only, list(self.config.tests), tests, self._cases)

    def interface(self) -> Interface:
        """Return what students implement here, within which limits."""
        home = self.config.homework
        return Interface(
            module=home.module,
            functions=home.functions,
            opaque=frozenset(home.opaque),
            limits=self.config.limits,
            parameters=self._parameters,
        )

    def plan(self, sandbox: Sandbox, guard: Guard) -> Plan:
        """Return what is run, in this sandbox."""
        home, speed, tolerances = self.config.homework, self.config.speed, self.config.tolerances
        bounds = timing.Bounds(speed.full_ratio, speed.none_ratio, speed.rounds, tolerances.float32)
        return Plan(
            public=home.public_tests,
            hidden=home.hidden_tests,
            cases=self._cases,
            tolerances=tolerances.model_dump(),
            order=list(self.config.tests),
            subject=self.config.subject,
            left_out=self.config.left_out,
            module=home.module,
            only=self._only,
            follow_through=self.config.follow_through,
            knowledge=lambda: _knowledge(home),
            races=Races(reference=lambda: self._reference(sandbox, guard), bounds=bounds),
        )

    def examples(self, student: Session, tests: list[TestResult]) -> dict[str, Example]:
        """Return the smallest example for each function that these tests found at fault. No grade depends on it."""
        home, tolerances = self.config.homework, self.config.tolerances
        if not at_fault(tests, list(home.functions)):
            return {}
        known = homework.all_functions(home.hidden_tests, home.public_tests)
        once = {test.name for test in known if not set(test.arguments) <= {"student", home.module, "case", "check"}}
        wrong = at_fault(tests, list(home.functions), once)
        knowledge = _knowledge(home) if wrong else None
        family = getattr(knowledge, "family", None)
        if knowledge is None or family is None:
            return {}
        most = self.config.limits.example_calls
        bounds = (tolerances.float64, tolerances.float32)
        search = Examples(student, knowledge.assemble(()), family, bounds, most)
        return search.find(wrong, promises_only(tests, wrong))

    def refuse_dependent(self, sandbox: Sandbox, guard: Guard) -> None:
        """Raise ConfigurationError if the model answer cannot be imported alone: it has a worker of its own.

        Where that worker is needed, for follow-through marks, no answer would look like a wrong one.
        """
        alone = self._reference(sandbox, guard)
        preflight(alone)
        if alone.failure is not None:
            problem = f"cannot be imported without the files of other parts: {alone.failure.message}"
            remedy = "Write what it needs into it"
            raise ConfigurationError(self.config.homework.solution.name, "", problem, remedy)

    def _reference(self, sandbox: Sandbox, guard: Guard) -> Session:
        """Put the model answer where a worker of its own can read it."""
        home = self.config.homework
        directory = sandbox.directory(f"reference-{next(_copies)}")
        copy = directory / home.required_file
        copy.write_bytes(home.solution.read_bytes())
        copy.chmod(0o644)
        return Session(sandbox, directory, [], self.interface(), guard, reference=True)


def _knowledge(home: Homework) -> Any:
    """Import the homework's catalogue of wrong answers; None where there is none.

    It describes mistakes and never what is right. Without it grades are the same, but hints are missing.
    """
    if home.misconceptions is None or not home.misconceptions.exists():
        return None
    module = homework.package(home.misconceptions, home.root)
    return module if hasattr(module, "assemble") else None
