"""What tests of books share: two tests worth 5.5 points, and rows of submissions that got some of them."""

import pytest

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
