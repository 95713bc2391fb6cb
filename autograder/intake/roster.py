"""Who is in the class: a roster that Gradescope or Canvas exports, and which submission is whose.

Only what identifies a student does so: a student id, an e-mail address, a login, Canvas' own id. A name never does.
It must not know: points, submissions' content.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from autograder.core.errors import ConfigurationError
from autograder.intake.handins import HandIn, Student

CANVAS = ("Student", "ID", "SIS User ID", "SIS Login ID", "Section")
"""The columns that Canvas wants back as it wrote them."""

_SID = ("sid", "sis user id", "student id", "student_id")
_EMAIL = ("email", "e-mail", "email address")
_LOGIN = ("sis login id", "login")
_NAME = ("student", "name", "full name")


@dataclass(frozen=True)
class Person:
    """One line of a roster.

    Attributes
    ----------
    student : Student
    keys : frozenset of str
        What identifies this person, in lower case.
    canvas_id : str
        The number by which Canvas names files.
    canvas : tuple of str
        The values of the columns `CANVAS`.
    """

    student: Student
    keys: frozenset[str]
    canvas_id: str = ""
    canvas: tuple[str, ...] = ("",) * len(CANVAS)


def read(path: Path) -> list[Person]:
    """Read a roster as Gradescope or Canvas writes it, with or without a byte order mark, with commas or semicolons.

    Raises
    ------
    ConfigurationError
        If it cannot be read, or no column identifies anybody.
    """
    return [person for row in rows("ROSTER", path) if (person := _person(row)) is not None and person.keys]


def rows(variable: str, path: Path, needed: Iterable[str] = ()) -> list[dict[str, str]]:
    """Read a table that a program or a spreadsheet wrote; the names of its columns come back in lower case.

    Parameters
    ----------
    variable : str
        What the user calls this file.
    needed : iterable of str
        Columns that must be there; by default one that identifies a student.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ConfigurationError(variable, "", f"{path} cannot be read: {error.strerror}", "Check the path") from None
    try:
        text = data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigurationError(variable, "", f"{path} is not UTF-8 text", "Save it as CSV UTF-8") from None
    head = text.partition("\n")[0]
    table = list(csv.reader(io.StringIO(text), delimiter=max(",;\t", key=head.count)))
    names = [name.strip().lower() for name in table[0]] if table else []
    missing = [name for name in needed if name not in names]
    if not needed and not {*_SID, *_EMAIL, *_LOGIN} & {*names}:
        missing = ["SID, Email, SIS User ID or SIS Login ID"]
    if missing:
        problem = f"{path} has no column {', '.join(missing)}"
        raise ConfigurationError(variable, "", problem, f"Its first line names {', '.join(names) or 'nothing'}")
    return [dict(zip(names, (cell.strip() for cell in line), strict=False)) for line in table[1:] if any(line)]


def _person(row: dict[str, str]) -> Person | None:
    def first(names: Iterable[str]) -> str:
        return next((row[name] for name in names if row.get(name)), "")

    name = first(_NAME) or " ".join(filter(None, (row.get("first name"), row.get("last name"))))
    if name.casefold() == "points possible":  # Canvas' second line
        return None
    sid, email, login = first(_SID), first(_EMAIL), first(_LOGIN)
    if "," in name and "student" in row:  # Canvas writes Last, First
        last, _, given = name.partition(",")
        shown = f"{given.strip()} {last.strip()}"
    else:
        shown = name
    email = email or (login if "@" in login else "")
    keys = frozenset(key.casefold() for key in (sid, email, login) if key)
    canvas = tuple(row.get(column.lower(), "") for column in CANVAS)
    if not any(canvas[1:4]):
        canvas = (name, "", sid, email, "")
    return Person(Student(shown, sid, email), keys, row.get("id", ""), canvas)


@dataclass(frozen=True)
class Matched:
    """Entries with the students they belong to, everybody's line of the roster, and what could not be told."""

    entries: list[HandIn]
    people: dict[Student, Person]
    absent: list[Person]
    problems: list[str]


def match(entries: list[HandIn], roster: list[Person]) -> Matched:
    """Find whose the entries are. Who cannot be told apart is listed and matched with nobody."""
    owners: dict[str, list[Person]] = {}
    for person in roster:
        for key in person.keys | ({f"canvas {person.canvas_id}"} if person.canvas_id else set()):
            owners.setdefault(key, []).append(person)
    problems = [
        f"roster: {len(people)} lines have {key}: it identifies nobody"
        for key, people in owners.items()
        if len(people) > 1
    ]
    sure = {key: people[0] for key, people in owners.items() if len(people) == 1}
    people: dict[Student, Person] = {}
    matched = []
    for entry in entries:
        students = []
        claims = [(student, [student.sid, student.email]) for student in entry.students]
        for student, keys in claims or [(Student(), _keys_in(entry))]:
            found = {id(sure[key.casefold()]): sure[key.casefold()] for key in keys if key.casefold() in sure}
            if len(found) == 1:
                (person,) = found.values()
                listed = person.student
                known = Student(student.name or listed.name, listed.sid or student.sid, listed.email or student.email)
                people[known] = person
                students.append(known)
                continue
            why = "its id and its e-mail are two people's" if found else "nobody in the roster"
            problems.append(f"{entry.name}{f' ({student.name})' if student.name else ''}: {why}")
            students += [student] if student != Student() else []
        matched.append(replace(entry, students=tuple(students)))
    for person in {id(person): person for person in people.values()}.values():
        own = [entry.name for entry in matched if any(people.get(student) is person for student in entry.students)]
        if len(own) > 1:
            who = person.student.name or min(person.keys)
            problems.append(f"{who} has {len(own)} submissions ({', '.join(own)}): each has its own row")
    present = {id(person) for person in people.values()}
    return Matched(matched, people, [person for person in roster if id(person) not in present], problems)


def _keys_in(entry: HandIn) -> list[str]:
    """Return what a file's name says about whose it is: all of it, or the number that Canvas writes into it.

    Canvas names files ``<name>[_LATE]_<id>_<submission>_<the student's name of the file>``.
    """
    canvas = re.match(r"[^_]+(?:_LATE)?_(\d+)_\d+_", entry.name)
    return list(dict.fromkeys([entry.name, *entry.ids, *([f"canvas {canvas[1]}"] if canvas else [])]))
