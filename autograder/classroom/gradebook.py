"""The class as a table: what every student got after a TA's decisions and lateness, and what changed since last time.

`grades.csv` has a row for every student and a column for every test, `canvas.csv` is what Canvas imports, `changes.csv`
compares with earlier scores. It must not know: how grading works, web pages, terminals.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path

from autograder.classroom.journal import Journal
from autograder.core import files
from autograder.core import late as late_rules
from autograder.core.errors import ConfigurationError
from autograder.core.late import Lateness, LateRule
from autograder.core.outcomes import FAULT, tally
from autograder.core.results import Results
from autograder.grading.grader import Grade
from autograder.intake import export, roster
from autograder.intake.handins import HandIn, Student
from autograder.intake.roster import CANVAS, Person

NO_SUBMISSION = "no submission"
NO_FILES = "no files"
TOTAL, LATE = "total", "late"
"""What an override may be of, beside a test: the score in the end, and the percent that lateness takes off."""

POINTS_POSSIBLE = "Points possible"
KEYS = ("name", "sid", "email", "submission", "submitted")
SUMMARY = ("score", "before lateness", "late", "overrides", "outcomes")
_WHY_TESTS = 6


@dataclass(frozen=True)
class Override:
    """One decision of a TA's: a line of overrides.csv."""

    submission: str
    test: str
    score: Fraction
    reason: str

    def __str__(self) -> str:
        """Say it in a table's cell."""
        return f"{self.test} = {number(self.score)}: {self.reason}"


@dataclass(frozen=True)
class Row:
    """One submission's line, as it counts in the end.

    Attributes
    ----------
    score : Fraction or None
        After overrides and lateness. None where there is no grade.
    earned : Fraction or None
        Before lateness.
    tests : dict of str to Fraction
        Points by test, overrides included.
    mistakes : tuple of str
        The ids of the misconceptions that the diagnosis is certain of, each once.
    patterns : tuple of str
        What other wrong results look like.
    status : str
        How the tests ended, or why there is no grade.
    """

    entry: HandIn
    score: Fraction | None
    earned: Fraction | None = None
    late: Lateness | None = None
    tests: dict[str, Fraction] = field(default_factory=dict)
    overrides: tuple[Override, ...] = ()
    mistakes: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()
    status: str = ""
    remark: str = ""
    seconds: float = 0.0


@dataclass(frozen=True)
class Gradebook:
    """The class.

    Attributes
    ----------
    points : dict of str to Fraction
        What every graded test is worth, in the order of config.yaml.
    rows : list of Row
        One per submission, those without files last.
    absent : list of Person
        In the roster, without a submission.
    people : mapping of Student to Person
        Who has a line in the roster.
    """

    title: str
    points: dict[str, Fraction]
    rows: list[Row]
    absent: Sequence[Person] = ()
    people: Mapping[Student, Person] = field(default_factory=dict)

    @property
    def total(self) -> Fraction:
        """What all tests are worth together."""
        return sum(self.points.values(), Fraction())


# --- Rows ------------------------------------------------------------------------------------------------------------


def row(entry: HandIn, grade: Grade, journal: Journal, overrides: Sequence[Override], rule: LateRule | None) -> Row:
    """Make the line of one graded submission, and count lateness in its ``results.json``, as the platform would.

    Raises
    ------
    GraderFault
        If the results are not those that the journal knows.
    OSError
        If they cannot be read or written.
    """
    if grade.score is None:
        return Row(entry, None, status=FAULT, remark=grade.remark, seconds=grade.seconds)
    late = late_rules.lateness(entry.submitted, rule) if entry.submitted and rule else None
    results = _count_lateness(entry.name, journal, late)
    tests = {test.extra_data.test: Fraction(repr(test.score)) for test in results.tests}
    diagnoses = [test.extra_data.diagnosis for test in results.tests if test.extra_data.diagnosis is not None]
    certain = {diagnosis.id for diagnosis in diagnoses if diagnosis.certain}
    others = {diagnosis.id for diagnosis in diagnoses} - certain - {""}
    own = tuple(override for override in overrides if override.submission == entry.name)
    decided = {override.test: override.score for override in own}
    tests = {name: decided.get(name, score) for name, score in tests.items()}
    if LATE in decided:
        reason = next(override.reason for override in own if override.test == LATE)
        late = replace(late or Lateness(0, Fraction(), ""), percent=decided[LATE], why=reason)
    earned = sum(tests.values(), Fraction())
    score = decided.get(TOTAL, late.apply(earned) if late else earned)
    return Row(
        entry,
        score,
        earned,
        late,
        tests,
        own,
        tuple(sorted(certain)),
        tuple(sorted(others)),
        tally(grade.outcomes),
        grade.remark,
        grade.seconds,
    )


def _count_lateness(name: str, journal: Journal, late: Lateness | None) -> Results:
    before = journal.read(name)
    after = late_rules.apply(before, late)
    if after != before:
        journal.publish(name, after)
    return after


def read_overrides(path: Path, points: Mapping[str, Fraction]) -> list[Override]:
    """Read a TA's decisions.

    Parameters
    ----------
    path : Path
        A table with the columns submission, test, score, reason.
    points : mapping of str to Fraction
        What every test is worth.

    Raises
    ------
    ConfigurationError
        If a line names no test, has no score that can be, gives no reason, or decides what another has decided.
    """
    found: dict[tuple[str, str], Override] = {}
    most = {**points, TOTAL: sum(points.values(), Fraction()), LATE: Fraction(100)}
    columns = ("submission", "test", "score", "reason")
    for line, cells in enumerate(roster.rows("OVERRIDES", path, columns), 2):
        where = f"line {line}"
        submission, test, score, reason = (cells.get(column, "") for column in columns)
        try:
            value = Fraction(score)
        except (ValueError, ZeroDivisionError):
            value = Fraction(-1)
        if test not in most:
            remedy = f"Write {TOTAL}, {LATE}, or one of: {', '.join(points)}"
            raise ConfigurationError(path.name, where, f"no test is called {test!r}", remedy)
        if not 0 <= value <= most[test]:
            limits = f"but should be a number from 0 to {number(most[test])}"
            raise ConfigurationError(path.name, where, f"score is {score!r}, {limits}", "Correct it")
        if not submission or not reason:
            missing = "reason" if submission else "submission"
            raise ConfigurationError(path.name, where, f"has no {missing}", "Fill it in: people will ask")
        if (submission, test) in found:
            problem = f"decides {test} of {submission} a second time"
            raise ConfigurationError(path.name, where, problem, "Remove one of the two")
        found[submission, test] = Override(submission, test, value, reason)
    return list(found.values())


# --- Tables out ------------------------------------------------------------------------------------------------------


def write_grades(book: Gradebook, path: Path) -> None:
    """Write one line per student; a group's members have the same submission."""
    head = [*KEYS, *SUMMARY, *book.points]
    worth = [number(points) for points in book.points.values()]
    lines = [head, [POINTS_POSSIBLE, *[""] * 4, number(book.total), number(book.total), *[""] * 3, *worth]]
    for row in book.rows:
        submitted = row.entry.submitted.strftime("%Y-%m-%d %H:%M:%S UTC") if row.entry.submitted else ""
        summary = [
            number(row.score),
            number(row.earned),
            f"{number(row.late.percent)} %" if row.late else "",
            "; ".join(map(str, row.overrides)),
            row.status,
        ]
        tests = [number(row.tests.get(name)) for name in book.points]
        for student in row.entry.students or (Student(),):
            who = [student.name, student.sid, student.email, row.entry.name, submitted]
            lines.append([*who, *summary, *tests])
    for person in book.absent:
        student = person.student
        blank = [""] * (len(head) - len(KEYS) - len(SUMMARY))
        lines.append([student.name, student.sid, student.email, "", "", *[""] * 4, NO_SUBMISSION, *blank])
    _write(path, lines)


def write_canvas(book: Gradebook, path: Path) -> None:
    """Write what Canvas imports: one line per student who has a grade, with the ids that the roster knows."""
    lines = [[*CANVAS, book.title], ["    Points Possible", *[""] * 4, number(book.total)]]
    for row in book.rows:
        if row.score is None:
            continue
        for student in row.entry.students:
            person = book.people.get(student)
            canvas = person.canvas if person else (student.name, "", student.sid, student.email, "")
            lines.append([*canvas, number(row.score)])
    _write(path, lines)


def number(value: Fraction | None) -> str:
    """Write points as people do; nothing for None."""
    return "" if value is None else f"{float(value):.10g}"


def _write(path: Path, lines: Iterable[Iterable[str]]) -> None:
    table = io.StringIO()
    csv.writer(table, lineterminator="\n").writerows([_harmless(cell) for cell in line] for line in lines)
    files.replace(path, table.getvalue().encode("utf-8", "replace"))


def _harmless(cell: str) -> str:
    """Keep a spreadsheet from running what a student calls themselves."""
    return f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell


# --- What changed ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Earlier:
    """An earlier score, and by test where that is known."""

    score: Fraction
    tests: dict[str, Fraction] = field(default_factory=dict)


def read_earlier(path: Path) -> dict[str, Earlier]:
    """Read earlier scores by submission.

    Parameters
    ----------
    path : Path
        A ``grades.csv`` that was written here, or a Gradescope export.
    """
    if not path.exists():
        raise ConfigurationError("COMPARE", "", f"{path} does not exist", "Give a grades.csv or a Gradescope export")
    if path.is_dir() or path.suffix == ".yml":
        return {name: Earlier(Fraction(repr(score))) for name, score in export.earlier_scores(path).items()}
    found = {}
    for line in roster.rows("COMPARE", path, ("submission", "score")):
        tests = {name: _points(cell) for name, cell in line.items() if name not in KEYS + SUMMARY}
        score = _points(line["score"])
        if line["submission"] and score is not None:
            known = {name: points for name, points in tests.items() if points is not None}
            found[line["submission"]] = Earlier(score, known)
    return found


def _points(cell: str) -> Fraction | None:
    try:
        return Fraction(cell)
    except (ValueError, ZeroDivisionError):
        return None


@dataclass(frozen=True)
class Change:
    """What differs from the earlier score; None where there is none."""

    row: Row
    before: Fraction | None
    why: str

    @property
    def by(self) -> Fraction | None:
        """How much more it is now."""
        return None if self.before is None or self.row.score is None else self.row.score - self.before


def changes(book: Gradebook, earlier: Mapping[str, Earlier]) -> list[Change]:
    """List whose score changes, the largest loss first."""
    found = []
    for row in book.rows:
        before = earlier.get(row.entry.name)
        if before is None or before.score != row.score:
            found.append(Change(row, before.score if before else None, _why(row, before)))
    return sorted(found, key=lambda change: (change.by is not None, change.by or 0))


def _why(row: Row, before: Earlier | None) -> str:
    if row.score is None:
        return row.status
    if before is None:
        return "no earlier score"
    different = [
        f"{name} {number(before.tests[name])} → {number(score)}"
        for name, score in row.tests.items()
        if name in before.tests and before.tests[name] != score
    ]
    why = different[:_WHY_TESTS]
    if len(different) > _WHY_TESTS:
        why.append(f"and {len(different) - _WHY_TESTS} more tests")
    why += [f"override of {override}" for override in row.overrides]
    if row.late:
        why.append(f"late: {number(row.late.percent)} % off")
    if not before.tests:
        why.append("by test unknown: the earlier score is a total")
    return "; ".join(why) or "tests, points or policy are others now"


def write_changes(found: Sequence[Change], path: Path) -> None:
    """Write one line for every score that changes."""
    lines = [["submission", "name", "earlier", "score", "change", "why"]]
    for change in found:
        names = ", ".join(student.name for student in change.row.entry.students)
        by = "" if change.by is None else f"{float(change.by):+.10g}"
        lines.append([change.row.entry.name, names, number(change.before), number(change.row.score), by, change.why])
    table = io.StringIO()
    csv.writer(table, lineterminator="\n").writerows(
        [*(_harmless(cell) for cell in line[:4]), line[4], _harmless(line[5])] for line in lines
    )
    files.replace(path, table.getvalue().encode("utf-8", "replace"))
