"""The class as a table: what every student got, after decisions of staff and lateness.

There is exactly one `Row` for each submission, and exactly one `Standing` for each student. This module does not know
how grading works, or to which files the table is written.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

from autograder.classroom import overrides as decisions
from autograder.classroom.journal import Journal
from autograder.classroom.overrides import LATE, TOTAL, Override
from autograder.core import late as late_rules
from autograder.core.late import Lateness
from autograder.core.outcomes import FAULT, tally
from autograder.core.results import Results
from autograder.core.sections import Late
from autograder.core.tables import number
from autograder.core.text import printable
from autograder.grading.grader import Grade
from autograder.grading.overview import NAMED
from autograder.intake.handins import HandIn, Student
from autograder.intake.roster import Matched, Person

NO_SUBMISSION = "no submission"
NOT_MATCHED = "no submission can be matched: nothing in the roster identifies this student alone"
NO_FILES = "no files"
NOT_COUNTED = "does not count: another submission of this student does"

Rule = Literal["latest", "best"]

_CANVAS_FILE = re.compile(r".+?_\d+_(\d+)_.+", re.S)


# --- Rows ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    """One submission with its final score.

    Attributes
    ----------
    entry : HandIn
        The hand-in; it has no name if nothing was handed in.
    score : Fraction or None
        The score after overrides and lateness; None if there is no grade.
    earned : Fraction or None
        The score before lateness; None if there is no grade.
    tests : dict of str to Fraction
        Points of each test, overrides included.
    overrides : tuple of Override
        Decisions of staff that have an effect.
    dropped : tuple of str
        Why other decisions have no effect.
    mistakes : tuple of str
        The ids of the misconceptions that are certain, each once.
    patterns : tuple of str
        What other wrong results look like.
    status : str
        How the tests ended, in words, or why there is no grade.
    remark : str
        What was wrong with the submission as a whole, or with the grader; empty if nothing.
    mistake : str
        What the student reads about the first mistake.
    has_results : bool
        Whether there is a ``results.json``.
    """

    entry: HandIn
    score: Fraction | None
    earned: Fraction | None = None
    late: Lateness | None = None
    tests: dict[str, Fraction] = field(default_factory=dict)
    overrides: tuple[Override, ...] = ()
    dropped: tuple[str, ...] = ()
    mistakes: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()
    status: str = ""
    remark: str = ""
    mistake: str = ""
    seconds: float = 0.0
    has_results: bool = False

    @property
    def label(self) -> str:
        """The name to show for the row: the submission's, or the student's if nothing was handed in."""
        student = next(iter(self.entry.students), Student())
        return printable(self.entry.name) or printable(student.sid or student.email or student.name)


def _carried(results: Results) -> str:
    """Say how many points are given for cases that fail only because of an earlier function; empty if none."""
    points = Fraction(repr(results.extra_data.carried))
    return f"; {number(points)} points carried" if points else ""


def _first_mistake(results: Results) -> str:
    """Return what a student reads first: of a mistake that has a name, or else of the first test that failed."""
    paragraphs = (paragraph.splitlines() for paragraph in results.output.split("\n\n"))
    named = next((lines for lines in paragraphs if lines[0].startswith(NAMED)), None)
    if named is not None:
        text = itertools.takewhile(lambda line: not line.endswith(":"), named)  # without the example
        return " ".join(text).removeprefix(f"{NAMED}1, ")
    return next((test.output for test in results.tests if test.status == "failed" and test.output), "")


def row(entry: HandIn, grade: Grade, journal: Journal, overrides: Sequence[Override], rule: Late | None) -> Row:
    """Return the row of one graded submission, and write decisions and lateness into its ``results.json``.

    Raises
    ------
    GraderFault
        If the results are not as the journal recorded them.
    OSError
        If they cannot be read or written.
    """
    if grade.score is None:
        return given(entry, overrides, FAULT, grade)
    late = late_rules.lateness(entry.submitted, rule.due, rule) if entry.submitted and rule and rule.due else None
    before = journal.read(entry.name)
    ineffective = [*decisions.without_effect(overrides, gradable=True), *decisions.without_test(overrides, before)]
    own, dropped = _effective(overrides, ineffective)
    results = decisions.settle(before, own, late)
    if results != before:
        journal.publish(entry.name, results)
    diagnoses = [test.extra_data.diagnosis for test in results.tests if test.extra_data.diagnosis is not None]
    certain = {diagnosis.id for diagnosis in diagnoses if diagnosis.certain}
    tests = {test.extra_data.test: Fraction(repr(test.score)) for test in results.tests}
    decided = {override.test: override for override in own}
    return Row(
        entry,
        Fraction(repr(results.score)),
        sum(tests.values(), Fraction()),
        None if TOTAL in decided else decisions.decided_lateness(late, decided.get(LATE)),
        tests,
        own,
        dropped,
        tuple(sorted(certain)),
        tuple(sorted({diagnosis.id for diagnosis in diagnoses} - certain - {""})),
        tally(grade.outcomes) + _carried(results),
        grade.remark,
        _first_mistake(results),
        grade.seconds,
        has_results=True,
    )


def given(entry: HandIn, overrides: Sequence[Override], status: str, grade: Grade | None = None) -> Row:
    """Return the row of a submission without results; its only points are those that staff give it."""
    ineffective = decisions.without_effect(overrides, gradable=grade is None, late=False)
    own, dropped = _effective(overrides, ineffective)
    decided = {override.test: override.score for override in own}
    tests = {name: score for name, score in decided.items() if name not in (TOTAL, LATE)}
    late = None
    if LATE in decided:
        late = decisions.decided_lateness(None, next(override for override in own if override.test == LATE))
    earned = sum(tests.values(), Fraction()) if tests else None
    score = decided.get(TOTAL, late.apply(earned) if late and earned is not None else earned)
    remark, seconds = (grade.remark, grade.seconds) if grade else ("", 0.0)
    return Row(
        entry, score, earned if earned is not None else score, late, tests, own, dropped,
        status=status, remark=remark, seconds=seconds,
    )  # fmt: skip


def plain(entry: HandIn, grade: Grade) -> Row:
    """Return the row of a submission that was graded on some tests only: it holds only their points."""
    return Row(entry, grade.score, status=tally(grade.outcomes), remark=grade.remark, seconds=grade.seconds)


def _effective(
    overrides: Sequence[Override], ineffective: Iterable[tuple[Override, str]]
) -> tuple[tuple[Override, ...], tuple[str, ...]]:
    """Return the decisions that have an effect, and a sentence for each of the others."""
    why = {override.test: reason for override, reason in ineffective}
    said = tuple(decisions.not_applied(one, why[one.test]) for one in overrides if one.test in why)
    return tuple(override for override in overrides if override.test not in why), said


# --- Standings -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Standing:
    """One student: the student's data here and in the roster, and the row that counts for the student."""

    student: Student
    person: Person | None
    row: Row


@dataclass(frozen=True)
class Gradebook:
    """The whole class.

    Attributes
    ----------
    points : dict of str to Fraction
        The points that every graded test is worth, in the order of config.yaml.
    rows : list of Row
        One for each submission; submissions without files come last.
    absent : sequence of Standing
        Everybody in the roster who has no submission.
    people : mapping of str to sequence of Person or None
        For each submission, by name, its students in the roster.
    of_several : {'latest', 'best'}
        Which submission counts when a student has several.
    with_roster : bool
        Whether there is a roster. Then a student who is not in it does not belong to the class.
    bonus : Fraction
        How many of these points come on top of the total.
    """

    title: str
    points: dict[str, Fraction]
    rows: list[Row]
    absent: Sequence[Standing] = ()
    people: Mapping[str, Sequence[Person | None]] = field(default_factory=dict)
    of_several: Rule = "latest"
    with_roster: bool = False
    bonus: Fraction = Fraction()

    @property
    def total(self) -> Fraction:
        """The points of all tests together, without the bonus."""
        return sum(self.points.values(), Fraction()) - self.bonus

    @property
    def standings(self) -> list[Standing]:
        """Every known student, once: first those with a submission, in the order of the rows, then the others."""
        return self._chosen[0]

    @property
    def problems(self) -> list[str]:
        """Sentences for staff: which of several submissions counts, and which decisions have no effect."""
        dropped = [said for row in [*self.rows, *(one.row for one in self.absent)] for said in row.dropped]
        return [*dropped, *self._chosen[1]]

    def owners(self, row: Row) -> list[Standing]:
        """Return the students for whom this row counts."""
        return self._by_row.get(id(row), [])

    def counts(self, row: Row) -> bool:
        """Whether this row is a student's grade, or may be one because its student is not known."""
        return bool(self.owners(row)) or not row.entry.students

    @functools.cached_property
    def _by_row(self) -> dict[int, list[Standing]]:
        found: dict[int, list[Standing]] = {}
        for standing in self.standings:
            found.setdefault(id(standing.row), []).append(standing)
        return found

    @functools.cached_property
    def _chosen(self) -> tuple[list[Standing], list[str]]:
        mine: dict[object, list[Standing]] = {}
        for who, standing in self._everybody():
            mine.setdefault(who, []).append(standing)
        problems, chosen = [], []
        for standings in mine.values():
            standing, why = _counting(standings, self.of_several)
            chosen.append(standing)
            if why:
                names = ", ".join(one.row.label for one in standings)
                who = printable(standing.student.name or standing.student.sid or standing.student.email)
                problems.append(f"{who} has {len(standings)} submissions ({names}): {standing.row.label} counts, {why}")
        place = {id(row): index for index, row in enumerate(self.rows)}
        chosen.sort(key=lambda standing: place[id(standing.row)])
        return [*chosen, *self.absent], problems

    def _everybody(self) -> Iterator[tuple[object, Standing]]:
        """Yield every student of every submission, with the same key for the same student.

        Different student ids mean two students, even if they share an e-mail address.
        """
        sids: dict[str, set[str]] = {}
        for student in (student for row in self.rows for student in row.entry.students if student.sid):
            sids.setdefault(student.email.casefold(), set()).add(student.sid.casefold())
        for row in self.rows:
            persons = self.people.get(row.entry.name) or [None] * len(row.entry.students)
            for student, person in zip(row.entry.students, persons, strict=True):
                email = student.email.casefold()
                same = {student.sid.casefold()} if student.sid else sids.get(email, set()) if email else set()
                key: object = person.line if person else min(same) if len(same) == 1 else ("email", email)
                yield key if person or same or email else object(), Standing(student, person, row)


def absent(matched: Matched | None, overrides: Mapping[int, Sequence[Override]]) -> list[Standing]:
    """Return everybody in the roster without a matched submission, with the points that staff give them."""
    if matched is None:
        return []
    people = [(person, NO_SUBMISSION) for person in matched.absent]
    people += [(person, NOT_MATCHED) for person in matched.unmatched]
    return [
        Standing(
            person.student,
            person,
            given(HandIn("", Path(), (person.student,)), overrides.get(person.line, ()), status),
        )
        for person, status in people
    ]


def _counting(standings: list[Standing], rule: Rule) -> tuple[Standing, str]:
    """Return which of a student's submissions counts, and the reason if there are several."""
    if len({id(one.row) for one in standings}) == 1:
        return standings[0], ""
    if rule == "latest":
        times: list[tuple[Standing, Any]] = [(one, _when(one.row.entry)) for one in standings]
        if all(time is not None for _, time in times) and len({type(time) for _, time in times}) == 1:
            latest: Standing = max(times, key=lambda pair: pair[1])[0]
            return latest, "the latest (grades.of_several in config.yaml)"
        return _best(standings), "the best one, because it is not known which is the latest"
    return _best(standings), "the best one (grades.of_several in config.yaml)"


def _best(standings: list[Standing]) -> Standing:
    return max(standings, key=lambda one: -1 if one.row.score is None else one.row.score)


def _when(entry: HandIn) -> datetime | int | None:
    """Return a value that grows with the time of submission, if it is known: Canvas numbers files in that order."""
    numbers = [int(match[1]) for match in map(_CANVAS_FILE.fullmatch, entry.files) if match]
    return entry.submitted or max(numbers, default=None)


def late_in_words(late: Lateness | None) -> str:
    """Return the text of a table's cell that says what lateness takes off."""
    return f"{number(late.percent)} %" if late else ""
