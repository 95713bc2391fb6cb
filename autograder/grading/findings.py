"""What one grading finds in one part of a homework, and how it is told in ``results.json``."""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from autograder import __version__
from autograder.core import homework
from autograder.core.config import Config
from autograder.core.errors import NotRun
from autograder.core.extra import CaseExtra, DiagnosisExtra, ResultsExtra, TestExtra
from autograder.core.outcomes import CaseResult, TestResult, with_stand_in
from autograder.core.results import Results, TestEntry
from autograder.grading import feedback, overview
from autograder.grading.diagnose.smallest import Example
from autograder.grading.session import Session
from autograder.sandbox import isolation


class Findings:
    """Keeps what one grading finds in one part, and tells it.

    Parameters
    ----------
    config : Config
        Of the part.
    graded : sequence of str
        The tests that are run.
    only : str or None
        What was asked for, where these are not all tests.
    place : int
        Which part this is; 1 is the main one.

    Attributes
    ----------
    tests : list of TestResult
        How all tests ended; empty until they have.
    remark : str
        What is wrong with the submission as a whole, for staff.
    examples : mapping of str to Example
        The smallest example for each function that is at fault.
    no_examples : str
        The error that ended the search for them, for staff.
    """

    def __init__(self, config: Config, graded: Sequence[str], only: str | None, place: int) -> None:
        self.config = config
        self.graded = graded
        self.place = place
        self._only = only
        self._ended: dict[str, TestResult] = {}
        self._drafted: dict[str, TestEntry] = {}
        self._titles: dict[str, str] = {}
        self._student: Session | None = None
        self._notes: list[str] = []
        self._defined: tuple[str, ...] | None = None
        self._unusable = ""
        self.tests: list[TestResult] = []
        self.remark = ""
        self.examples: Mapping[str, Example] = {}
        self.no_examples = ""

    def admit(self, student: Session, notes: list[str]) -> None:
        """Record the state of the submission before its tests: later it may be given up for other reasons."""
        self._student, self._notes = student, notes
        if student.failure is None:
            self._defined = student.defined
        else:
            self._unusable, self.remark = student.unusable, student.failure.message

    def note(self, test: TestResult) -> None:
        """Keep how a test ended."""
        self._ended[test.name] = test
        self._drafted.pop(test.name, None)

    @property
    def is_untouched(self) -> bool:
        """Whether the file is as students got it: every function that was called says that it is not written yet."""
        ended = [case for test in self.tests for case in test.cases if case.outcome != NotRun.outcome]
        return bool(ended) and all(case.detail.get("exception") == NotImplementedError.__name__ for case in ended)

    def add_note(self, note: str) -> None:
        """Have the student read one more sentence about the submission."""
        self._notes.append(note)

    @property
    def is_complete(self) -> bool:
        """Whether all tests have ended, and what failed because of what is known."""
        return len(self.tests) == len(self.graded)

    def draft(self, stopped: str) -> Results:
        """Return the results if the grading were ended now, amid the tests of this part or before them."""
        note = f"{stopped[0].upper()}{stopped[1:]}: tests that were not run count 0. Submit again."
        tests = [self._ended.get(name) or self._not_run(name, stopped) for name in self.graded]
        numbers = self._numbers(tests)
        for test, number in zip(tests, numbers, strict=True):
            if test.name not in self._drafted:  # each is told once: a draft is written after every test
                self._drafted[test.name] = self._entry(test, number, [])
        entries = [self._drafted[name] for name in self.graded]
        return self._results(tests, entries, [*self._notes, note], [], [])

    def results(self, withheld: bool) -> Results:
        """Return the results of all tests; without a word about them if the grade is withheld."""
        about = [] if withheld else self.tests
        points = {test.name: self.config.tests[test.name].points for test in self.tests}
        found = overview.mistakes(list(self.config.homework.functions), self.told(about), self.examples, points)
        numbers = self._numbers(self.tests)
        entries = [self._entry(test, number, found) for test, number in zip(self.tests, numbers, strict=True)]
        return self._results(self.tests, entries, self._notes, about, found)

    def told(self, tests: Sequence[TestResult]) -> list[TestResult]:
        """Return the tests about which the student may read more than passed or failed now."""
        settings = self.config.tests
        seen = (test for test in tests if settings[test.name].visibility == "visible")
        return [test for test in seen if settings[test.name].feedback != feedback.VERDICT]

    @property
    def layers(self) -> dict[str, str]:
        """How the student's workers were locked down; empty if none ran."""
        return self._student.isolation if self._student is not None else {}

    def score(self, tests: Sequence[TestResult]) -> Fraction:
        """Add up the points."""
        return sum((test.score(self.config.tests[test.name].points) for test in tests), Fraction(0))

    def carried(self, tests: Sequence[TestResult]) -> Fraction:
        """Add up the points that are given for cases that pass with right earlier functions only."""
        return sum((test.carried_score(self.config.tests[test.name].points) for test in tests), Fraction(0))

    # --- results.json ---

    def _results(
        self,
        tests: Sequence[TestResult],
        entries: Sequence[TestEntry],
        notes: list[str],
        about: Sequence[TestResult],
        found: Sequence[overview.Found],
    ) -> Results:
        """Return these results; the text on top is `about` those of these tests that a student sees at once."""
        return Results(
            total_points=float(self.config.own_points) if self._only is None else None,
            score=float(self.score(tests)),
            output=self._summary(notes, about, found),
            tests=tuple(sorted(entries, key=lambda entry: entry.score == entry.max_score)),  # failed ones first
            extra_data=ResultsExtra(
                engine=__version__,
                python=platform.python_version(),
                numpy=np.__version__,
                only=self._only,
                isolated=isolation.level(self.layers) if self.layers else "",
                import_seconds=round(self._student.import_seconds, 3) if self._student is not None else 0.0,
                isolation=self.layers,
                unusable=self._unusable,
                carried=float(self.carried(tests)),
                examples={function: example.numbers for function, example in self.examples.items()},
                no_examples=self.no_examples,
            ),
        )

    def _summary(self, notes: list[str], about: Sequence[TestResult], found: Sequence[overview.Found]) -> str:
        seen = [test for test in about if self.config.tests[test.name].visibility == "visible"]
        if len(seen) < len(about):
            few = f"{len(about) - len(seen)} of {len(about)} tests are not shown here, or not yet"
            notes = [*notes, f"{few}: the rest of this text is about the others."]
        home = self.config.homework
        points = {test.name: self.config.tests[test.name].points for test in seen}
        functions = list(home.functions)
        text = overview.summary(home.required_file, functions, self._defined, notes, seen, found, points)
        return "\n".join([text, *self._follow_through(seen)])

    def _follow_through(self, tests: Sequence[TestResult]) -> list[str]:
        """Say what is carried, and what a right function would be worth."""
        functions = dict.fromkeys(name for test in tests for case in test.cases for name in case.stand_ins)
        points = {test.name: self.config.tests[test.name].points for test in tests}
        score = sum((test.score(points[test.name]) for test in tests), Fraction(0))
        carried = sum((test.carried_score(points[test.name]) for test in tests), Fraction(0))
        total = sum(points.values(), Fraction(0))
        with_right = {
            name: sum((with_stand_in(test, name).score(points[test.name]) for test in tests), Fraction(0))
            for name in functions
        }
        return overview.follow_through(score, carried, total, with_right)

    def _not_run(self, name: str, reason: str) -> TestResult:
        """Return what can be said of a test that was not run: its title is read from its file."""
        if not self._titles:
            home = self.config.homework
            tests = homework.all_functions(home.public_tests, home.hidden_tests)
            self._titles = {test.name: test.title for test in tests}
        case = CaseResult("", NotRun.outcome, reason)
        return TestResult(name, self._titles.get(name, name), self.config.subject(name), (case,))

    def _numbers(self, tests: Sequence[TestResult]) -> list[str]:
        """Number the tests function by function, as the assignment does: 2.1 is the first test about the second one."""
        functions = list(self.config.homework.functions)
        part = f"Part {self.place}: " if self.place > 1 else ""
        seen: Counter[int] = Counter()
        numbers = []
        for test in tests:
            chapter = functions.index(test.subject) + 1 if test.subject is not None else 0
            seen[chapter] += 1
            numbers.append(f"{part}{chapter}.{seen[chapter]}")
        return numbers

    def _entry(self, test: TestResult, number: str, found: Sequence[overview.Found]) -> TestEntry:
        settings = self.config.tests[test.name]
        known, behind = overview.references(found), overview.by_test(found)
        return TestEntry(
            number=number,
            name=test.title,
            score=float(test.score(settings.points)),
            max_score=float(settings.points),
            output=feedback.test_output(test, settings.feedback, known, behind),
            visibility=settings.visibility,
            extra_data=_for_staff(test, settings.points),
        )


def _for_staff(test: TestResult, points: Fraction) -> TestExtra:
    known: dict[str, Any] = {"carried": float(test.carried_score(points))} if test.carried else {}
    if test.diagnosis is not None:
        found = test.diagnosis
        known["diagnosis"] = DiagnosisExtra(id=found.id, certain=bool(found.hint), seconds=round(found.seconds, 4))
    cases = {case.case or "all": _case_for_staff(case) for case in test.cases}
    return TestExtra(test=test.name, outcome=test.outcome, cases=cases, seconds=round(test.seconds, 4), **known)


def _case_for_staff(case: CaseResult) -> CaseExtra:
    replaced: dict[str, Any] = {"stand_ins": list(case.stand_ins)} if case.stand_ins else {}
    return CaseExtra(outcome=case.outcome, **case.detail, **replaced)
