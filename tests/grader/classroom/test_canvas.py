"""canvas.csv, read as Canvas' own importer reads it: exactly the right cells of a gradebook change."""

import csv
import re
from fractions import Fraction
from pathlib import Path

import pytest

from autograder.classroom import canvas, gradebook
from autograder.classroom.gradebook import Gradebook
from autograder.classroom.overrides import Override
from autograder.intake import roster
from autograder.intake.handins import HandIn, Student
from tests.grader.support.books import POINTS, make_row

GRADEBOOK = """\
Student,ID,SIS User ID,SIS Login ID,Section,Lab 1 (776),Lab 3 (777),Lab 3 extra (778),Final Score
,,,,,,Manual Posting,,
    Points Possible,,,,,10,5.5,3,(read only)
"O'Hara, Ann",501,0123,ann@u.edu,A,7,,,70
"Li, Zoë",502,77,zli,"A, B",8,,2,80
"Mora, Ben",503,,,B,9,1,3,90
"Mora, Ben",504,,,B,1,,,10
"=cmd, Eve",505,a5,eve,B,2,4,1,20
"Student, Test",506,,9f86d081,B,0,0,0,0
"""


class CanvasImporter:
    """A gradebook, and what an upload does to it.

    An assignment is found by ``Title (ID)`` or by its exact title, otherwise a new one is made. A student is found by
    ID, then by SIS ids, then by name; the last of several rows wins. What is not found is made anew.
    """

    def __init__(self, text):
        rows = list(csv.reader(text.splitlines()))
        self.head = rows[0]
        self.students = [row for row in rows[1:] if row[1]]
        self.cells = {
            (row[1], name): row[place] for row in self.students for place, name in enumerate(self.head) if place > 4
        }
        self.made = []

    def upload(self, path):
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.reader(file))
        head = rows[0]
        assert head[:5] == self.head[:5]
        start = next(place for place, row in enumerate(rows) if row[0].strip() == "Points Possible")
        assert start in (1, 2)
        columns = {place: self._assignment(name) for place, name in enumerate(head) if place > 4}
        for row in rows[start + 1 :]:
            student = self._student(row)
            for place, assignment in columns.items():
                self.cells[student, assignment] = row[place]

    def _assignment(self, name):
        known = [one for one in self.head[5:] if one == name or re.sub(r" \(\d+\)$", "", one) == name]
        if not known:
            self.made.append(name)
        return known[0] if known else name

    def _student(self, row):
        for place in (1, 2, 3, 0):
            found = [one[1] for one in self.students if row[place] and one[place] == row[place]]
            if found:
                return found[0]
        self.made.append(row)
        return f"new {row[0]}"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "roster.csv").write_text(GRADEBOOK, encoding="utf-8")
    return tmp_path


def uploaded(folder, title, entries, scores, decided=(), rule="latest"):
    """Match entries with the roster, write canvas.csv and upload it; return the gradebook and what staff are told."""
    matched = roster.match(entries, roster.read(folder / "roster.csv"))
    absent = {person.line: person for person in matched.absent}
    lines = {override.submission: override for override in decided}
    given = {line: [lines[one.student.name]] for line, one in absent.items() if one.student.name in lines}
    rows = [
        make_row(folder, entry, {"test_double": score, "test_halve": 0.5}, POINTS)[0]
        for entry, score in zip(matched.entries, scores, strict=True)
    ]
    book = Gradebook(title, POINTS, rows, gradebook.absent(matched, given), matched.people, rule, with_roster=True)
    name, said = canvas.column(title, None, matched.roster)
    told = [said] * bool(said) + canvas.write(book, name, folder / "canvas.csv")
    gradebook_of_canvas = CanvasImporter(GRADEBOOK)
    gradebook_of_canvas.upload(folder / "canvas.csv")
    return gradebook_of_canvas, [*matched.problems, *book.problems, *told]


def entry(name, *ids):
    return HandIn(name, Path(name), ids=ids, files=(f"{name}.py",) if "_" in name else ())


def test_exactly_the_right_cells_change(folder):
    entries = [
        entry("oharaann_501_90001_layers"),
        entry("moraben_LATE_504_90002_layers"),
        entry("moraben_504_90010_layers-1"),
        entry("stranger_999_90003_layers"),
        entry("studenttest_506_90004_layers"),
    ]
    decided = [Override("Zoë Li", "total", Fraction(4), "on paper", 2)]
    scores = [3.0, 2.0, 1.0, 0.0, 3.0]
    found, said = uploaded(folder, "Lab 3", entries, scores, decided)
    before = CanvasImporter(GRADEBOOK).cells
    changed = {key: value for key, value in found.cells.items() if before.get(key) != value}
    assert changed == {("501", "Lab 3 (777)"): "3.5", ("504", "Lab 3 (777)"): "1.5", ("502", "Lab 3 (777)"): "4"}
    assert found.made == []
    assert said == [
        "roster.csv: no students, but staff or Canvas' test student, are in line 9: left out",
        "stranger_999_90003_layers: nobody in the roster",
        "studenttest_506_90004_layers is of staff or of Canvas' test student (line 9 of the roster)",
        "Ben Mora has 2 submissions (moraben_LATE_504_90002_layers, moraben_504_90010_layers-1): "
        "moraben_504_90010_layers-1 counts, the latest (grades.of_several in config.yaml)",
    ]


def test_the_best_of_several(folder):
    entries = [entry("moraben_504_90002_layers"), entry("moraben_504_90010_layers-1")]
    found, _ = uploaded(folder, "Lab 3", entries, [2.0, 1.0], rule="best")
    assert found.cells["504", "Lab 3 (777)"] == "2.5"


def test_own_columns_come_back_as_they_were_and_run_nothing(folder):
    found, _ = uploaded(folder, "Lab 3", [entry("502", "canvas 502"), entry("a5")], [3.0, 3.0])
    with (folder / "canvas.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "Lab 3 (777)"]
    assert rows[1] == ["    Points Possible", "", "", "", "", "5.5"]
    assert rows[2] == ["Li, Zoë", "502", "77", "zli", "A, B", "3.5"]
    assert rows[3] == ["'=cmd, Eve", "505", "a5", "eve", "B", "3.5"]
    assert found.made == []


def test_the_column(folder):
    known = roster.read(folder / "roster.csv")
    assert canvas.column("lab  3", None, known) == ("Lab 3 (777)", "")
    assert canvas.column("x", "Lab 3 extra (778)", known) == ("Lab 3 extra (778)", "")
    assert canvas.column("Homework", None, None) == ("Homework", "")
    name, said = canvas.column("Homework", None, known)
    assert name == "Homework"
    assert said == (
        "canvas.csv: no column of roster.csv is called like title, 'Homework': Canvas will make a new assignment of "
        "it. Write the name of the right column as grades.canvas_assignment into config.yaml"
    )
    (folder / "roster.csv").write_text(GRADEBOOK.replace("Lab 3 extra (778)", "LAB 3 (778)"), encoding="utf-8")
    name, said = canvas.column("Lab 3 ", None, roster.read(folder / "roster.csv"))
    assert (name, said[:60]) == ("", "no canvas.csv: 2 columns of roster.csv are called like title")


def test_without_a_roster_only_those_with_an_id(tmp_path, row):
    rows = [row("a", (Student("Cleo", "3", "c@u.edu"),)), row("b", (Student("Di"),)), row("c", ())]
    said = canvas.write(Gradebook("HW 3", POINTS, rows), "HW 3", tmp_path / "canvas.csv")
    with (tmp_path / "canvas.csv").open(encoding="utf-8", newline="") as file:
        assert list(csv.reader(file))[2:] == [["Cleo", "", "3", "c@u.edu", "", "5.5"]]
    assert said == ["canvas.csv leaves out 1 whom Canvas could find by name only: b"]


@pytest.mark.parametrize(
    ("files", "name"),
    [
        (("leeann_501_90001_layers.py", "leeann_501_90002_x.py"), "leeann_501_90001_feedback.html"),
        (("leeann_LATE_501_90001_layers-1.py",), "leeann_LATE_501_90001_feedback.html"),
        (("leeann_501_text.html",), ""),
        ((), ""),
    ],
)
def test_the_name_of_feedback_has_canvas_numbers(files, name):
    assert canvas.feedback_name(HandIn("x", Path("x"), files=files)) == name
    if name:  # Canvas reads the first two parts that are digits
        assert [part for part in name.split("_") if part.isdigit()][:2] == ["501", "90001"]
