"""What being late costs."""

from datetime import datetime, timedelta, timezone
from fractions import Fraction

import pytest

from autograder import policy

DUE = datetime(2026, 10, 1, 23, 59, tzinfo=timezone(timedelta(hours=-4)))
RULE = policy.LateRule(due=DUE, grace_minutes=15, percent_per_day=12.5, at_most_percent=40)


@pytest.mark.parametrize(
    ("after", "days", "percent"),
    [
        (timedelta(days=-3), 0, 0),
        (timedelta(0), 0, 0),
        (timedelta(minutes=15), 0, 0),
        (timedelta(minutes=15, microseconds=1), 1, 12.5),
        (timedelta(days=1), 1, 12.5),
        (timedelta(days=1, seconds=1), 2, 25),
        (timedelta(days=3), 3, 37.5),
        (timedelta(days=3, minutes=1), 4, 40),
        (timedelta(days=300), 300, 40),
    ],
)
def test_days_that_have_begun(after, days, percent):
    late = policy.lateness((DUE + after).astimezone(timezone.utc), RULE)
    assert (late and (late.days, late.percent)) == ((days, percent) if days else None)


def test_it_says_how_it_was_computed():
    late = policy.lateness(DUE + timedelta(hours=30), RULE)
    assert late is not None
    assert late.why == (
        "Handed in 2 days late (12.5 % for each day that has begun, at most 40 %): 25 % of the score are taken off."
    )
    late = policy.lateness(DUE + timedelta(hours=1), RULE)
    assert late is not None
    assert "1 day late" in late.why


@pytest.mark.parametrize(("score", "left"), [("100", "87.5"), ("33.33", "29.16"), ("0.04", "0.04"), ("0", "0")])
def test_two_decimals(score, left):
    assert policy.Lateness(1, Fraction("12.5"), "").apply(Fraction(score)) == Fraction(left)


def test_results_count_it_once_and_can_forget_it():
    results = {"score": 80.0, "output": "Found it.", "tests": [1], "extra_data": {"engine": "1"}}
    late = policy.lateness(DUE + timedelta(hours=1), RULE)
    once = policy.apply(results, late)
    assert once["score"] == 70.0
    assert once["output"].endswith("taken off. Without that it would be 80.\nFound it.")
    assert once["extra_data"]["late"]["earned"] == 80.0
    assert once["tests"] == [1]
    assert policy.apply(once, late) == once
    assert policy.apply(once, None) == results
    later = policy.apply(once, policy.lateness(DUE + timedelta(hours=25), RULE))
    assert later["score"] == 60.0
    assert later["output"].count("late") == 1
