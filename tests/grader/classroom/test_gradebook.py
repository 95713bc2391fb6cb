"""Rows and standings: lateness, decisions, groups, and exactly one line for every student."""

import json
from collections import Counter
from datetime import datetime, timedelta, timezone
from fractions import Fraction
from pathlib import Path

import pytest

from autograder.classroom import gradebook
from autograder.classroom.gradebook import Gradebook
from autograder.classroom.overrides import Override
from autograder.grading.grader import Grade
from autograder.intake import roster
from autograder.intake.handins import HandIn, Student
from autograder.intake.roster import Person
from tests.grader.support.books import ANN, BEN, LATE_BY_TWO, POINTS, RULE, entry_of, journal_with


def test_lateness_counts_here_and_in_the_results(row, tmp_path):
    late = row(rule=RULE, submitted=LATE_BY_TWO)
    assert (late.earned, late.score, late.late.percent) == (Fraction("5.5"), Fraction("4.4"), 20)
    results = json.loads((tmp_path / "submission_1/results.json").read_text())
    assert results["score"] == 4.4
    assert "late: 2 days begun × " in results["output"].split("\n")[1]
    assert row(rule=RULE, submitted=None).late is None
    assert row(rule=None, submitted=LATE_BY_TWO).score == Fraction("5.5")


def test_carried_points_are_counted_apart(tmp_path):
    tests = [entry_of("test_double", 0.0, 3.0), entry_of("test_halve", 2.5, 2.5)]
    content = {"score": 2.5, "output": "Found it.", "tests": tests, "extra_data": {"carried": 2.25}}
    entry = HandIn("a", tmp_path / "a", (ANN,))
    grade = Grade(Fraction("2.5"), Fraction("5.5"), Counter({"carried": 1, "wrong": 1}), 1.0)
    made = gradebook.row(entry, grade, journal_with(tmp_path, "a", grade, content), (), None)
    assert made.status == "1 carried, 1 wrong; 2.25 points carried"


def test_misconceptions_are_certain(row):
    made = row(double=0.0, halve=0.0)
    assert (made.mistakes, made.patterns) == (("test_double is zero",), ("test_halve is zero",))
    assert made.mistake == "test_double: wrong"


def test_a_fault_has_no_grade_but_staff_may_give_one(tmp_path):
    fault = gradebook.given(HandIn("a", tmp_path), (), "grader fault", Grade.fault(Fraction(5), "a bug"))
    assert (fault.score, fault.status, fault.remark) == (None, "grader fault", "a bug")
    decided = [Override("a", "total", Fraction(4), "seen", 2), Override("a", "test_halve", Fraction(1), "?", 3)]
    fault = gradebook.given(HandIn("a", tmp_path), decided, "grader fault", Grade.fault(Fraction(5), "a bug"))
    assert fault.score == 4
    assert list(fault.overrides) == decided[:1]
    assert fault.dropped == (
        "overrides: line 3 is not applied (test_halve of a): it has no grade yet, because of a fault of the grader; "
        "only its total can be decided",
    )


# Every student once.


def book_of(*rows, people=None, rule="latest"):
    return Gradebook("HW", POINTS, list(rows), (), people or {}, rule)


def standing(book):
    return {(one.student.sid or one.student.email or one.student.name): one.row.entry.name for one in book.standings}


FIRST = datetime(2026, 1, 1, tzinfo=timezone.utc)


@pytest.mark.parametrize(("rule", "counts"), [("latest", "c"), ("best", "b")])
def test_a_student_with_several_submissions_has_one_standing(row, rule, counts):
    rows = [
        row(name, halve=halve, submitted=FIRST + timedelta(days=day))
        for name, halve, day in (("a", 0.5, 0), ("b", 2.5, 1), ("c", 1.0, 2))
    ]
    book = book_of(*rows, rule=rule)
    assert standing(book) == {"01": counts}
    assert [book.counts(one) for one in rows] == [one.entry.name == counts for one in rows]
    (problem,) = book.problems
    assert problem.startswith(f"Ann has 3 submissions (a, b, c): {counts} counts, the {rule}")
    assert "grades.of_several in config.yaml" in problem


def test_canvas_numbers_files_as_they_come(row):
    files = [("ann_1_22_toy.py", "ann_1_23_x.py"), ("ann_LATE_1_9_toy-1.py",)]
    book = book_of(row("a", halve=0.0, files=files[0]), row("b", files=files[1]))
    assert standing(book) == {"01": "a"}
    assert "a counts, the latest" in book.problems[0]


def test_without_times_the_best_counts_and_that_is_said(row):
    book = book_of(row("a", halve=0.0), row("b"), row("c", double=0.0, submitted=FIRST))
    assert standing(book) == {"01": "b"}
    assert book.problems == [
        "Ann has 3 submissions (a, b, c): b counts, the best one, because it is not known which is the latest"
    ]


def test_a_group_of_which_one_handed_in_again(row):
    alone = row("b", (ANN,), halve=0.0, submitted=FIRST + timedelta(days=1))
    book = book_of(row("a", (ANN, BEN), submitted=FIRST), alone)
    assert standing(book) == {"01": "b", "2": "a"}


def test_who_is_the_same(row):
    students = {
        "a": Student("Ann", "1", "ann@u.edu"),
        "b": Student("Ann", "", "Ann@u.edu"),  # the same e-mail address
        "c": Student("Cy", "3", "ann@u.edu"),  # a typing mistake: other ids are other people
        "d": Student("Ann", "", ""),  # a name identifies nobody
        "e": Student("Ann", "", ""),
    }
    book = book_of(*(row(name, (student,)) for name, student in students.items() if name != "c"))
    assert [one.row.entry.name for one in book.standings] == ["a", "d", "e"]
    book = book_of(*(row(name, (student,)) for name, student in students.items()))
    assert [one.row.entry.name for one in book.standings] == ["a", "b", "c", "d", "e"]


def test_one_person_of_the_roster_is_one_whatever_the_files_say(row):
    person = Person(Student("Ann"), frozenset({"canvas 5"}), line=7)
    rows = [row("a", (Student("Ann"),), halve=0.0), row("b", (Student("Ann", "", "x@u.edu"),))]
    book = book_of(*rows, people={"a": (person,), "b": (person,)})
    assert len(book.standings) == 1


def test_those_without_a_submission(tmp_path):
    path = tmp_path / "roster.csv"
    path.write_text("Name,SID,Email\nAnn,01,\nBen,2,\nCy,,\nDi,4,\n")
    matched = roster.match([HandIn("2", Path("2"))], roster.read(path))
    decided = {2: [Override("01", "total", Fraction(4), "on paper", 9)]}
    found = gradebook.absent(matched, decided)
    assert [(one.student.name, one.row.score, one.row.status[:22]) for one in found] == [
        ("Ann", 4, "no submission"),
        ("Di", None, "no submission"),
        ("Cy", None, "no submission can be m"),
    ]
