"""feedback.zip: one page for each student, named as the platform wants it, with nobody else's name on it."""

import zipfile
from fractions import Fraction
from pathlib import Path

import pytest

from autograder.classroom import gradebook, handback
from autograder.classroom import pages as html
from autograder.classroom.gradebook import Gradebook
from autograder.classroom.overrides import Override
from autograder.core.results import Results, TestEntry
from autograder.intake.handins import HandIn, Student
from tests.grader.support.books import ANN, POINTS, entry_of, make_row

BEN = Student("Ben <b>Mora</b>\u202e", "02")


@pytest.fixture
def pages(tmp_path):
    """Give hand-ins, each with its overrides; return the pages in the zip, and what staff are told."""

    def pages(platform, entries, rule="best"):
        rows = []
        for entry, decided in entries:
            made, _ = make_row(tmp_path, entry, {"test_double": 3.0, "test_halve": 0.0}, POINTS, decided)
            rows.append(made)
        book = Gradebook("Lab 3", POINTS, rows, of_several=rule)
        said = handback.write(
            book, platform, lambda name: Results.read(tmp_path / name / "results.json"), tmp_path / "f.zip"
        )
        with zipfile.ZipFile(tmp_path / "f.zip") as archive:
            return {name: archive.read(name).decode() for name in archive.namelist()}, said

    return pages


def hand_in(file, *students):
    return HandIn(Path(file).stem, Path(file), students, files=(file,))


def test_one_page_each_and_nobody_elses_name(pages):
    decided = [Override("x", "test_halve", Fraction(2), "copied from Ben (02), as was said", 2)]
    found, said = pages(
        "Canvas",
        [(hand_in("ann_501_90001_layers.py", ANN), decided), (hand_in("ben_502_90002_layers.py", BEN), ())],
    )
    assert list(found) == ["ann_501_90001_feedback.html", "ben_502_90002_feedback.html"]
    assert said == []
    ann, ben = found.values()
    assert "<b>5</b> of 5.5" in ann
    assert "Course staff decided: 2 of 2.5 points." in ann
    assert "Ben" not in ann
    assert "copied" not in ann
    assert "Ben &lt;b&gt;Mora&lt;/b&gt;<" in ben
    assert "Ann" not in ben
    assert "\u202e" not in ben
    assert "test_halve: wrong" in ben
    assert "is zero" not in ann + ben  # what staff read of the diagnosis


def test_members_of_a_group_are_not_named(pages):
    found, _ = pages("Moodle", [(hand_in("Ann_7_assignsubmission_file_", ANN, BEN), ())])
    (page,) = found.values()
    assert list(found) == ["Ann_7_assignfeedback_file_/feedback.html"]
    assert "Ann" not in page
    assert "Ben" not in page


def test_what_does_not_count_has_no_page(pages):
    found, said = pages(
        "Canvas",
        [
            (hand_in("ann_501_90001_layers.py", ANN), [Override("x", "total", Fraction(1), "r", 2)]),
            (hand_in("ann_501_90002_layers-1.py", ANN), ()),
            (hand_in("elsewhere.py", BEN), ()),
        ],
    )
    assert list(found) == ["ann_501_90002_feedback.html"]
    assert said == ["f.zip leaves out 1 whose names are not Canvas's: elsewhere"]


def test_hidden_tests_are_not_on_it():
    tests = [entry_of("test_double", 3.0, 3.0), entry_of("test_halve", 0.0, 2.5, visibility="hidden")]
    results = Results(
        total_points=None, score=3.0, output="Found it.", tests=tuple(TestEntry(**test) for test in tests)
    )
    row = gradebook.Row(HandIn("a", Path("a")), Fraction(3), Fraction(3))
    page = html.feedback(Gradebook("HW", POINTS, [row]), row, "", results).decode()
    assert "test_double" in page
    assert "test_halve" not in page
    assert "1 more test counts and is not shown" in page


def test_the_same_pages_are_the_same_zip(pages, tmp_path):
    entries = [(hand_in("ann_501_90001_layers.py", ANN), ())]
    pages("Canvas", entries)
    before = (tmp_path / "f.zip").read_bytes()
    pages("Canvas", entries)
    assert (tmp_path / "f.zip").read_bytes() == before
