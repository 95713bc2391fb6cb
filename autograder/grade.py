"""One submission in, one results.json out.

The file that is there while a grading runs says that it has not ended; the true one replaces it in one step. When
the fault is ours there is no file at all, and so no grade.
"""

from __future__ import annotations

import time
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from autograder import __version__, casefile, feedback, plugin, submission
from autograder.config import Config
from autograder.errors import BadSubmission, ConfigurationError, GraderFault
from autograder.gradescope import Results, TestEntry
from autograder.outcomes import FAULT, TestResult
from autograder.sandbox import Sandbox
from autograder.student import MIB, SLOW_IMPORT_SECONDS, Interface, Submission


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
    """

    score: Fraction | None
    points: Fraction
    outcomes: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    remark: str = ""


class Grader:
    """Grades submissions to one assignment; holds what is read once for all of them.

    Parameters
    ----------
    config : Config
    only : str, optional
        Run this test alone, ``test_conv2d_forward`` or ``test_conv2d_forward[tall-kernel]``.

    Raises
    ------
    ConfigurationError
        If the fixtures are missing or damaged, or `only` names no test.
    """

    def __init__(self, config: Config, only: str | None = None) -> None:
        self._config = config
        self._cases = casefile.load(config.homework.fixtures)
        self._only = only
        self._graded = [name for name in config.tests if only is None or only.split("[")[0] == name]
        if not self._graded:
            raise ConfigurationError(
                "ONLY", "", f"no test is called {only}", f"The tests are: {', '.join(config.tests)}"
            )

    @property
    def points(self) -> Fraction:
        """What the graded tests are worth together."""
        return sum((self._config.tests[name].points for name in self._graded), Fraction(0))

    def grade(self, path: Path, results_path: Path, progress: Callable[[TestResult], None] | None = None) -> Grade:
        """Grade the submission at `path` and write `results_path`.

        Never raises for what a submission does, nor for a fault of ours: that ends in a Grade without a score.
        """
        started = time.monotonic()
        try:
            results_path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            Results.fallback("Grading started and has not ended yet.").write(results_path)
            tests, output, remark, extra = self._judge(path, progress)
            seconds = time.monotonic() - started
            results = self._results(tests, output, seconds, extra)
            results.write(results_path)
        except Exception as error:  # ours, whatever it is: a wrong grade is worse than none
            results_path.unlink(missing_ok=True)
            story = str(error) if isinstance(error, GraderFault) else traceback.format_exc()
            return Grade(None, self.points, Counter({FAULT: 1}), time.monotonic() - started, story)
        score = sum((test.score(self._config.tests[test.name].points) for test in tests), Fraction(0))
        return Grade(score, self.points, Counter(test.outcome for test in tests), seconds, remark)

    def _judge(
        self, path: Path, progress: Callable[[TestResult], None] | None
    ) -> tuple[list[TestResult], str, str, dict[str, object]]:
        """Return how every test ended, the text on top, a remark for staff, and what varies from run to run."""
        homework, limits = self._config.homework, self._config.limits
        with Sandbox(memory_mib=limits.memory_mib, cpu_seconds=int(limits.submission_seconds)) as sandbox:
            student, notes = self._admit(path, sandbox)
            tests = plugin.run(self._plan(), student, progress)
        defined = student.defined if student.failure is None else None
        summary = feedback.summary(homework.required_file, list(homework.functions), defined, notes, tests)
        remark = student.failure.message if student.failure is not None else ""
        extra = {"import_seconds": round(student.import_seconds, 3), "isolation": student.isolation}
        return tests, summary, remark, extra

    def _admit(self, path: Path, sandbox: Sandbox) -> tuple[Submission, list[str]]:
        """Copy the submission to where a worker can read it and import it; return it with notes for the student."""
        homework, limits = self._config.homework, self._config.limits
        directory = sandbox.directory("student")
        bounds = submission.ArchiveLimits(limits.archive_mib * MIB, limits.archive_files)
        try:
            read = submission.read(path, directory, required=homework.required_file, limits=bounds)
        except BadSubmission as refusal:
            student = Submission(sandbox, directory, [], self._interface())
            student.give_up(refusal, "the submission could not be read")
            return student, [refusal.message]
        student = Submission(sandbox, directory, read.files, self._interface())
        student.start_clock()
        student.preflight()
        notes = list(read.notes)
        if student.failure is not None:
            notes.append(f"{student.unusable}: {student.failure.message}")
        elif student.import_seconds > SLOW_IMPORT_SECONDS:
            notes.append(
                f"Importing {homework.required_file} takes more than {SLOW_IMPORT_SECONDS:g} s, and it is imported "
                "once for every test: move experiments and plots out of it."
            )
        return student, notes

    def _plan(self) -> plugin.Plan:
        homework = self._config.homework
        return plugin.Plan(
            public=homework.public_tests,
            hidden=homework.hidden_tests,
            cases=self._cases,
            tolerances=self._config.tolerances.model_dump(),
            order=list(self._config.tests),
            subject=self._config.subject,
            only=self._only,
        )

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
        )

    def _results(self, tests: list[TestResult], output: str, seconds: float, extra: dict[str, object]) -> Results:
        """Put the outcomes into the platform's form."""
        missing = set(self._graded) - {test.name for test in tests}
        if missing:
            raise GraderFault(f"these tests did not run: {', '.join(sorted(missing))}")
        numbers = self._numbers(tests)
        score = sum((test.score(self._config.tests[test.name].points) for test in tests), Fraction(0))
        return Results(
            total_points=float(self._config.total_points) if self._only is None else None,
            score=float(score),
            execution_time=round(seconds, 2),
            output=output,
            tests=tuple(self._entry(test, number) for test, number in zip(tests, numbers, strict=True)),
            extra_data={"engine": __version__, "only": self._only, **extra},
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
        cases = {case.case or "all": {"outcome": case.outcome, **case.detail} for case in test.cases}
        return TestEntry(
            number=number,
            name=test.title,
            score=float(test.score(points)),
            max_score=float(points),
            output=feedback.test_output(test, settings.feedback),
            visibility=settings.visibility,
            extra_data={"test": test.name, "outcome": test.outcome, "cases": cases, "seconds": round(test.seconds, 4)},
        )
