"""Writes the class as files: grades.csv with a line for every student, and changes.csv with what earlier scores become.

This module does not know how a score is computed, or what Canvas and Moodle want.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from autograder.classroom.gradebook import NOT_COUNTED, Gradebook, Row, Standing, late_in_words
from autograder.core import tables
from autograder.core.errors import ConfigurationError
from autograder.core.tables import Cell, Line, number
from autograder.core.text import printable
from autograder.intake import export
from autograder.intake.handins import Student
from autograder.intake.roster import POINTS_POSSIBLE

KEYS = ("name", "sid", "email", "submission", "submitted")
SUMMARY = ("score", "before lateness", "late", "overrides", "outcomes")
_WHY_TESTS = 6
_NAMED = 10


def write_grades(book: Gradebook, path: Path) -> None:
    """Write one line per student. A submission that counts for nobody has a line without a student."""
    head: list[Cell] = [*KEYS, *SUMMARY, *book.points]
    worth = [POINTS_POSSIBLE.capitalize(), *[None] * 4, book.total, book.total, *[None] * 3, *book.points.values()]
    lines = [head, worth]
    for row in book.rows:
        for standing in book.owners(row) or [Standing(Student(), None, row)]:
            lines.append(_line(book, standing))
    lines += [_line(book, standing) for standing in book.absent]
    tables.write(path, lines)


def _line(book: Gradebook, standing: Standing) -> list[Cell]:
    student, row = standing.student, standing.row
    submitted = f"{row.entry.submitted:%Y-%m-%d %H:%M:%S} UTC" if row.entry.submitted else ""
    status = row.status if student != Student() or book.counts(row) else f"{NOT_COUNTED}; {row.status}"
    return [
        student.name,
        student.sid,
        student.email,
        row.entry.name,
        submitted,
        row.score,
        row.earned,
        late_in_words(row.late),
        "; ".join(map(str, row.overrides)),
        status,
        *(row.tests.get(name) for name in book.points),
    ]


# --- What changed ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Earlier:
    """An earlier score, None if there was no grade; also the points of each test, if they are known."""

    score: Fraction | None
    tests: dict[str, Fraction] = field(default_factory=dict)


def read_earlier(path: Path) -> dict[str, Earlier]:
    """Read earlier scores by submission, or by student for students without a submission.

    Parameters
    ----------
    path : Path
        A ``grades.csv`` that was written here, or a Gradescope export.

    Raises
    ------
    ConfigurationError
        If it cannot be read, or gives one submission two scores.
    """
    if not path.exists():
        raise ConfigurationError("COMPARE", "", f"{path} does not exist", "Give a grades.csv or a Gradescope export")
    if path.is_dir() or path.suffix == ".yml":
        return {name: Earlier(Fraction(repr(score))) for name, score in export.earlier_scores(path).items()}
    table = tables.read("COMPARE", path, ("submission", "score"))
    found: dict[str, Earlier] = {}
    for line in table.rows:
        who = line["submission"] or _student(line)
        if not who or line["name"].casefold() == POINTS_POSSIBLE:
            continue
        tests = {name: table.amount(line, name) for name in table.columns if name and name not in KEYS + SUMMARY}
        known = {name: points for name, points in tests.items() if points is not None}
        earlier = Earlier(table.amount(line, "score"), known)
        if found.setdefault(who, earlier).score != earlier.score:
            raise table.refusal(
                line.number, f"{who.strip()} has another score in an earlier line", "Remove one of the two"
            )
    return found


def _student(line: Line) -> str:
    """Return the key of a student without a submission; no submission has a line feed in its name."""
    who = line["sid"] or line["email"] or line["name"]
    return f"\n{who}" if who else ""


def _keys(row: Row) -> list[str]:
    """Return the names under which a row may have an earlier score: its own, then those of its file."""
    if not row.entry.name:
        return [f"\n{row.label}"]
    return [row.label, *map(printable, row.entry.ids)]


@dataclass(frozen=True)
class Change:
    """A row and its earlier score, which is None if there was none."""

    row: Row
    before: Fraction | None
    why: str

    @property
    def by(self) -> Fraction | None:
        """The new score minus the earlier one."""
        return None if self.before is None or self.row.score is None else self.row.score - self.before


def changes(book: Gradebook, earlier: Mapping[str, Earlier]) -> list[Change]:
    """Return the rows whose score changes, the largest loss first."""
    found = []
    for row in [*book.rows, *(standing.row for standing in book.absent)]:
        before = next((earlier[key] for key in _keys(row) if key in earlier), None)
        if (before.score if before else None) != row.score:
            found.append(Change(row, before.score if before else None, _why(row, before, book.points)))
    return sorted(found, key=lambda change: (change.by is not None, change.by or 0))


def vanished(book: Gradebook, earlier: Mapping[str, Earlier]) -> list[str]:
    """Say which students have an earlier score and are not in the class any more."""
    here = {key for row in [*book.rows, *(standing.row for standing in book.absent)] for key in _keys(row)}
    gone = [name.strip() for name, before in earlier.items() if name not in here and before.score is not None]
    if not gone:
        return []
    listed = ", ".join(gone[:_NAMED]) + (f" and {len(gone) - _NAMED} more" if len(gone) > _NAMED else "")
    return [f"earlier scores: {len(gone)} are of submissions that are not here now: {listed}"]


def _why(row: Row, before: Earlier | None, points: Collection[str]) -> str:
    if row.score is None:
        return row.status
    known = before is not None and before.score is not None
    why = _different(row, before, points) if before is not None and known else ["no earlier score"]
    why += [f"override of {override}" for override in row.overrides]
    if row.late:
        why.append(f"late: {number(row.late.percent)} % off")
    if before is not None and known and not before.tests:
        why.append("by test unknown: the earlier score is a total")
    return "; ".join(why) or "tests, points or the late policy have changed"


def _different(row: Row, before: Earlier, points: Collection[str]) -> list[str]:
    """Say which tests have other points; those of a part of the homework may be gone, or new."""
    different = [
        f"{name} {number(before.tests[name])} → {number(score)}"
        for name, score in row.tests.items()
        if name in before.tests and before.tests[name] != score
    ]
    if row.has_results and before.tests:
        gone = [name for name in before.tests if name in points and name not in row.tests and before.tests[name]]
        new = [name for name, score in row.tests.items() if name not in before.tests and score]
        different += [f"{name} {number(before.tests[name])} → not handed in" for name in gone]
        different += [f"{name} not graded → {number(row.tests[name])}" for name in new]
    more = [f"and {len(different) - _WHY_TESTS} more tests"] if len(different) > _WHY_TESTS else []
    return different[:_WHY_TESTS] + more


def write_changes(found: Sequence[Change], path: Path) -> None:
    """Write one line for every score that changes."""
    lines: list[list[Cell]] = [["submission", "name", "earlier", "score", "change", "why"]]
    for change in found:
        names = ", ".join(printable(student.name) for student in change.row.entry.students)
        lines.append([change.row.label, names, change.before, change.row.score, change.by, change.why])
    tables.write(path, lines)
