"""The class as files: grades.csv and changes.csv, harmless in a spreadsheet, and read back to the same values."""

import stat
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from autograder.classroom import books, gradebook
from autograder.classroom.books import Earlier
from autograder.classroom.gradebook import Gradebook, Standing
from autograder.classroom.journal import Journal
from autograder.classroom.overrides import Override
from autograder.core.errors import ConfigurationError
from autograder.grading.grader import Grade
from autograder.intake.handins import HandIn, Student
from autograder.intake.roster import Person
from tests.grader.support.books import ANN, BEN, LATE_BY_TWO, POINTS, RULE, table


def missing(name, sid, decided=(), status=gradebook.NO_SUBMISSION):
    student = Student(name, sid, "")
    return Standing(
        student, Person(student, frozenset({sid})), gradebook.given(HandIn("", Path(), (student,)), decided, status)
    )


def test_one_line_per_student_and_one_column_per_test(row, tmp_path):
    fault = gradebook.row(
        HandIn("submission_2", tmp_path, (BEN,)),
        Grade.fault(Fraction(5), "a bug"),
        Journal(tmp_path, tmp_path, "x"),
        (),
        None,
    )
    rows = [row(students=(ANN,), halve=0.0, submitted=LATE_BY_TWO, rule=RULE), fault]
    decided = [Override("3", "total", Fraction(4), "on paper", 2)]
    absent = [missing("Cleo", "3", decided), missing("Di", "4"), missing("Eve", "", status=gradebook.NOT_MATCHED)]
    books.write_grades(Gradebook("HW", POINTS, rows, absent), tmp_path / "grades.csv")
    ben = "'" + BEN.name  # a spreadsheet does not run it
    when = "2026-01-02 12:00:00 UTC"
    blank = [""] * 2
    assert table(tmp_path / "grades.csv") == [
        [*books.KEYS, *books.SUMMARY, *POINTS],
        ["Points possible", "", "", "", "", "5.5", "5.5", "", "", "", "3", "2.5"],
        ["Ann", "01", "ann@u.edu", "submission_1", when, "2.4", "3", "20 %", "", "1 passed, 1 wrong", "3", "0"],
        [ben, "2", "ben@u.edu", "submission_2", "", "", "", "", "", "grader fault", *blank],
        ["Cleo", "3", "", "", "", "4", "4", "", "total = 4: on paper", "no submission", *blank],
        ["Di", "4", "", "", "", "", "", "", "", "no submission", *blank],
        ["Eve", "", "", "", "", "", "", "", "", gradebook.NOT_MATCHED, *blank],
    ]
    assert stat.S_IMODE((tmp_path / "grades.csv").stat().st_mode) == 0o600


def test_members_of_a_group_have_a_line_each_and_nobody_two(row, tmp_path):
    rows = [row("a", (ANN, BEN)), row("b", (BEN,), halve=0.0), row("c", (BEN,), halve=1.0), row("d", ())]
    books.write_grades(Gradebook("HW", POINTS, rows, of_several="best"), tmp_path / "grades.csv")
    assert [(line[1], line[3], line[9]) for line in table(tmp_path / "grades.csv")[2:]] == [
        ("01", "a", "2 passed"),
        ("2", "a", "2 passed"),
        ("", "b", "does not count: another submission of this student does; 1 passed, 1 wrong"),
        ("", "c", "does not count: another submission of this student does; 2 passed"),
        ("", "d", "2 passed"),
    ]


def test_what_changed_and_why(row, tmp_path):
    before = [row("submission_1"), row("submission_2"), row("submission_3", halve=0.0), row("gone")]
    books.write_grades(Gradebook("HW", POINTS, before), tmp_path / "grades.csv")
    now = [
        row("submission_1", double=1.0, rule=RULE, submitted=LATE_BY_TWO),
        row("submission_2"),
        row("submission_3", halve=0.0, overrides=[Override("submission_3", "test_halve", Fraction(1), "close")]),
        row("submission_4"),
        gradebook.given(HandIn("submission_5", tmp_path), (), gradebook.NO_FILES),
    ]
    absent = [missing("Cleo", "3", [Override("3", "total", Fraction(4), "on paper", 2)]), missing("Di", "4")]
    book = Gradebook("HW", POINTS, now, absent)
    earlier = books.read_earlier(tmp_path / "grades.csv")
    books.write_changes(books.changes(book, earlier), tmp_path / "changes.csv")
    assert table(tmp_path / "changes.csv") == [
        ["submission", "name", "earlier", "score", "change", "why"],
        ["submission_4", "Ann", "", "5.5", "", "no earlier score"],
        ["3", "Cleo", "", "4", "", "no earlier score; override of total = 4: on paper"],
        ["submission_1", "Ann", "5.5", "2.8", "-2.7", "test_double 3 → 1; late: 20 % off"],
        ["submission_3", "Ann", "3", "4", "1", "test_halve 0 → 1; override of test_halve = 1: close"],
    ]
    assert books.vanished(book, earlier) == ["earlier scores: 1 are of submissions that are not here now: gone"]


def test_reading_our_own_file_back_changes_nothing(row, tmp_path):
    names = ["-ben", "=1+1", "x;=1+cmd", "＝3", "'-x", "''=y", 'q"uote', "a, b; c", "\u2800tabs\t and\r\nlines", "zoë"]
    rows = [
        row(name.replace("\t", " ").replace("\r\n", " ").strip("\u2800"), (), halve=index / 4)
        for index, name in enumerate(names)
    ]
    rows.append(gradebook.given(HandIn("no files", tmp_path, (BEN,)), (), gradebook.NO_FILES))
    absent = [missing("Cleo", "@3", [Override("3", "total", Fraction(4), "on\npaper", 2)]), missing("Di", "4")]
    book = Gradebook("HW", POINTS, rows, absent)
    books.write_grades(book, tmp_path / "grades.csv")
    earlier = books.read_earlier(tmp_path / "grades.csv")
    assert books.changes(book, earlier) == []
    assert books.vanished(book, earlier) == []
    assert earlier["-ben"] == Earlier(Fraction(3), {"test_double": Fraction(3), "test_halve": Fraction(0)})


def test_as_european_excel_saves_it(row, tmp_path):
    book = Gradebook("HW", POINTS, [row("a", halve=0.5), row("b")])
    books.write_grades(book, tmp_path / "grades.csv")
    lines = [";".join(f'"{cell}"' if ";" in cell else cell.replace(".", ",") for cell in line)
             for line in table(tmp_path / "grades.csv")]  # fmt: skip
    (tmp_path / "saved.csv").write_bytes("\r\n".join(lines).encode("utf-8-sig"))
    assert books.changes(book, books.read_earlier(tmp_path / "saved.csv")) == []


def test_a_hand_in_that_is_called_otherwise_here_has_its_earlier_score(row, tmp_path):
    (tmp_path / "last.csv").write_text("submission,score\n'-ben,3\na0001,5.5\n")
    earlier = books.read_earlier(tmp_path / "last.csv")
    ben = replace(row("ben (hand-in)", (), halve=0.0), entry=HandIn("ben (hand-in)", Path(), ids=("-ben",)))
    pair = [replace(row(name, ()), entry=HandIn(name, Path(), ids=("a0001",))) for name in ("a0001.py", "a0001.zip")]
    book = Gradebook("HW", POINTS, [ben, *pair])
    assert books.changes(book, earlier) == []
    assert books.vanished(book, earlier) == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("submission,score\na,3,5\n", "line 2: has 3 cells, but the first line names 2 columns"),
        ('submission,score\na,"3,5"\n', "line 2: score is '3,5', but should be a number. Write a decimal point"),
        ("submission,score\na,3\na,4\n", "line 3: a has another score in an earlier line"),
        ("submission,score,test_x\na,3,much\n", "line 2: test_x is 'much', but should be a number"),
        ("submission,points\na,3\n", "has no column score"),
    ],
)
def test_earlier_scores_that_cannot_be(tmp_path, text, problem):
    (tmp_path / "last.csv").write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        books.read_earlier(tmp_path / "last.csv")
    assert problem in str(caught.value)


def test_against_an_export(row, tmp_path):
    (tmp_path / "submission_metadata.yml").write_text(
        "submission_1:\n  :score: 5.5\nsubmission_2:\n  :score: 5.0\nsubmission_3:\n  :score:\n"
    )
    earlier = books.read_earlier(tmp_path)
    assert earlier == {"submission_1": Earlier(Fraction("5.5")), "submission_2": Earlier(Fraction(5))}
    found = books.changes(Gradebook("HW", POINTS, [row("submission_1"), row("submission_2")]), earlier)
    assert [(change.row.entry.name, change.by) for change in found] == [("submission_2", Fraction(1, 2))]
    assert found[0].why == "by test unknown: the earlier score is a total"


def test_nothing_to_compare_with(tmp_path):
    with pytest.raises(ConfigurationError, match=r"COMPARE: .*nowhere does not exist"):
        books.read_earlier(tmp_path / "nowhere")
