"""What tests of books share: rows of submissions that got some of 5.5 points, and a run of a whole class."""

from contextlib import contextmanager

import pytest

from autograder.classroom import run
from autograder.classroom.job import ClassJob
from autograder.intake.handins import HandIn
from tests.grader.support.books import ANN, POINTS, make_row


@pytest.fixture
def row(tmp_path):
    """Make a row from points by test."""

    def row(
        name="submission_1",
        students=(ANN,),
        double=3.0,
        halve=2.5,
        *,
        overrides=(),
        rule=None,
        submitted=None,
        files=(),
    ):
        entry = HandIn(name, tmp_path / name, tuple(students), submitted, files=tuple(files))
        return make_row(tmp_path, entry, {"test_double": double, "test_halve": halve}, POINTS, overrides, rule)[0]

    return row


@pytest.fixture(autouse=True)
def unrendered(monkeypatch):
    """Draw the pictures of the class report, but write no PNG: that takes most of the time of a class of two.

    The tests in test_report.py look at the pictures, and the commands in test_run.py make real ones.
    """
    monkeypatch.setattr("matplotlib.figure.Figure.savefig", lambda self, file, **how: file.write(b"a picture"))


class Follower:
    def __init__(self):
        self.names = []

    def graded(self, name, grade):
        self.names.append(name)

    def tested(self, result):
        pass


@pytest.fixture
def mark(toy):
    """Grade what was handed in; return what came of it, whom it graded, and what it announced."""

    def mark(source=toy.root / "handed in", **more):
        follower = Follower()
        said: list[str] = []
        order = ClassJob(source, toy.root / "results", toy.config, **{"jobs": 1, **more})

        @contextmanager
        def follow(total):
            yield follower

        done = run.mark(order, said.append, follow)
        return done, follower.names, said[1]

    return mark
