"""One submission in, one results.json out."""

from __future__ import annotations

import functools
import math
import platform
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path, PurePosixPath

import numpy as np

from autograder.core import files
from autograder.core.config import Config
from autograder.core.errors import AutograderError, BadSubmission, GraderFault, NotRun
from autograder.core.outcomes import FAULT, TestResult
from autograder.core.tables import number
from autograder.core.text import clean
from autograder.grading import suite
from autograder.grading.findings import Findings
from autograder.grading.part import Part
from autograder.grading.plan import refuse_unknown
from autograder.grading.proxy import preflight
from autograder.grading.recorder import PlatformTerms, Recorder
from autograder.grading.session import SLOW_IMPORT_SECONDS, Session
from autograder.intake import submission, variants
from autograder.intake.submission import CleanCopy
from autograder.sandbox import isolation
from autograder.sandbox.launcher import Sandbox

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
        self._only = only
        self._hosted = isolation.GRADESCOPE.exists() if hosted is None else hosted
        self._parts = [Part(one, only, place) for place, one in enumerate(config.whole, start=1)]
        for part in [part for part in self._parts if part.graded]:
            part.refuse_unknown()
        if not any(part.graded for part in self._parts):
            refuse_unknown(only, [name for one in config.whole for name in one.tests], (), {})

    def refuse_dependent(self) -> None:
        """Raise ConfigurationError if the model answer of one part cannot be imported without another's."""
        with self._sandbox() as sandbox:
            for part in self._parts:
                part.refuse_dependent(sandbox, self._object)

    def _sandbox(self) -> Sandbox:
        memory = self._config.limits.memory_mib  # the same in all parts
        seconds = max(part.config.limits.submission_seconds for part in self._parts)  # each part ends its own earlier
        return Sandbox(memory_mib=memory, cpu_seconds=math.ceil(seconds))

    @property
    def points(self) -> Fraction:
        """What the graded tests are worth together, without the bonus of other parts."""
        bonus = [] if self._only else [part for part in self._parts[1:] if not self._is_within(part)]
        return sum((part.points for part in self._parts if part not in bonus), Fraction(0))

    def _is_within(self, part: Part) -> bool:
        return any(part.config is one for one in self._config.within)

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
        recorder = Recorder(results_path, progress, terms)
        try:
            recorder.begin()
            self._judge(path, recorder, terms.withheld if terms is not None else "")
            recorder.finish()
        except BaseException as error:  # any error here is the grader's: a wrong grade is worse than none
            recorder.discard()
            if not isinstance(error, Exception):  # Ctrl-C
                raise
            return Grade.fault(self.points, _story(error), recorder.seconds)
        return Grade(
            recorder.score,
            self.points,
            Counter(test.outcome for test in recorder.tests),
            recorder.seconds,
            recorder.remark,
            recorder.isolation,
            recorder.layers,
        )

    def _judge(self, path: Path, recorder: Recorder, withheld: str) -> None:
        """Run the tests, part after part."""
        with self._sandbox() as sandbox:
            directory = sandbox.directory("student")
            read = self._read(path, directory)
            handed_in = [part for part in self._parts if part.place == 1 or _holds(read, part)]
            recorder.parts = [Findings(part.config, part.graded, self._only, part.place) for part in handed_in]
            for part, found in zip(handed_in, list(recorder.parts), strict=True):
                student = self._admit(part, found, read, directory, sandbox)
                if withheld:
                    student.give_up(NotRun(withheld), withheld)
                if part.graded:
                    plan = part.plan(sandbox, self._object)
                    found.tests = suite.run(plan, student, functools.partial(recorder.note, found))
                    recorder.update(found)
                if part.place > 1 and found.is_untouched:
                    recorder.leave_out(found)
                elif not withheld:
                    try:
                        found.examples = part.examples(student, found.told(found.tests))
                    except Exception as error:  # a bug of ours in there costs the explanation only
                        found.no_examples = clean(f"{type(error).__name__}: {error}")
                    recorder.update(found)

    def _read(self, path: Path, directory: Path) -> CleanCopy | BadSubmission:
        """Copy the submission to where a worker can read it, or return why that cannot be done."""
        required, *others = (part.config.homework.required_file for part in self._parts)
        try:
            return submission.read(path, directory, required=required, limits=self._config.limits, others=others)
        except BadSubmission as refusal:
            return refusal

    def _admit(
        self, part: Part, found: Findings, read: CleanCopy | BadSubmission, directory: Path, sandbox: Sandbox
    ) -> Session:
        """Import a student's file for one part, and record what is to be said about it."""
        if isinstance(read, BadSubmission):
            student = Session(sandbox, directory, [], part.interface(), self._object)
            student.give_up(read, "the submission could not be read")
            found.admit(student, [_sentence(read.message)])
            return student
        student = Session(sandbox, directory, read.files, part.interface(), self._object, elsewhere=read.elsewhere)
        student.start_clock()
        preflight(student)
        notes = [*read.notes, *self._missed(read)] if part.place == 1 else []
        if student.failure is not None:
            notes.append(_sentence(f"{student.unusable}: {student.failure.message}"))
        elif student.import_seconds > SLOW_IMPORT_SECONDS:
            notes.append(
                f"Importing {part.config.homework.required_file} takes more than {SLOW_IMPORT_SECONDS:g} s, and it is "
                "imported once for every test: move experiments and plots out of it."
            )
        found.admit(student, notes)
        if part.place == 1 and not any(one.graded for one in self._parts if one.place == 1 or _holds(read, one)):
            found.remark = "; ".join(filter(None, [found.remark, "that part was not handed in"]))
        return student

    def _missed(self, read: CleanCopy) -> Iterator[str]:
        """Say which other parts are not graded although their file may have been meant to be, or has to be."""
        main = self._config.homework.required_file
        for place, part in enumerate(self._parts[1:], start=2):
            file = part.config.homework.required_file
            if _holds(read, part):
                continue
            if like := self._meant(read, file):
                yield f"Part {place} is not graded: {like[0]} should be called {file}, beside {main}{like[1]}."
            elif self._only and part.graded:
                yield f"Part {place} was not handed in: there is no {file} beside {main}."
            elif self._is_within(part):
                worth = f"{number(part.points)} points"
                yield f"Part {place} is not graded, and its {worth} are missing: there is no {file} beside {main}."

    def _meant(self, read: CleanCopy, file: str) -> tuple[str, str] | None:
        """Return a file that may have been meant to be another part's, and why it is not, if there is one."""
        main, *others = (part.config.homework.required_file for part in self._parts)
        found = []
        for path in {*read.files, *read.ignored, *read.elsewhere}:
            name, cause = PurePosixPath(path).name, variants.meant(path, file)
            is_known = name == main or variants.mistaken(name, main) or (name in others and name != file)
            if cause is not None and not is_known:
                found.append((cause, path))
        if not found:
            return None
        cause, path = min(found)  # the right name in a wrong place comes first
        return clean(path, 80), f": {cause}" if cause else ""

    def _object(self, report: Mapping[str, str]) -> None:
        """Refuse to go on where the isolation is too weak for the machine we are on."""
        objection = isolation.objection(report, self._config.isolation.without_seccomp)
        if self._hosted and objection:
            raise GraderFault(f"not graded on Gradescope: {objection}")


def _holds(read: CleanCopy | BadSubmission, part: Part) -> bool:
    """Whether what was handed in holds the file of another part."""
    return not isinstance(read, BadSubmission) and part.config.homework.required_file in read.files


def _sentence(message: str) -> str:
    """Return a message as a sentence of its own; names of files stay as they are."""
    start, end = ("The ", message[4:]) if message.startswith("the ") else ("", message)
    return f"{start}{end}{'' if message.endswith('.') else '.'}"


def _story(error: Exception) -> str:
    """Describe an error: in one line if we know it, else with everything that helps to find the bug."""
    if isinstance(error, AutograderError):
        return str(error)
    if isinstance(error, OSError) and files.remedy(error):
        return f"this machine refused something: {files.described(error)}. {files.remedy(error)}"
    return traceback.format_exc()
