"""The platform's submission_metadata.json: what is in it, and what cannot be read."""

import json
from datetime import datetime, timezone
from fractions import Fraction
from typing import Any

import pytest

from autograder.gradescope import metadata
from autograder.gradescope.metadata import Metadata, Previous

GOOD: dict[str, Any] = {
    "id": 123456,
    "created_at": "2018-07-01T14:22:32.365935-07:00",
    "assignment": {"due_date": "2018-07-31T23:00:00.000000-07:00", "group_size": 2, "total_points": "20.0"},
    "submission_method": "upload",
    "users": [
        {"id": 1, "name": "A", "assignment": {"due_date": "2018-07-31T23:00:00.000000-07:00"}},
        {"id": 2, "name": "B", "assignment": {"due_date": "2018-08-02T23:00:00.000000-07:00"}},
    ],
    "previous_submissions": [
        {
            "submission_time": "2018-06-30T14:24:48.087023-07:00",
            "score": 7.5,
            "autograder_error": False,
            "results": {"score": 7.5, "extra_data": {"attempts": 1}},
        },
        {"submission_time": "2018-06-28T14:24:48.087023-07:00", "score": "0.0", "autograder_error": False},
        {"submission_time": "2018-06-29T14:24:48.087023-07:00", "score": None, "autograder_error": True},
    ],
}


@pytest.fixture
def read(tmp_path):
    def read(text=None, **changes):
        path = tmp_path / metadata.FILE
        path.write_text(json.dumps({**GOOD, **changes}) if text is None else text)
        return metadata.read(path)

    return read


def utc(*parts):
    return datetime(*parts).replace(tzinfo=timezone.utc)


def test_all_of_it(read):
    assert read() == Metadata(
        submitted=utc(2018, 7, 1, 21, 22, 32, 365935),
        due=utc(2018, 8, 1, 6),
        own_due=(None, utc(2018, 8, 3, 6)),
        previous=(
            Previous(utc(2018, 6, 28, 21, 24, 48, 87023), Fraction(0)),
            Previous(utc(2018, 6, 29, 21, 24, 48, 87023), None, failed=True),
            Previous(utc(2018, 6, 30, 21, 24, 48, 87023), Fraction(15, 2), extra={"attempts": 1}),
        ),
    )
    assert read().problems == ()


def test_the_courses_time_zone_is_kept(read):
    assert str(read().submitted) == "2018-07-01 14:22:32.365935-07:00"


def test_a_member_without_dates_has_the_assignments(read):
    assert read(users=[{"id": 1}, {"assignment": None}, 7]).own_due == (None, None, None)


def test_what_is_not_documented_may_be_missing(read):
    found = read(users=None, assignment=None, previous_submissions=None)
    assert found == Metadata(submitted=read().submitted)


def test_later_submissions_are_there_too(read):
    """The platform runs old submissions again, and a later one's ledger knows more of what was before."""
    later = {**GOOD["previous_submissions"][0], "submission_time": "2018-07-02T00:00:00-07:00"}
    found = read(previous_submissions=[later, GOOD["previous_submissions"][1]]).previous
    assert [one.submitted.day for one in found] == [28, 2]
    assert found[1].extra == {"attempts": 1}


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"created_at": None}, "created_at is missing, but should be a time with its time zone"),
        ({"created_at": "now"}, "created_at is 'now', but should be a time with its time zone"),
        ({"assignment": {"due_date": 5}}, "assignment.due_date is 5, but should be a time with its time zone"),
        (
            {"users": [{"assignment": {"due_date": "soon"}}]},
            "users[0].assignment.due_date is 'soon', but should be a time with its time zone",
        ),
        (
            {"previous_submissions": [{"submission_time": "x" * 99}]},
            f"previous_submissions[0].submission_time is '{'x' * 59}..., but should be a time with its time zone",
        ),
        (
            {"previous_submissions": [None]},
            "previous_submissions[0].submission_time is missing, but should be a time with its time zone",
        ),
        ({"created_at": {"a": 1}}, "created_at is an object, but should be a time with its time zone"),
        ({"assignment": [1]}, "assignment is a list, but should be an object"),
        ({"users": {"0": {}}}, "users is an object, but should be a list"),
        ({"previous_submissions": "none"}, "previous_submissions is 'none', but should be a list"),
    ],
)
def test_what_cannot_be_read_is_told(read, changes, problem):
    assert read(**changes).problems == (f"submission_metadata.json: {problem}",)


@pytest.mark.parametrize(
    ("score", "shown"),
    [
        (True, "True"),
        ("much", "'much'"),
        ("1/2", "'1/2'"),
        ("NaN", "'NaN'"),
        (float("inf"), "inf"),
        ("1e999999999", "'1e999999999'"),
        (10**400, f"1{'0' * 59}..."),
        (-5, "-5"),
        ([1], "a list"),
    ],
)
def test_a_score_that_is_none(read, score, shown):
    previous = [{**GOOD["previous_submissions"][0], "score": score}]
    found = read(previous_submissions=previous)
    assert found.previous[0].score is None
    problem = f"previous_submissions[0].score is {shown}, but should be a number, 0 or more"
    assert found.problems == (f"submission_metadata.json: {problem}",)


@pytest.mark.parametrize(("score", "value"), [("81.5", "81.5"), (0, "0"), (1e300, "1e300"), ("1e-999999999", "0")])
def test_a_score(read, score, value):
    found = read(previous_submissions=[{**GOOD["previous_submissions"][0], "score": score}])
    assert (found.previous[0].score, found.problems) == (Fraction(value), ())


def test_while_it_is_being_graded_there_is_no_score(read):
    found = read(previous_submissions=[{**GOOD["previous_submissions"][0], "score": None}])
    assert (found.previous[0].score, found.problems) == (None, ())


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "is not JSON: Expecting value"),
        ("[" * 100_000, "is not JSON: "),
        ("[]", "holds no object"),
    ],
)
def test_a_file_that_cannot_be_read(read, text, problem):
    (told,) = read(text).problems
    assert told.startswith(f"submission_metadata.json {problem}")


def test_no_file(tmp_path):
    assert metadata.read(tmp_path / metadata.FILE) == Metadata(
        problems=("submission_metadata.json cannot be read: No such file or directory",)
    )
