"""Which books there are, and what to do with them."""

from pathlib import Path

import pytest

from autograder.classroom import publish
from autograder.classroom.gradebook import Gradebook
from autograder.classroom.publish import BOOKS, Places
from autograder.core.results import Results
from autograder.intake.roster import Roster
from tests.grader.support.books import POINTS

CANVAS = Roster([], "Canvas", ("Student", "ID", "Lab 3 (7)"), [], Path("roster.csv"))


@pytest.mark.parametrize(
    ("names", "places", "known", "said"),
    [
        (["grades.csv"], Places(), False, "Next: grades.csv has all points; ROSTER=students.csv adds names."),
        (["grades.csv"], Places(anonymous=True), True, "Next: grades.csv has everybody's points."),
        (
            ["grades.csv", "canvas.csv", "report.html"],
            Places(),
            True,
            "Next: read report.html; grades.csv has everybody's points, canvas.csv is what Canvas imports.",
        ),
        (
            ["grades.csv", "canvas.csv", "feedback.zip", "report.html"],
            Places("Canvas", CANVAS),
            True,
            "Next: read report.html; import canvas.csv in Canvas' gradebook; upload feedback.zip to the assignment in "
            "Canvas (Re-Upload Submissions).",
        ),
        (
            ["grades.csv", "canvas.csv", "feedback.zip"],  # no line in canvas.csv
            Places("Canvas"),
            False,
            "Next: grades.csv has all points; ROSTER=students.csv adds names; upload feedback.zip to the "
            "assignment in Canvas (Re-Upload Submissions).",
        ),
        (
            ["grades.csv", "moodle.csv", "feedback.zip"],
            Places("Moodle"),
            True,
            "Next: upload moodle.csv in Moodle (Upload grading worksheet); upload feedback.zip to the assignment in "
            "Moodle (Upload multiple feedback files in a zip).",
        ),
    ],
)
def test_the_next_step(names, places, known, said):
    assert publish.next_step(names, places, known) == said


@pytest.mark.parametrize(
    ("places", "names"),
    [
        (Places(), ["grades.csv", "canvas.csv", "report.html"]),
        (Places("Canvas", CANVAS), ["grades.csv", "canvas.csv", "feedback.zip", "report.html"]),
        (Places("Moodle"), ["grades.csv", "feedback.zip", "report.html"]),
        (Places("Canvas", anonymous=True), ["grades.csv", "report.html"]),
    ],
)
def test_the_books(row, tmp_path, places, names):
    (tmp_path / "books").mkdir()
    problems: list[str] = []
    book = Gradebook("Lab 3", POINTS, [row("ann_5_6_x", files=("ann_5_6_x.py",))])

    def results_of(name):
        return Results.read(tmp_path / name / "results.json")

    publish.write(book, None, places, problems, results_of, tmp_path / "books")
    assert [name for name in BOOKS if (tmp_path / "books" / name).exists()] == names
    if places.platform == "Moodle":
        assert problems[0] == "no moodle.csv: download the grading worksheet from Moodle and give it as ROSTER"
