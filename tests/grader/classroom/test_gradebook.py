"""The class as a table: overrides, lateness, groups, Canvas, and what changed."""

import csv
import json
import stat
from collections import Counter
from datetime import datetime, timezone
from fractions import Fraction
from pathlib import Path

import pytest

from autograder.classroom import gradebook
from autograder.classroom.gradebook import Earlier, Gradebook, Override
from autograder.classroom.journal import Journal
from autograder.core.errors import ConfigurationError
from autograder.core.late import LateRule
from autograder.grading.grader import Grade
from autograder.intake import roster
from autograder.intake.handins import HandIn, Student
from tests.grader.support.books import journal_with

POINTS = {"test_double": Fraction(3), "test_halve": Fraction(5, 2)}
ANN = Student("Ann", "01", "ann@u.edu")
BEN = Student('=HYPERLINK("x")', "2", "ben@u.edu")
RULE = LateRule(datetime(2026, 1, 1, tzinfo=timezone.utc), 0, 10, 50)
LATE = datetime(2026, 1, 2, 12, tzinfo=timezone.utc)


@pytest.fixture
def row(tmp_path):
    """Make a row from points by test."""

    def row(name="submission_1", students=(ANN,), double=3.0, halve=2.5, *, overrides=(), rule=None, submitted=None):
        tests = [
            {
                "number": "1.1",
                "name": test,
                "score": score,
                "max_score": float(POINTS[test]),
                "extra_data": {"test": test, "outcome": "passed" if score else "wrong"}
                | (
                    {}
                    if score
                    else {"diagnosis": {"id": f"{test} is zero", "certain": test == "test_double", "seconds": 0.1}}
                ),
            }
            for test, score in (("test_double", double), ("test_halve", halve))
        ]
        content = {"score": double + halve, "output": "Found it.", "tests": tests, "extra_data": {}}
        outcomes = Counter(test["extra_data"]["outcome"] for test in tests)
        grade = Grade(Fraction(repr(double + halve)), Fraction("5.5"), outcomes, 1.0)
        entry = HandIn(name, tmp_path / name, tuple(students), submitted)
        return gradebook.row(entry, grade, journal_with(tmp_path, name, grade, content), overrides, rule)

    return row


def table(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def test_one_line_per_student_and_one_column_per_test(row, tmp_path):
    fault = gradebook.row(
        HandIn("submission_2", tmp_path, (BEN,)),
        Grade.fault(Fraction(5), "a bug"),
        Journal(tmp_path, tmp_path, "x"),
        (),
        None,
    )
    rows = [row(students=(ANN, BEN), halve=0.0, submitted=LATE), fault]
    absent = roster.Person(Student("Cleo", "3", "cleo@u.edu"), frozenset({"3"}))
    gradebook.write_grades(Gradebook("HW", POINTS, rows, [absent]), tmp_path / "grades.csv")
    ben = "'" + BEN.name  # a spreadsheet does not run it
    when = "2026-01-02 12:00:00 UTC"
    assert table(tmp_path / "grades.csv") == [
        [*gradebook.KEYS, *gradebook.SUMMARY, *POINTS],
        ["Points possible", "", "", "", "", "5.5", "5.5", "", "", "", "3", "2.5"],
        ["Ann", "01", "ann@u.edu", "submission_1", when, "3", "3", "", "", "1 passed, 1 wrong", "3", "0"],
        [ben, "2", "ben@u.edu", "submission_1", when, "3", "3", "", "", "1 passed, 1 wrong", "3", "0"],
        [ben, "2", "ben@u.edu", "submission_2", "", "", "", "", "", "grader fault", "", ""],
        ["Cleo", "3", "cleo@u.edu", "", "", "", "", "", "", "no submission", "", ""],
    ]
    assert stat.S_IMODE((tmp_path / "grades.csv").stat().st_mode) == 0o600


def test_nobody_known_has_a_line_too(row, tmp_path):
    gradebook.write_grades(Gradebook("HW", POINTS, [row("ann", ())]), tmp_path / "grades.csv")
    assert table(tmp_path / "grades.csv")[2][:6] == ["", "", "", "ann", "", "5.5"]


def test_canvas_gets_its_own_columns_back(row, tmp_path):
    known = roster.Person(ANN, frozenset({"01"}), "501", ("O'Hara, Ann", "501", "01", "ann", "A"))
    rows = [row(students=(ANN, Student("Cleo", "3", "c@u.edu"))), row("submission_2", ())]
    gradebook.write_canvas(Gradebook("HW 3", POINTS, rows, (), {ANN: known}), tmp_path / "canvas.csv")
    assert table(tmp_path / "canvas.csv") == [
        ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "HW 3"],
        ["    Points Possible", "", "", "", "", "5.5"],
        ["O'Hara, Ann", "501", "01", "ann", "A", "5.5"],
        ["Cleo", "", "3", "c@u.edu", "", "5.5"],
    ]


def test_lateness_counts_here_and_in_the_results(row, tmp_path):
    late = row(rule=RULE, submitted=LATE)
    assert (late.earned, late.score, late.late.percent) == (Fraction("5.5"), Fraction("4.4"), 20)
    results = json.loads((tmp_path / "submission_1/results.json").read_text())
    assert results["score"] == 4.4
    assert "late: 2 days begun × " in results["output"].split("\n")[1]
    assert row(rule=RULE, submitted=None).late is None
    assert row(rule=None, submitted=LATE).score == Fraction("5.5")


def test_decisions_of_staff(row):
    def scored(test, score, **more):
        made = row(overrides=[Override("submission_1", test, Fraction(score), "because")], halve=0.0, **more)
        return made.earned, made.score

    assert scored("test_halve", 2) == (5, 5)
    assert scored("test_double", 0) == (0, 0)
    assert scored("total", 4) == (3, 4)
    assert scored("test_halve", 2, rule=RULE, submitted=LATE) == (5, 4)
    assert scored("late", 0, rule=RULE, submitted=LATE) == (3, 3)
    assert scored("late", 50) == (3, Fraction("1.5"))
    assert row(overrides=[Override("submission_7", "total", Fraction(0), "another's")]).score == Fraction("5.5")
    made = row(overrides=[Override("submission_1", "total", Fraction(4), "a, b")])
    assert str(made.overrides[0]) == "total = 4: a, b"


def test_misconceptions_are_certain(row):
    made = row(double=0.0, halve=0.0)
    assert (made.mistakes, made.patterns) == (("test_double is zero",), ("test_halve is zero",))


HEAD = "submission,test,score,reason\n"


def test_overrides_are_read(tmp_path):
    path = tmp_path / "overrides.csv"
    path.write_text(f"\ufeff{HEAD}submission_1,test_double,1.5,typo in the name\n\nann,late,0,was ill\n", "utf-8")
    assert gradebook.read_overrides(path, POINTS) == [
        Override("submission_1", "test_double", Fraction(3, 2), "typo in the name"),
        Override("ann", "late", Fraction(0), "was ill"),
    ]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("a,test_triple,1,x", "no test is called 'test_triple'. Write total, late, or one of: test_double, test_halve"),
        ("a,test_double,3.5,x", "score is '3.5', but should be a number from 0 to 3"),
        ("a,test_double,-1,x", "score is '-1', but"),
        ("a,test_double,,x", "score is '', but"),
        ("a,test_double,nan,x", "score is 'nan', but"),
        ("a,total,6,x", "from 0 to 5.5"),
        ("a,late,101,x", "from 0 to 100"),
        ("a,total,5,", "has no reason"),
        (",total,5,x", "has no submission"),
        ("a,total,5,x\na,total,4,y", "line 3: decides total of a a second time"),
    ],
)
def test_overrides_that_cannot_be(tmp_path, line, problem):
    path = tmp_path / "overrides.csv"
    path.write_text(f"{HEAD}{line}\n")
    with pytest.raises(ConfigurationError) as caught:
        gradebook.read_overrides(path, POINTS)
    assert str(caught.value).startswith("overrides.csv: line ")
    assert problem in str(caught.value)


def test_overrides_without_a_column(tmp_path):
    (tmp_path / "overrides.csv").write_text("submission,test,score\n")
    with pytest.raises(ConfigurationError, match="has no column reason"):
        gradebook.read_overrides(tmp_path / "overrides.csv", POINTS)


def test_what_changed_and_why(row, tmp_path):
    before = [row("submission_1"), row("submission_2"), row("submission_3", halve=0.0)]
    gradebook.write_grades(Gradebook("HW", POINTS, before), tmp_path / "grades.csv")
    override = Override("submission_3", "test_halve", Fraction(1), "close")
    now = [
        row("submission_1", double=1.0, rule=RULE, submitted=LATE),
        row("submission_2"),
        row("submission_3", halve=0.0, overrides=[override]),
        row("submission_4"),
    ]
    found = gradebook.changes(Gradebook("HW", POINTS, now), gradebook.read_earlier(tmp_path / "grades.csv"))
    gradebook.write_changes(found, tmp_path / "changes.csv")
    assert table(tmp_path / "changes.csv") == [
        ["submission", "name", "earlier", "score", "change", "why"],
        ["submission_4", "Ann", "", "5.5", "", "no earlier score"],
        ["submission_1", "Ann", "5.5", "2.8", "-2.7", "test_double 3 → 1; late: 20 % off"],
        ["submission_3", "Ann", "3", "4", "+1", "test_halve 0 → 1; override of test_halve = 1: close"],
    ]


def test_against_an_export(row, tmp_path):
    (tmp_path / "submission_metadata.yml").write_text(
        "submission_1:\n  :score: 5.5\nsubmission_2:\n  :score: 5.0\nsubmission_3:\n  :score:\n"
    )
    earlier = gradebook.read_earlier(tmp_path)
    assert earlier == {"submission_1": Earlier(Fraction("5.5")), "submission_2": Earlier(Fraction(5))}
    found = gradebook.changes(Gradebook("HW", POINTS, [row("submission_1"), row("submission_2")]), earlier)
    assert [(change.row.entry.name, change.by) for change in found] == [("submission_2", Fraction(1, 2))]
    assert found[0].why == "by test unknown: the earlier score is a total"


def test_nothing_to_compare_with(tmp_path):
    with pytest.raises(ConfigurationError, match=r"COMPARE: .*nowhere does not exist"):
        gradebook.read_earlier(tmp_path / "nowhere")
