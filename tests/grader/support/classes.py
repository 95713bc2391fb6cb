"""Random classes: odd names, collisions, groups, missing ids, several hand-ins, rosters, decisions, late work."""

from __future__ import annotations

import csv
import io
import random
import sys
import zipfile
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from fractions import Fraction
from pathlib import Path
from typing import Any

import yaml

from autograder.core.extra import TestExtra
from autograder.core.results import Results, TestEntry
from autograder.grading.grader import Grade

DUE = datetime(2026, 1, 10, tzinfo=timezone.utc)
PIECES = ["Ann", "Zoë", "李小龙", "O'Hara", "=1+1", "+x", "-y", "@z", "＝a", ";=b", ", Jr.", '"q"', "<b>", "x" * 60,
          "\u2800", "\u200b", "\u202e", "نوید", "#?%&", "a\u0301" * 3, "'", "’", "½", "🎓", "{{7}}", "\\"]  # fmt: skip


PRINTABLE = [character for character in map(chr, range(32, sys.maxunicode)) if character.isprintable()]


@dataclass
class Somebody:
    """A student of the class; what is empty is not known of them."""

    token: str
    name: str
    sid: str = ""
    email: str = ""
    number: int = 0
    in_roster: bool = True


@dataclass
class RandomClass:
    """Where it is, and what a run is told about it."""

    source: Path
    platform: str
    people: list[Somebody]
    roster: Path | None = None
    overrides: Path | None = None
    override_lines: int = 0
    of_several: str = "latest"
    late: bool = False
    owners: dict[str, list[Somebody]] = field(default_factory=dict)


def make(folder: Path, draw: random.Random, tests: dict[str, int]) -> RandomClass:
    """Write a class into `folder`."""
    people = [_somebody(draw, index) for index in range(draw.randint(1, 9))]
    platform = draw.choice(["Gradescope", "Canvas", "Moodle", ""])
    made = RandomClass(folder / "hand-ins", platform, people, of_several=draw.choice(["latest", "best"]))
    made.source.mkdir(parents=True)
    made.late = draw.random() < 0.5
    {"Gradescope": _gradescope, "Canvas": _canvas, "Moodle": _moodle, "": _plain}[platform](made, draw)
    if draw.random() < 0.8:
        made.roster = folder / "roster.csv"
        made.roster.write_bytes(_roster(made, draw))
    if draw.random() < 0.7:
        made.overrides = folder / "decided.csv"
        _decide(made, draw, tests)
    return made


def _somebody(draw: random.Random, index: int) -> Somebody:
    token = f"Tok{index}en"
    pieces = [token, *(draw.choice([draw.choice(PIECES), _word(draw)]) for _ in range(draw.randint(0, 3)))]
    draw.shuffle(pieces)
    sid = f"s{index}" if draw.random() < 0.8 else ""
    email = f"{token}@u.example".lower() if draw.random() < 0.7 else ""
    return Somebody(token, " ".join(pieces), sid, email, 500 + index, draw.random() < 0.9)


def _word(draw: random.Random) -> str:
    """Return up to eight characters from all that can be printed."""
    return "".join(draw.choice(PRINTABLE) for _ in range(draw.randint(1, 8)))


def _file(path: Path, draw: random.Random) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"def double(x): ...\n# {draw.random()}\n")


def _gradescope(made: RandomClass, draw: random.Random) -> None:
    content: dict[str, Any] = {}
    names = [f"submission_{number}" for number in range(draw.randint(1, 2 * len(made.people)))]
    for name in names:
        owners = draw.sample(made.people, min(len(made.people), draw.choice([1, 1, 1, 2, 3])))
        made.owners[name] = owners
        when = DUE + timedelta(hours=draw.randint(-90, 90), seconds=draw.randint(0, 59))
        content[name] = {
            ":submitters": [{":name": one.name, ":sid": one.sid, ":email": one.email} for one in owners],
            ":created_at": f"{when:%Y-%m-%d %H:%M:%S} Z",
        }
        if draw.random() < 0.9 or name == names[0]:
            _file(made.source / name / "toy.py", draw)
    (made.source / "submission_metadata.yml").write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")


def _canvas(made: RandomClass, draw: random.Random) -> None:
    attachment = 90_000
    for one in made.people:
        for again in range(draw.choice([0, 1, 1, 1]) or (one is made.people[0])):
            attachment += draw.randint(1, 9)
            late = "_LATE" * draw.randint(0, 1)
            _file(made.source / f"{one.token.lower()}{late}_{one.number}_{attachment}_toy{'-1' * again}.py", draw)


def _moodle(made: RandomClass, draw: random.Random) -> None:
    for one in made.people:
        if draw.random() < 0.8 or one is made.people[0]:
            _file(made.source / f"{one.token}_{one.number}_assignsubmission_file_" / "toy.py", draw)


def _plain(made: RandomClass, draw: random.Random) -> None:
    for one in made.people:
        for name in {one.sid, one.email, one.token} - {""}:
            if draw.random() < 0.5:
                _file(made.source / f"{name}.py", draw)
        if one.sid and draw.random() < 0.2:  # the same name twice
            with zipfile.ZipFile(made.source / f"{one.sid}.zip", "w") as archive:
                archive.writestr("toy.py", f"def double(x): ...\n# {draw.random()}\n")
    _file(made.source / "nobody knows.py", draw)
    _file(made.source / "-=strange; name.py", draw)


def _roster(made: RandomClass, draw: random.Random) -> bytes:
    people = [one for one in made.people if one.in_roster]
    draw.shuffle(people)
    kinds = ["Gradescope", "Canvas"] if made.platform != "Moodle" else ["Moodle"]
    kind = draw.choice(kinds if made.platform != "Canvas" else ["Canvas"])
    if kind == "Gradescope":
        lines = [["Name", "SID", "Email"], *([one.name, one.sid, one.email] for one in people)]
    elif kind == "Canvas":
        lines = [["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "Old (1)", "Doubles and halves (2)"]]
        lines += [["    Points Possible", "", "", "", "", "10", "10"]]
        lines += [[one.name, str(one.number), one.sid, one.email, "A", "5", ""] for one in people]
    else:
        head = ["ID", "Name", "E-Mail", "Status", "Bewertung", "Bestwertung", "Zuletzt geändert"]
        lines = [head, *([f"Teilnehmer/in {one.number}", one.name, one.email, "-", "", "10,00", "-"] for one in people)]
    table = io.StringIO()
    csv.writer(table, delimiter=draw.choice(",;\t"), lineterminator=draw.choice(["\n", "\r\n"])).writerows(lines)
    return table.getvalue().encode(draw.choice(["utf-8", "utf-8-sig", "utf-16"]))


def _decide(made: RandomClass, draw: random.Random, tests: dict[str, int]) -> None:
    assert made.overrides is not None
    names = [path.stem if path.is_file() else path.name for path in made.source.iterdir() if path.suffix != ".yml"]
    names = [*(name.removesuffix("_") for name in names), *(one.sid for one in made.people if one.sid), "nobody"]
    lines, seen = [], set()
    for _ in range(draw.randint(1, 6)):
        name, test = draw.choice(names), draw.choice([*tests, "total", "late"])
        most = {"total": 10, "late": 100}.get(test, tests.get(test, 0))
        if (name, test) not in seen:
            seen.add((name, test))
            lines.append([name, test, f"{draw.randint(0, 100 * int(most)) / 100:g}", "as; =agreed"])
    made.override_lines = len(lines)
    table = io.StringIO()
    csv.writer(table).writerows([["submission", "test", "score", "reason"], *lines])
    made.overrides.write_text(table.getvalue(), encoding="utf-8")


def stub_grade(name: str, path: Path, tests: dict[str, int]) -> Grade:
    """Write results for `name` as a grader would, drawn from the name; one in twelve is a fault."""
    draw = random.Random(name)
    points = Fraction(sum(tests.values()))
    if draw.random() < 1 / 12:
        return Grade.fault(points, "a fault")
    entries = []
    for number, (test, most) in enumerate(tests.items(), 1):
        score = draw.choice([Fraction(0), Fraction(most), Fraction(draw.randint(0, 100 * most), 100)])
        outcome = "passed" if score == most else "partly" if score else "wrong"
        entries.append(
            TestEntry(
                number=f"1.{number}",
                name=test,
                score=float(score),
                max_score=float(most),
                output="" if score == most else f"{test}: wrong",
                extra_data=TestExtra(test=test, outcome=outcome),
            )
        )
    total = sum((Fraction(repr(entry.score)) for entry in entries), Fraction())
    path.parent.mkdir(parents=True, exist_ok=True)
    Results(total_points=float(points), score=float(total), output="Found it.", tests=tuple(entries)).write(path)
    return Grade(total, points, Counter(entry.extra_data.outcome for entry in entries), 0.1)
