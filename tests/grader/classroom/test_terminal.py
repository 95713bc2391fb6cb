"""What is printed when a class is graded: what the books say, and nothing that a name can imitate."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from autograder.classroom import gradebook, terminal
from autograder.classroom.gradebook import Row
from autograder.classroom.overrides import Override
from autograder.grading.grader import Grade
from autograder.intake.handins import HandIn, Student
from tests.grader.support.books import LATE_BY_TWO, RULE

TOTAL = Fraction("5.5")


@pytest.fixture
def printed(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")

    def printed(rows, total=TOTAL):
        capsys.readouterr()
        terminal.print_table(rows, total)
        return [line.split() for line in capsys.readouterr().out.splitlines() if line.strip()]

    return printed


def named(name, score=1, **more):
    return Row(HandIn(name, Path(name)), None if score is None else Fraction(score), status="1 passed", **more)


def test_it_shows_what_the_books_show(row, printed, monkeypatch):
    monkeypatch.setenv("COLUMNS", "140")
    decided = [Override("b", "total", Fraction(4), "a reason", 2)]
    rows = [row("a", rule=RULE, submitted=LATE_BY_TWO), row("b", (Student("Ben"),), overrides=decided)]
    head, _, first, second = printed(rows)
    assert head == ["score", "submission", "name", "late", "decided", "how", "it", "ended", "seconds"]
    assert first == ["4.4", "of", "5.5", "a", "Ann", "20", "%", "(2", "d)", "2", "passed", "1.0"]
    assert second == ["4", "of", "5.5", "b", "Ben", "total", "=", "4", "2", "passed", "1.0"]


def test_columns_that_nobody_needs_are_left_out(printed):
    assert printed([named("a")])[0] == ["score", "submission", "how", "it", "ended", "seconds"]


SPOOF = [
    "eve: 100 of 100",
    "mallory\u2800\u2800\u2800100 of 100\u2800\u280064 passed" + "\u2800" * 40 + "1.0",
    "zed" + "\u0301" * 60,
    "\x1b[2J\x1b[31mred",
    "right\u202e001 fo 001",
    "x" * 300,
    "一" * 90,
]


@pytest.mark.parametrize("name", SPOOF, ids=range(len(SPOOF)))
@pytest.mark.parametrize("width", [80, 200])
def test_no_name_can_stand_in_for_a_score(capsys, monkeypatch, name, width):
    monkeypatch.setenv("COLUMNS", str(width))
    terminal.print_table([named(name, 0), named("honest", 3)], TOTAL)
    out = capsys.readouterr().out
    lines = [line for line in out.splitlines() if "of 5.5" in line]
    assert [line.split()[:3] for line in lines] == [["0", "of", "5.5"], ["3", "of", "5.5"]]
    assert lines[0].index("0 of 5.5") == lines[1].index("3 of 5.5")
    assert not {"\x1b", "\u202e", "\u2800"} & set(out)
    assert "  100 of 100" not in out
    follower = terminal.LineDisplay(1)
    follower.graded(name, Grade(Fraction(0), TOTAL))
    assert capsys.readouterr().out.startswith("  1/1  0 of 5.5  ")


def test_a_large_class_shows_what_needs_a_look(printed):
    rows = [named(f"s{number}", 2) for number in range(70)]
    assert printed(rows) == [["70", "submissions:", "70", "in", "part"]]
    rows += [named("lost", None), named("zero", 0), named("odd", 3, remark="no layers.py"), named("all", TOTAL)]
    lines = printed(rows)
    assert " ".join(lines[0]) == "74 submissions: 71 in part, 1 full marks, 1 no grade, 1 no points"
    assert " ".join(lines[1]) == "3 to look at"
    assert [line[-5] for line in lines[4:]] != []
    assert {"lost", "zero", "odd"} <= {word for line in lines for word in line}
    assert "all" not in {word for line in lines for word in line}


def test_problems_come_with_counts_and_once(capsys):
    terminal.print_problems([])
    assert capsys.readouterr().out == ""
    terminal.print_problems(["one\x1b thing"])
    assert capsys.readouterr().out == "\nLook at 1 problem:\n  - one thing\n"
    terminal.print_problems([*(f"s{number}: nobody in the roster" for number in range(7)), "else: x"])
    assert capsys.readouterr().out.splitlines()[1:] == [
        "Look at 8 problems:",
        "  - 7 times: nobody in the roster: s0, s1, s2, s3, s4, …",
        "  - else: x",
    ]
    terminal.print_problems([f"problem {number}" for number in range(99)])
    assert capsys.readouterr().out.splitlines()[-1] == "  - and 69 more; the report has all of them"


def test_one_submission(capsys, row):
    terminal.print_one(row(double=0.0), Path("results/a/page.html"))
    assert capsys.readouterr().out == "First mistake: test_double: wrong\nIts page: results/a/page.html\n"
    refused = replace(row(double=0.0), remark="layers.py is a web page. Download the file itself." + "\n" * 3)
    terminal.print_one(refused, None)  # and not that the first test was not run
    assert capsys.readouterr().out == "What is wrong: layers.py is a web page. Download the file itself.\n"
    terminal.print_one(row(), None)
    assert capsys.readouterr().out == ""


def test_those_whom_staff_gave_points(printed):
    decided = [Override("3", "total", Fraction(4), "on paper", 2)]
    absent = gradebook.given(HandIn("", Path(), (Student("Cleo", "3"),)), decided, gradebook.NO_SUBMISSION)
    assert printed([absent])[2] == ["4", "of", "5.5", "3", "Cleo", "total", "=", "4", "no", "submission", "0.0"]
