"""One submission in, one results.json out.

The file that is there while a grading runs says that it has not ended, or, on a platform that may end it, what has been
found so far; the true one replaces it in one step. When the fault is ours there is no file at all, and so no grade.
"""

from __future__ import annotations

import ast
import contextlib
import importlib
import math
import platform
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from autograder import __version__
from autograder.core.config import Config
from autograder.core.errors import AutograderError, BadSubmission, GraderFault, NotRun
from autograder.core.homework import all_functions
from autograder.core.outcomes import FAULT, Diagnosis, TestResult
from autograder.core.results import CaseExtra, DiagnosisExtra, Results, ResultsExtra, TestEntry, TestExtra
from autograder.grading import casefile, draft, feedback, plugin, timing
from autograder.grading.plan import Plan, Races, is_meant, refuse_unknown
from autograder.grading.proxy import MIB, preflight
from autograder.grading.session import SLOW_IMPORT_SECONDS, Interface, Session
from autograder.intake import submission
from autograder.sandbox import isolation
from autograder.sandbox.launcher import Sandbox

GRADED_WITH = f"Python {platform.python_version()} and NumPy {np.__version__}"
"""What a submission runs on here; other versions may disagree about syntax, and NumPy's about errors."""


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
    """

    score: Fraction | None
    points: Fraction
    outcomes: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    remark: str = ""
    isolation: str = ""

    @classmethod
    def fault(cls, points: Fraction, remark: str, seconds: float = 0.0) -> Grade:
        """Return what stands in for a grade after a fault of the grader."""
        return cls(None, points, Counter({FAULT: 1}), seconds, remark)


@dataclass(frozen=True)
class PlatformTerms:
    """What a platform has to say in a grading.

    Attributes
    ----------
    stopped : str
        Why tests that are left over were not run, should the grading be ended early.
    withheld : str
        Why this submission is not graded, although it could be; empty if it is.
    finish : callable
        Given results, and whether the grading has ended, returns those that are written.
    """

    stopped: str
    withheld: str
    finish: Callable[[Results, bool], Results]


@dataclass(frozen=True)
class _Verdict:
    """How every test ended, the text on top, a line for staff, the isolation in words, and what varies between runs."""

    tests: list[TestResult]
    summary: str
    remark: str
    isolation: str
    extra: dict[str, Any]


@dataclass(frozen=True)
class _Admitted:
    """A submission before its tests: what it defines, None if it cannot be used, and why not; sentences about it."""

    student: Session
    notes: list[str]
    defined: tuple[str, ...] | None
    unusable: str
    remark: str

    @classmethod
    def of(cls, student: Session, notes: list[str]) -> _Admitted:
        """Take down how it stands now: later it may be given up for other reasons."""
        if student.failure is None:
            return cls(student, notes, student.defined, "", "")
        return cls(student, notes, None, student.unusable, student.failure.message)


class Grader:
    """Grades submissions to one assignment; holds what is read once for all of them.

    Parameters
    ----------
    config : Config
    only : str, optional
        Run this test alone, ``test_conv2d_forward`` or ``test_conv2d_forward[tall-kernel]``, or the tests of a pattern,
        ``test_*_speed``.
    hosted : bool, optional
        Whether this is Gradescope, where student code that would run as root is not graded; found out by default.

    Raises
    ------
    ConfigurationError
        If the fixtures are missing or damaged, or `only` names no test or no case.
    """

    def __init__(self, config: Config, only: str | None = None, hosted: bool | None = None) -> None:
        self._config = config
        self._cases = casefile.load(config.homework.fixtures)
        self._only = only
        self._parameters = _parameters(config.homework.solution)
        self._hosted = isolation.GRADESCOPE.exists() if hosted is None else hosted
        self._graded = [name for name in config.tests if is_meant(only, name)]
        homework = config.homework
        functions = all_functions(homework.public_tests, homework.hidden_tests)
        refuse_unknown(only, list(config.tests), functions, self._cases)

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

        Never raises for what a submission does, nor for a fault of ours: that ends in a Grade without a score. After a
        fault, and after Ctrl-C, no results are left there, not even older ones. With `terms`, from the first test on
        the file holds what would be true if the grading ended there.
        """
        started = time.monotonic()

        def write(verdict: _Verdict, ended: bool = True) -> None:
            results = self._results(verdict, time.monotonic() - started)
            (terms.finish(results, ended) if terms else results).write(results_path)

        try:
            results_path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            if terms is None:
                Results.fallback("Grading started and has not ended yet.").write(results_path)
                verdict = self._judge(path, progress)
            else:
                results_path.unlink(missing_ok=True)
                verdict = self._judge(path, progress, terms, keep=lambda so_far: write(so_far, ended=False))
            write(verdict)
            seconds = time.monotonic() - started
        except BaseException as error:  # ours, whatever it is: a wrong grade is worse than none
            with contextlib.suppress(OSError):  # what cannot be made need not be removed
                results_path.unlink()
            if not isinstance(error, Exception):  # Ctrl-C
                raise
            story = str(error) if isinstance(error, AutograderError) else traceback.format_exc()
            return Grade.fault(self.points, story, time.monotonic() - started)
        outcomes = Counter(test.outcome for test in verdict.tests)
        return Grade(self._score(verdict.tests), self.points, outcomes, seconds, verdict.remark, verdict.isolation)

    def _judge(
        self,
        path: Path,
        progress: Callable[[TestResult], None] | None,
        terms: PlatformTerms | None = None,
        keep: Callable[[_Verdict], None] | None = None,
    ) -> _Verdict:
        """Run the tests; have what is known after each of them kept."""
        limits = self._config.limits
        with Sandbox(memory_mib=limits.memory_mib, cpu_seconds=math.ceil(limits.submission_seconds)) as sandbox:
            admitted = self._admit(path, sandbox)
            if terms is not None and keep is not None:
                progress = self._keeping(admitted, terms.stopped, keep, progress)
            withheld = terms.withheld if terms is not None else ""
            if withheld:
                admitted.student.give_up(NotRun(withheld), withheld)
            tests = plugin.run(self._plan(sandbox), admitted.student, progress)
        return self._verdict(admitted, admitted.notes, tests, about=[] if withheld else tests)

    def _verdict(
        self, admitted: _Admitted, notes: list[str], tests: list[TestResult], about: list[TestResult]
    ) -> _Verdict:
        """Put together what is known; the text on top is `about` those of these tests that a student sees at once."""
        homework, student = self._config.homework, admitted.student
        functions = list(homework.functions)
        seen = [test for test in about if self._config.tests[test.name].visibility == "visible"]
        if len(seen) < len(about):
            few = f"{len(about) - len(seen)} of {len(about)} tests are not shown here, or not yet"
            notes = [*notes, f"{few}: the rest of this text is about the others."]
        return _Verdict(
            tests,
            feedback.summary(homework.required_file, functions, admitted.defined, notes, seen),
            admitted.remark,
            isolation=isolation.level(student.isolation) if student.isolation else "",
            extra={
                "import_seconds": round(student.import_seconds, 3),
                "isolation": student.isolation,
                "unusable": admitted.unusable,
            },
        )

    def _keeping(
        self,
        admitted: _Admitted,
        stopped: str,
        keep: Callable[[_Verdict], None],
        progress: Callable[[TestResult], None] | None,
    ) -> Callable[[TestResult], None]:
        """Return a `progress` that has kept what would be true if the grading ended there."""
        homework = self._config.homework
        tests = all_functions(homework.public_tests, homework.hidden_tests)
        titles = {test.name: test.title for test in tests}
        leftover = draft.Leftover(self._graded, titles, self._config.subject, stopped)
        notes = [*admitted.notes, f"{stopped[0].upper()}{stopped[1:]}: tests that were not run count 0. Submit again."]
        done: list[TestResult] = []

        def note(test: TestResult) -> None:
            done.append(test)
            keep(self._verdict(admitted, notes, leftover.completed(done), about=[]))
            if progress is not None:
                progress(test)

        return note

    def _admit(self, path: Path, sandbox: Sandbox) -> _Admitted:
        """Copy the submission to where a worker can read it and import it."""
        homework, limits = self._config.homework, self._config.limits
        directory = sandbox.directory("student")
        bounds = submission.ArchiveLimits(limits.archive_mib * MIB, limits.archive_files)
        try:
            read = submission.read(path, directory, required=homework.required_file, limits=bounds)
        except BadSubmission as refusal:
            student = Session(sandbox, directory, [], self._interface(), self._object)
            student.give_up(refusal, "the submission could not be read")
            return _Admitted.of(student, [refusal.message])
        student = Session(sandbox, directory, read.files, self._interface(), self._object, elsewhere=read.elsewhere)
        student.start_clock()
        preflight(student)
        notes = list(read.notes)
        if student.failure is not None:
            notes.append(f"{student.unusable}: {student.failure.message}")
        elif student.import_seconds > SLOW_IMPORT_SECONDS:
            notes.append(
                f"Importing {homework.required_file} takes more than {SLOW_IMPORT_SECONDS:g} s, and it is imported "
                "once for every test: move experiments and plots out of it."
            )
        return _Admitted.of(student, notes)

    def _object(self, report: Mapping[str, str]) -> None:
        """Refuse to go on where the isolation is too weak for the machine we are on."""
        objection = isolation.objection(report, self._config.isolation.without_seccomp)
        if self._hosted and objection:
            raise GraderFault(f"not graded on Gradescope: {objection}")

    def _plan(self, sandbox: Sandbox) -> Plan:
        homework = self._config.homework
        return Plan(
            public=homework.public_tests,
            hidden=homework.hidden_tests,
            cases=self._cases,
            tolerances=self._config.tolerances.model_dump(),
            order=list(self._config.tests),
            subject=self._config.subject,
            only=self._only,
            knowledge=lambda: _knowledge(homework.misconceptions),
            races=Races(
                reference=lambda: self._reference(sandbox),
                bounds=self._bounds(),
            ),
        )

    def _reference(self, sandbox: Sandbox) -> Session:
        """Put the model answer where a worker of its own can read it."""
        homework = self._config.homework
        directory = sandbox.directory("reference")
        copy = directory / homework.required_file
        copy.write_bytes(homework.solution.read_bytes())
        copy.chmod(0o644)
        return Session(sandbox, directory, [], self._interface(), self._object, reference=True)

    def _bounds(self) -> timing.Bounds:
        speed = self._config.speed
        return timing.Bounds(speed.full_ratio, speed.none_ratio, speed.rounds, self._config.tolerances.float32)

    def _interface(self) -> Interface:
        homework, limits = self._config.homework, self._config.limits
        return Interface(
            module=Path(homework.required_file).stem,
            functions=homework.functions,
            opaque=frozenset(homework.opaque),
            call_seconds=limits.call_seconds,
            import_seconds=limits.import_seconds,
            submission_seconds=limits.submission_seconds,
            memory_mib=limits.memory_mib,
            reply_mib=limits.reply_mib,
            parameters=self._parameters,
        )

    def _score(self, tests: list[TestResult]) -> Fraction:
        return sum((test.score(self._config.tests[test.name].points) for test in tests), Fraction(0))

    def _results(self, verdict: _Verdict, seconds: float) -> Results:
        """Put the outcomes into the platform's form."""
        missing = set(self._graded) - {test.name for test in verdict.tests}
        if missing:
            raise GraderFault(f"these tests did not run: {', '.join(sorted(missing))}")
        numbers = self._numbers(verdict.tests)
        return Results(
            total_points=float(self._config.total_points) if self._only is None else None,
            score=float(self._score(verdict.tests)),
            execution_time=round(seconds, 2),
            output=verdict.summary,
            tests=tuple(self._entry(test, number) for test, number in zip(verdict.tests, numbers, strict=True)),
            extra_data=ResultsExtra(
                engine=__version__,
                python=platform.python_version(),
                numpy=np.__version__,
                only=self._only,
                isolated=verdict.isolation,
                **verdict.extra,
            ),
        )

    def _numbers(self, tests: list[TestResult]) -> list[str]:
        """Number the tests function by function, as the assignment does: 2.1 is the first test about the second one."""
        functions = list(self._config.homework.functions)
        seen: Counter[int] = Counter()
        numbers = []
        for test in tests:
            chapter = functions.index(test.subject) + 1 if test.subject is not None else 0
            seen[chapter] += 1
            numbers.append(f"{chapter}.{seen[chapter]}")
        return numbers

    def _entry(self, test: TestResult, number: str) -> TestEntry:
        settings = self._config.tests[test.name]
        points = settings.points
        cases = {case.case or "all": CaseExtra(outcome=case.outcome, **case.detail) for case in test.cases}
        diagnosis: dict[str, Any] = {} if test.diagnosis is None else {"diagnosis": _for_staff(test.diagnosis)}
        return TestEntry(
            number=number,
            name=test.title,
            score=float(test.score(points)),
            max_score=float(points),
            output=feedback.test_output(test, settings.feedback),
            visibility=settings.visibility,
            extra_data=TestExtra(
                test=test.name, outcome=test.outcome, cases=cases, seconds=round(test.seconds, 4), **diagnosis
            ),
        )


def _for_staff(diagnosis: Diagnosis) -> DiagnosisExtra:
    return DiagnosisExtra(id=diagnosis.id, certain=bool(diagnosis.hint), seconds=round(diagnosis.seconds, 4))


def _knowledge(package: Path) -> Any:
    """Import the homework's catalogue of wrong answers, under its name in its folder; None where there is none.

    It says what mistakes look like and never what is right: without it grades are the same, and hints are missing.
    """
    if not package.exists():
        return None
    root = str(package.parent.parent)
    sys.path.insert(0, root)
    try:
        module = importlib.import_module(f"{package.parent.name}.{package.stem}")
    finally:
        sys.path.remove(root)
    return module if hasattr(module, "assemble") else None


def _parameters(solution: Path) -> dict[str, list[str]]:
    """Return what each function of the model answer takes, by name; the file is parsed and not run."""
    try:
        tree = ast.parse(solution.read_bytes())
    except (OSError, SyntaxError, ValueError):  # others complain of that
        return {}
    functions = (node for node in tree.body if isinstance(node, ast.FunctionDef))
    return {node.name: [argument.arg for argument in node.args.args] for node in functions}
