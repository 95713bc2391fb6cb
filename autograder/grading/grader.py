"""One submission in, one results.json out."""

from __future__ import annotations

import itertools
import math
import platform
import traceback
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from autograder.core import files, homework
from autograder.core.config import Config
from autograder.core.errors import AutograderError, BadSubmission, GraderFault, NotRun
from autograder.core.outcomes import FAULT, TestResult
from autograder.core.sections import Homework
from autograder.core.text import clean
from autograder.grading import casefile, suite, timing
from autograder.grading.diagnose.smallest import Example
from autograder.grading.examples import Examples, at_fault, promises_only
from autograder.grading.plan import Plan, Races, is_meant, refuse_unknown
from autograder.grading.proxy import preflight
from autograder.grading.recorder import PlatformTerms, Recorder
from autograder.grading.session import SLOW_IMPORT_SECONDS, Interface, Session
from autograder.intake import submission
from autograder.sandbox import isolation
from autograder.sandbox.launcher import Sandbox

_copies = itertools.count()
"""Numbers the copies of the model answer; a grading may need several."""
GRADED_WITH = f"Python {platform.python_version()} and NumPy {np.__version__}"
"""The versions that submissions run on here. Other versions may differ in syntax and in NumPy's errors."""


@dataclass(frozen=True)
class Grade:
    """What came out of grading one submission.

    Attributes
    ----------
    score : Fraction or None
        None after a fault of the grader: nothing was published.
    outcomes : Counter
        How many tests ended in which outcome.
    seconds : float
        Wall time, from the submission's file to results.json.
    remark : str
        One line for staff: what was wrong with the submission as a whole, or with the grader.
    isolation : str
        What student code could do while this was graded; empty if none ran.
    layers : mapping of str to str
        The same for each layer; empty if the submission had been graded before.
    """

    score: Fraction | None
    points: Fraction
    outcomes: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    remark: str = ""
    isolation: str = ""
    layers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def fault(cls, points: Fraction, remark: str, seconds: float = 0.0) -> Grade:
        """Return a Grade without a score, for a fault of the grader."""
        return cls(None, points, Counter({FAULT: 1}), seconds, remark)


class Grader:
    """Grades submissions to one assignment; holds what is read once for all of them.

    Parameters
    ----------
    config : Config
    only : str, optional
        Run this test alone, ``test_softmax`` or ``test_softmax[one-row]``, or the tests of a pattern,
        ``test_*_speed``.
    hosted : bool, optional
        Whether this is Gradescope, where student code that would run as root is not graded; found out by default.

    Raises
    ------
    ConfigurationError
        If the fixtures are missing, damaged or out of date, or `only` names no test or no case.
    """

    def __init__(self, config: Config, only: str | None = None, hosted: bool | None = None) -> None:
        self._config = config
        self._cases = casefile.load(config.homework.fixtures)
        casefile.refuse_out_of_date(config)
        self._only = only
        self._parameters = homework.parameters(config.homework.solution)
        self._hosted = isolation.GRADESCOPE.exists() if hosted is None else hosted
        self._graded = [name for name in config.tests if is_meant(only, name)]
        tests = homework.all_functions(config.homework.public_tests, config.homework.hidden_tests)
        refuse_unknown(only, list(config.tests), tests, self._cases)

    @property
    def points(self) -> Fraction:
        """What the graded tests are worth together."""
        return sum((self._config.tests[name].points for name in self._graded), Fraction(0))

    def grade(
        self,
        path: Path,
        results_path: Path,
        progress: Callable[[TestResult], None] | None = None,
        terms: PlatformTerms | None = None,
    ) -> Grade:
        """Grade the submission at `path` and write `results_path`.

        Never raises because of a submission or a fault of ours: such a fault gives a Grade without a score. After a
        fault, and after Ctrl-C, no results are left there, not even older ones. With `terms`, from the first test on
        the file holds what would be true if the grading ended there.
        """
        recorder = Recorder(self._config, self._graded, self._only, results_path, progress, terms)
        try:
            recorder.begin()
            tests = self._judge(path, recorder, terms.withheld if terms is not None else "")
            recorder.finish(tests)
        except BaseException as error:  # any error here is the grader's: a wrong grade is worse than none
            recorder.discard()
            if not isinstance(error, Exception):  # Ctrl-C
                raise
            return Grade.fault(self.points, _story(error), recorder.seconds)
        return Grade(
            recorder.score(tests),
            self.points,
            Counter(test.outcome for test in tests),
            recorder.seconds,
            recorder.remark,
            recorder.isolation,
            recorder.layers,
        )

    def _judge(self, path: Path, recorder: Recorder, withheld: str) -> list[TestResult]:
        """Run the tests."""
        limits = self._config.limits
        with Sandbox(memory_mib=limits.memory_mib, cpu_seconds=math.ceil(limits.submission_seconds)) as sandbox:
            student, notes = self._admit(path, sandbox)
            recorder.admit(student, notes)
            if withheld:
                student.give_up(NotRun(withheld), withheld)
            tests = suite.run(self._plan(sandbox), student, recorder.note)
            if not withheld:
                try:
                    recorder.examples = self._examples(sandbox, student, recorder.told(tests))
                except Exception as error:  # a bug of ours in there costs the explanation only
                    recorder.no_examples = clean(f"{type(error).__name__}: {error}")
            return tests

    def _admit(self, path: Path, sandbox: Sandbox) -> tuple[Session, list[str]]:
        """Copy the submission to where a worker can read it, and import it; return sentences about it as well."""
        home = self._config.homework
        directory = sandbox.directory("student")
        try:
            read = submission.read(path, directory, required=home.required_file, limits=self._config.limits)
        except BadSubmission as refusal:
            student = Session(sandbox, directory, [], self._interface(), self._object)
            student.give_up(refusal, "the submission could not be read")
            return student, [refusal.message]
        student = Session(sandbox, directory, read.files, self._interface(), self._object, elsewhere=read.elsewhere)
        student.start_clock()
        preflight(student)
        notes = list(read.notes)
        if student.failure is not None:
            notes.append(f"{student.unusable}: {student.failure.message}")
        elif student.import_seconds > SLOW_IMPORT_SECONDS:
            notes.append(
                f"Importing {home.required_file} takes more than {SLOW_IMPORT_SECONDS:g} s, and it is imported "
                "once for every test: move experiments and plots out of it."
            )
        return student, notes

    def _object(self, report: Mapping[str, str]) -> None:
        """Refuse to go on where the isolation is too weak for the machine we are on."""
        objection = isolation.objection(report, self._config.isolation.without_seccomp)
        if self._hosted and objection:
            raise GraderFault(f"not graded on Gradescope: {objection}")

    def _plan(self, sandbox: Sandbox) -> Plan:
        home = self._config.homework
        return Plan(
            public=home.public_tests,
            hidden=home.hidden_tests,
            cases=self._cases,
            tolerances=self._config.tolerances.model_dump(),
            order=list(self._config.tests),
            subject=self._config.subject,
            module=home.module,
            only=self._only,
            follow_through=self._config.follow_through,
            knowledge=lambda: _knowledge(home),
            races=Races(
                reference=lambda: self._reference(sandbox),
                bounds=self._bounds(),
            ),
        )

    def _reference(self, sandbox: Sandbox) -> Session:
        """Put the model answer where a worker of its own can read it."""
        home = self._config.homework
        directory = sandbox.directory(f"reference-{next(_copies)}")
        copy = directory / home.required_file
        copy.write_bytes(home.solution.read_bytes())
        copy.chmod(0o644)
        return Session(sandbox, directory, [], self._interface(), self._object, reference=True)

    def _examples(self, sandbox: Sandbox, student: Session, tests: list[TestResult]) -> dict[str, Example]:
        """Return the smallest example for each function that these tests found at fault. No grade depends on it."""
        home, tolerances = self._config.homework, self._config.tolerances
        known = homework.all_functions(home.hidden_tests, home.public_tests)
        once = {test.name for test in known if not set(test.arguments) <= {"student", home.module, "case", "check"}}
        wrong = at_fault(tests, list(home.functions), once)
        family = getattr(_knowledge(home), "family", None) if wrong else None
        if family is None:
            return {}
        most = self._config.limits.example_calls
        bounds = (tolerances.float64, tolerances.float32)
        search = Examples(student, lambda: self._reference(sandbox), family, bounds, most)
        return search.find(wrong, promises_only(tests, wrong))

    def _bounds(self) -> timing.Bounds:
        speed = self._config.speed
        return timing.Bounds(speed.full_ratio, speed.none_ratio, speed.rounds, self._config.tolerances.float32)

    def _interface(self) -> Interface:
        home = self._config.homework
        return Interface(
            module=home.module,
            functions=home.functions,
            opaque=frozenset(home.opaque),
            limits=self._config.limits,
            parameters=self._parameters,
        )


def _story(error: Exception) -> str:
    """Describe an error: in one line if we know it, else with everything that helps to find the bug."""
    if isinstance(error, AutograderError):
        return str(error)
    if isinstance(error, OSError) and files.remedy(error):
        return f"this machine refused something: {files.described(error)}. {files.remedy(error)}"
    return traceback.format_exc()


def _knowledge(home: Homework) -> Any:
    """Import the homework's catalogue of wrong answers; None where there is none.

    It describes mistakes and never what is right. Without it grades are the same, but hints are missing.
    """
    if home.misconceptions is None or not home.misconceptions.exists():
        return None
    module = homework.package(home.misconceptions, home.root)
    return module if hasattr(module, "assemble") else None
