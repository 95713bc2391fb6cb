"""Reads who is in the class from a roster of Gradescope, Canvas or Moodle, and matches submissions with students.

Only a student id, an e-mail address, a login or a platform's own number identify a student. A name never does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from autograder.core import tables
from autograder.core.tables import Line, Table
from autograder.intake.handins import HandIn, Student

CANVAS = ("Student", "ID", "SIS User ID", "SIS Login ID", "Section")
"""The columns that Canvas must get back unchanged."""

POINTS_POSSIBLE = "points possible"
"""The name in the line with the maximum points, which Canvas writes, and so does `canvas.csv`."""

_SID = ("sid", "sis user id", "student id", "student_id", "id number")
_EMAIL = ("email", "e-mail", "email address")
_LOGIN = ("sis login id", "login", "username")
_NAME = ("student", "name", "full name")
_NO_STUDENT = re.compile(r"instructor|teacher|assistant|\bta\b|taenrollment|reader|grader|designer|observer", re.I)
_TEST_STUDENT = ("student, test", "test student")
"""The name that Canvas gives to the student of its "student view"."""

_MOODLE = re.compile(r"(\D*[^\W\d]{2}\D*?) ?(\d+)")
"""`Participant 123`, in the language of the person who downloaded it."""

_MOODLE_FILE = re.compile(r"_(\d+)_assignsubmission_")
_CANVAS_FILE = re.compile(r"[^_]+(?:_LATE)?_(\d+)_\d+_")
"""How the platforms name files: the student's number comes first."""

_SHOWN = 5


@dataclass(frozen=True)
class Person:
    """One line of a roster.

    Attributes
    ----------
    student : Student
    keys : frozenset of str
        The ids of this person, in lower case; a platform's number has the platform's name before it, like ``canvas
        501``.
    canvas : tuple of str
        The values of the columns `CANVAS`.
    line : int
        The line in the roster's file.
    counts : bool
        Whether this is a student: neither a member of staff nor Canvas' test student.
    """

    student: Student
    keys: frozenset[str]
    canvas: tuple[str, ...] = ("",) * len(CANVAS)
    line: int = 0
    counts: bool = True


@dataclass(frozen=True)
class Roster:
    """Everybody in a class.

    Attributes
    ----------
    people : list of Person
    platform : str
        The platform that wrote it, ``Canvas`` or ``Moodle``, if its columns show that.
    columns : tuple of str
        The names of all columns, as they are written.
    problems : list of str
        Sentences for staff about what was left out, and why.
    path : Path
    """

    people: list[Person]
    platform: str = ""
    columns: tuple[str, ...] = ()
    problems: list[str] = field(default_factory=list)
    path: Path = Path()


def read(path: Path) -> Roster:
    """Read a roster as Gradescope or Canvas writes it, or Moodle's grading worksheet, in any spelling of CSV.

    Raises
    ------
    ConfigurationError
        If it cannot be read, or no column identifies anybody.
    """
    table = tables.read("ROSTER", path)
    columns = set(table.columns)
    platform = "Canvas" if {"student", "id"} <= columns else "Moodle" if moodle_numbers(table) else ""
    if not platform and not columns & {*_SID, *_EMAIL, *_LOGIN}:
        raise tables.without_columns("ROSTER", path, ["SID, Email, SIS User ID or SIS Login ID"], table.columns)
    people: dict[object, Person] = {}
    problems, staff = [], []
    for person in _people(table, platform):
        where = f"{path.name}: line {person.line}" + (f" ({person.student.name})" if person.student.name else "")
        if not person.keys:
            problems.append(f"{where} has no id and no e-mail address: matched with no submission")
        if not person.counts:
            staff.append(str(person.line))
        same = (person.keys, person.student.name.casefold()) if person.keys else person.line
        people.setdefault(same, person)  # a student in two sections has two lines
    if staff:
        listed = ", ".join(staff[:_SHOWN]) + (f" and {len(staff) - _SHOWN} more" if len(staff) > _SHOWN else "")
        problems.append(f"{path.name}: no students, but staff or Canvas' test student, are in line {listed}: left out")
    return Roster(list(people.values()), platform, table.written, problems, path)


def moodle_numbers(table: Table) -> dict[int, str]:
    """Return the participants' numbers by line, from the first column; empty if this is not Moodle's worksheet."""
    first = table.columns[0] if table.columns else ""
    if first in {*_SID, *_EMAIL, *_LOGIN, *_NAME}:
        return {}
    found = {row.number: _MOODLE.fullmatch(row[first]) for row in table.rows}
    said = {match[1].strip() for match in found.values() if match}
    return {line: match[2] for line, match in found.items() if match} if len(said) == 1 and all(found.values()) else {}


def _people(table: Table, platform: str) -> Iterator[Person]:
    numbers = moodle_numbers(table) if platform == "Moodle" else {}
    points = [row.number for row in table.rows if _first(row, _NAME).casefold() == POINTS_POSSIBLE]
    for row in table.rows:
        if row.number in points[:1]:
            continue
        person = _person(table, row, platform, numbers)
        above = bool(points) and row.number < points[0]  # "Manual Posting" and the like
        if not (above and not person.keys and not person.student.name):
            yield person


def _first(row: Line, names: Iterable[str]) -> str:
    return next((row[name] for name in names if row[name]), "")


def _person(table: Table, row: Line, platform: str, numbers: dict[int, str]) -> Person:
    name = _first(row, _NAME) or " ".join(filter(None, (row["first name"], row["last name"])))
    sid, email, login = _first(row, _SID), _first(row, _EMAIL), _first(row, _LOGIN)
    if platform == "Moodle" and len(table.columns) > 1:  # its columns have other names in other languages
        name = name or next((row[column] for column in table.columns[1:2] if "@" not in row[column]), "")
        email = email or next((cell for cell in row.cells.values() if re.fullmatch(r"[^@\s]+@[^@\s]+", cell)), "")
    shown = name
    if "," in name and platform == "Canvas":  # Last, First
        last, _, given = name.partition(",")
        shown = f"{given.strip()} {last.strip()}"
    email = email or (login if "@" in login else "")
    keys = {key.casefold() for key in (sid, email, login) if key}
    number = row["id"] if platform == "Canvas" else numbers.get(row.number, "")
    keys |= {f"{platform} {number}".casefold()} if number else set()
    canvas = tuple(row[column.lower()] for column in CANVAS)
    if platform != "Canvas":
        canvas = (name, "", sid, email, "")
    staff = _NO_STUDENT.search(row["role"]) or (platform == "Canvas" and name.casefold() in _TEST_STUDENT)
    return Person(Student(shown, sid, email), frozenset(keys), canvas, row.number, not staff)


# --- Whose is it -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Matched:
    """Submissions with their students, and each student's line in the roster.

    Attributes
    ----------
    entries : list of HandIn
    people : dict of str to tuple of Person or None
        For each submission, by name, the roster lines of its students; None for a student without a line.
    absent : list of Person
        Students without a submission.
    unmatched : list of Person
        Students without an id, an e-mail address or a login, so that no submission can be matched with them.
    problems : list of str
        Sentences for staff about what is not clear.
    roster : Roster
    """

    entries: list[HandIn]
    people: dict[str, tuple[Person | None, ...]]
    absent: list[Person]
    unmatched: list[Person]
    problems: list[str]
    roster: Roster


def match(entries: Sequence[HandIn], known: Roster) -> Matched:
    """Match submissions with students. Students that cannot be told apart are listed and not matched."""
    owners: dict[str, list[Person]] = {}
    for person in known.people:
        for key in person.keys:
            owners.setdefault(key, []).append(person)
    problems = list(known.problems)
    for key, people in owners.items():
        if len(people) > 1:
            lines = ", ".join(str(person.line) for person in people[:_SHOWN])
            problems.append(f"roster: {len(people)} lines have {key}: it identifies nobody (lines {lines})")
    sure = {key: people[0] for key, people in owners.items() if len(people) == 1}
    found: dict[str, tuple[Person | None, ...]] = {}
    matched = []
    for entry in entries:
        students, persons, said = _owners_of(entry, sure)
        problems += said
        found[entry.name] = persons
        matched.append(replace(entry, students=students))
    present = {person.line for persons in found.values() for person in persons if person}
    lost = [person for person in known.people if person.counts and not person.keys & sure.keys()]
    absent = [person for person in known.people if person.counts and person.line not in present]
    return Matched(matched, found, [one for one in absent if one not in lost], lost, problems, known)


def _owners_of(
    entry: HandIn, sure: dict[str, Person]
) -> tuple[tuple[Student, ...], tuple[Person | None, ...], list[str]]:
    """Return a submission's students, their lines in the roster, and sentences about what is not clear."""
    students: list[Student] = []
    persons: list[Person | None] = []
    problems = []
    claims = [(student, [student.sid, student.email]) for student in entry.students]
    for student, keys in claims or [(Student(), _keys_in(entry))]:
        found = {person.line: person for person in (sure.get(key.casefold()) for key in keys) if person}
        if len(found) != 1:
            why = "its id and its e-mail are two people's" if found else "nobody in the roster"
            problems.append(f"{entry.name}{f' ({student.name})' if student.name else ''}: {why}")
            students += [student] if student != Student() else []
            persons += [None] if student != Student() else []
            continue
        (person,) = found.values()
        if person in persons:
            continue
        listed = person.student
        students.append(Student(student.name or listed.name, listed.sid or student.sid, listed.email or student.email))
        persons.append(person)
        if not person.counts:
            problems.append(f"{entry.name} is of staff or of Canvas' test student (line {person.line} of the roster)")
    return tuple(students), tuple(persons), problems


def _keys_in(entry: HandIn) -> list[str]:
    """Return what a file's name says about its student: the whole name, or the number that a platform wrote into it."""
    names = entry.files or (entry.name,)
    found = [
        *(("moodle", _MOODLE_FILE.search(name)) for name in names),
        *(("canvas", _CANVAS_FILE.match(name)) for name in names),
    ]
    return [entry.name, *entry.ids, *(f"{platform} {match[1]}" for platform, match in found if match)]
