"""A class of a homework of two parts: who has handed in the second one has its points, and the others miss nothing."""

import csv
import json

import pytest

from autograder.classroom.terminal import kind
from tests.grader.support.parts import POINTS, SECOND, add_second


@pytest.fixture
def parts(toy):
    """Ann has both parts, Ben the first, Cleo both with a mistake in each."""
    add_second(toy)
    wrong = {"toy": toy.SOLUTION.replace("x / 2", "x / 3"), "second": SECOND.replace("x + 1", "x + 2")}
    people = {"ann": {"toy": toy.SOLUTION, "second": SECOND}, "ben": {"toy": toy.SOLUTION}, "cleo": wrong}
    for name, files in people.items():
        (toy.root / "handed in" / name).mkdir()
        for module, source in files.items():
            (toy.root / "handed in" / name / f"{module}.py").write_text(source)
    return toy


def grades(toy):
    with (toy.root / "results/grades.csv").open(encoding="utf-8", newline="") as file:
        return {line["submission"]: line for line in csv.DictReader(file)}


def test_the_books_have_both_parts(parts, mark):
    done, names, _ = mark()
    assert names == ["ann", "ben", "cleo"]
    assert {row.label: row.score for row in done.rows} == {"ann": 16, "ben": 10, "cleo": 8}
    lines = grades(parts)
    assert (lines[""]["score"], lines[""]["test_flip"]) == ("10", "1")
    assert {name: lines[name]["test_shift_forward"] for name in ("ann", "ben", "cleo")} == {
        "ann": "2",
        "ben": "",
        "cleo": "0",
    }
    page = (parts.root / "results/cleo/page.html").read_text()
    assert "Part 2, second.py: 4 of 6 points" in page
    assert "Part 2: 1.1" in page
    report = (parts.root / "results/report.html").read_text()
    assert "<b>1</b> full marks" not in report  # Ann's bonus counts as full marks, too
    assert "<b>2</b> full marks" in report


def test_only_who_it_concerns_is_graded_again(parts, mark):
    mark()
    (parts.root / "handed in/ben/second.py").write_text(SECOND)
    done, names, _ = mark()
    assert names == ["ben"]
    assert {row.label: row.score for row in done.rows} == {"ann": 16, "ben": 16, "cleo": 8}
    second = parts.root / "second.yaml"
    content = json.loads(second.read_text())
    content["tests"]["test_flip"]["points"] = 3
    second.write_text(json.dumps(content | {"total_points": 8}))
    done, names, _ = mark()
    assert names == ["ann", "ben", "cleo"]
    assert done.rows[0].score == 18


def test_decisions_about_the_second_part(parts, mark):
    (parts.root / "results").mkdir()
    lines = ["submission,test,score,reason", "cleo,test_shift_forward,1,see mail", "ben,test_flip,1,see mail"]
    (parts.root / "results/overrides.csv").write_text("\n".join(lines) + "\n")
    done, _, _ = mark()
    assert {row.label: row.score for row in done.rows} == {"ann": 16, "ben": 10, "cleo": 9}
    said = "overrides: line 3 is not applied (test_flip of ben): that part of the homework was not handed in; "
    assert f"{said}decide its total instead" in done.problems


def test_a_decision_about_a_submission_without_the_main_file(parts, mark):
    (parts.root / "results").mkdir()
    (parts.root / "handed in/cleo/toy.py").unlink()
    (parts.root / "results/overrides.csv").write_text(
        "submission,test,score,reason\ncleo,test_flip,1,see mail\nben,total,16,both on paper\n"
    )
    done, _, _ = mark()
    assert {row.label: row.score for row in done.rows} == {"ann": 16, "ben": 16, "cleo": 0}
    said = "overrides: line 2 is not applied (test_flip of cleo): the submission could not be read, so it has no such "
    assert f"{said}test; decide its total instead" in done.problems


@pytest.mark.heavy
def test_a_part_that_is_not_handed_in_any_more_is_named(parts, mark):
    mark()
    second = parts.root / "handed in/ann/second.py"
    (parts.root / "results/grades.csv").rename(parts.root / "earlier.csv")
    second.unlink()
    done, _, _ = mark(compare=parts.root / "earlier.csv")
    gone = "; ".join(f"{name} {points} → not handed in" for name, points in POINTS.items())
    assert [(change.row.label, change.by, change.why) for change in done.changes] == [("ann", -6, gone)]
    (parts.root / "results/grades.csv").rename(parts.root / "earlier.csv")
    second.write_text(SECOND)
    done, _, _ = mark(compare=parts.root / "earlier.csv")
    assert done.changes[0].why.startswith("test_shift_forward not graded → 2; test_shift_backward not graded → 2; ")


def test_more_than_all_points_are_full_marks(parts, mark):
    done, _, _ = mark()
    assert [kind(done.grades[name]) for name in ("ann", "ben", "cleo")] == ["full marks", "full marks", "in part"]


def test_one_submission(parts, mark):
    done, _, _ = mark(parts.root / "handed in" / "ann")
    assert done.rows[0].score == 16
    done, _, _ = mark(only="test_flip*")
    assert {row.label: row.score for row in done.rows} == {"ann": 2, "ben": 0, "cleo": 2}
