"""What being late costs, and how many attempts there are."""

from datetime import datetime, timedelta, timezone
from fractions import Fraction

import pytest

from autograder import policy
from autograder.metadata import Previous
from autograder.policy import AttemptRule

DUE = datetime(2026, 10, 1, 23, 59, tzinfo=timezone(timedelta(hours=-4)))
SHOWN = {"visibility": "visible"}
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


@pytest.mark.parametrize(
    ("after", "why"),
    [
        (timedelta(minutes=20), "Handed in 20 min late: 1 day begun × 12.5 % = 12.5 % off"),
        (timedelta(hours=1), "Handed in 1 h late: 1 day begun × 12.5 % = 12.5 % off"),
        (timedelta(hours=3, minutes=5), "Handed in 3 h 5 min late: 1 day begun × 12.5 % = 12.5 % off"),
        (timedelta(days=1, hours=3, minutes=9), "Handed in 1 day 3 h late: 2 days begun × 12.5 % = 25 % off"),
        (timedelta(days=2, minutes=9), "Handed in 2 days 9 min late: 3 days begun × 12.5 % = 37.5 % off"),
        (timedelta(days=9), "Handed in 9 days late: 9 days begun × 12.5 %, at most 40 % = 40 % off"),
    ],
)
def test_it_says_how_it_was_computed(after, why):
    late = policy.lateness(DUE + after, RULE)
    assert late is not None
    assert late.why == why


def test_less_than_a_minute_without_a_grace():
    rule = policy.LateRule(DUE, 0, 10, 50)
    late = policy.lateness(DUE + timedelta(seconds=59), rule)
    assert late is not None
    assert late.why.startswith("Handed in less than a minute late: 1 day begun")


@pytest.mark.parametrize(("score", "left"), [("100", "87.5"), ("33.33", "29.16"), ("0.04", "0.04"), ("0", "0")])
def test_two_decimals(score, left):
    assert policy.Lateness(1, Fraction("12.5"), "").apply(Fraction(score)) == Fraction(left)


def test_results_count_it_once_and_can_forget_it():
    results = {"score": 80.0, "output": "Found it.\nGood.", "tests": [SHOWN], "extra_data": {"engine": "1"}}
    late = policy.lateness(DUE + timedelta(hours=1), RULE)
    once = policy.apply(results, late)
    assert once["score"] == 70.0
    assert once["output"] == ("Found it.\nHanded in 1 h late: 1 day begun × 12.5 % = 12.5 % off: 80.00 → 70.00.\nGood.")
    assert once["extra_data"]["late"]["earned"] == 80.0
    assert once["tests"] == [SHOWN]
    assert policy.apply(once, late) == once
    assert policy.apply(once, None) == results
    later = policy.apply(once, policy.lateness(DUE + timedelta(hours=25), RULE))
    assert later["score"] == 60.0
    assert later["output"].count("late") == 1


@pytest.mark.parametrize("visibility", ["hidden", "after_due_date", "after_published"])
def test_a_hidden_total_is_not_told(visibility):
    results = {"score": 80.0, "output": "Found it.", "tests": [SHOWN, {"visibility": visibility}]}
    late = policy.lateness(DUE + timedelta(hours=1), RULE)
    assert policy.apply(results, late)["output"] == (
        "Found it.\nHanded in 1 h late: 1 day begun × 12.5 % = 12.5 % off."
    )
    assert policy.budget(NOON, hours(1), rule(in_total=1)).refusal(shows_total=False) == (
        "Not graded: the only attempt is used. The score stays that of your last attempt that counts "
        "(2026-10-02 11:00)."
    )


# Whose date counts.


@pytest.mark.parametrize(
    ("base", "own", "due"),
    [
        (1, [], 1),
        (1, [None], 1),
        (1, [3], 3),
        (3, [1], 1),
        (1, [None, 3], 3),
        (3, [1, None], 3),
        (None, [2, None], 2),
        (None, [], None),
        (None, [None], None),
    ],
)
def test_the_latest_date_that_a_member_has(base, own, due):
    def date(day):
        return DUE + timedelta(days=day) if day else None

    assert policy.due(date(base), [date(day) for day in own]) == date(due)


# Attempts.

NOON = datetime(2026, 10, 2, 12, tzinfo=timezone(timedelta(hours=-4)))


def hours(*before, **fields):
    """Earlier submissions, so many hours before."""
    return [
        Previous(NOON - timedelta(hours=each), Fraction(80) + number, **fields) for number, each in enumerate(before)
    ]


def rule(per_day=None, in_total=None):
    return AttemptRule(per_day, in_total)


def test_the_first():
    budget = policy.budget(NOON, [], rule(2, 5))
    assert budget.used_up == ""
    assert budget.last is None
    assert budget.sentence(True) == "Attempt 1 of 2 on 2026-10-02, 1 of 5 in all."
    assert budget.sentence(False) == ("This attempt does not count. Used: 0 of 2 on 2026-10-02, 0 of 5 in all.")


def test_days_begin_at_midnight_of_the_courses_time_zone():
    earlier = [Previous(one.submitted.astimezone(timezone.utc), one.score) for one in hours(12.5, 11.5)]
    budget = policy.budget(NOON, earlier, rule(per_day=2))
    assert budget.sentence(True) == "Attempt 2 of 2 on 2026-10-02."
    assert (
        policy.budget(NOON, [*earlier, *hours(1)], rule(per_day=2)).used_up == "all 2 attempts of 2026-10-02 are used"
    )


def test_refused_for_the_day():
    budget = policy.budget(NOON, hours(30, 3, 2), rule(2, 9))
    assert budget.refusal(shows_total=True) == (
        "Not graded: all 2 attempts of 2026-10-02 are used. The score stays 82.00, that of your last attempt that "
        "counts (2026-10-02 10:00). The next attempt is possible on 2026-10-03."
    )


def test_refused_for_good():
    budget = policy.budget(NOON, hours(30), rule(2, 1))
    assert budget.refusal(shows_total=True) == (
        "Not graded: the only attempt is used. The score stays 80.00, that of your last attempt that counts "
        "(2026-10-01 06:00)."
    )


def test_a_fault_of_ours_does_not_count():
    assert policy.budget(NOON, hours(3, 2, failed=True), rule(per_day=1)).used_up == ""


def test_without_a_ledger_everything_counts():
    assert policy.budget(NOON, hours(3, 2), rule(per_day=2)).used_up != ""


def chain(*counted, carried=lambda extra: extra):
    """Submit again and again; return how each attempt was called, or refused."""
    previous: list[Previous] = []
    said = []
    for number, counts in enumerate(counted):
        submitted = NOON + timedelta(minutes=number)
        budget = policy.budget(submitted, previous, rule(in_total=3))
        if budget.used_up:
            counts = False
        said.append("refused" if budget.used_up else budget.sentence(counts).rstrip("."))
        extra = carried({"attempts": budget.ledger(counts)})
        # The platform hands out the results of the latest only.
        previous = [Previous(one.submitted, one.score) for one in previous]
        previous.append(Previous(submitted, Fraction(number), extra=extra))
    return said


def test_the_ledger_is_carried_along():
    assert chain(True, False, True, False, True, True, True) == [
        "Attempt 1 of 3 in all",
        "This attempt does not count. Used: 1 of 3 in all",
        "Attempt 2 of 3 in all",
        "This attempt does not count. Used: 2 of 3 in all",
        "Attempt 3 of 3 in all",
        "refused",
        "refused",
    ]


@pytest.mark.parametrize(
    "broken",
    [
        None,
        {},
        {"attempts": []},
        {"attempts": {"ledger": {"a": 1}}},
        {"attempts": {"ledger": [1, None, {}, {"created_at": "yesterday", "counts": False}]}},
        {"attempts": {"ledger": [{"created_at": NOON.isoformat(), "counts": "no"}]}},
    ],
)
def test_a_ledger_that_cannot_be_read_is_none(broken):
    assert chain(False, False, False, True, carried=lambda extra: broken)[-1] == "refused"


def test_two_notes_of_one_time():
    """The platform's own two differ below a second, and in the time zone."""
    one = Previous(NOON - timedelta(hours=1))
    ledger = [{"created_at": (one.submitted + timedelta(milliseconds=400)).isoformat(), "counts": False}]
    known = Previous(one.submitted.astimezone(timezone.utc), extra={"attempts": {"ledger": ledger}})
    assert policy.budget(NOON, [known], rule(in_total=1)).used_up == ""


def test_the_score_that_stays_is_of_the_last_that_counts():
    earlier = hours(5, 4, 3)
    ledger = [{"created_at": one.submitted.isoformat(), "counts": number < 2} for number, one in enumerate(earlier)]
    earlier[-1] = Previous(earlier[-1].submitted, Fraction(0), extra={"attempts": {"ledger": ledger}})
    last = policy.budget(NOON, earlier, rule(in_total=2)).last
    assert last is not None
    assert last.score == 81


def test_a_ledger_holds_this_one_too():
    (one,) = hours(1)
    assert policy.budget(NOON, [one], rule(per_day=3)).ledger(False) == {
        "ledger": [
            {"created_at": one.submitted.isoformat(), "counts": True},
            {"created_at": NOON.isoformat(), "counts": False},
        ]
    }


@pytest.mark.parametrize(("per_day", "in_total"), [(None, None), (1, None), (None, 1), (1, 1)])
def test_every_combination_of_limits(per_day, in_total):
    budget = policy.budget(NOON, hours(1), rule(per_day, in_total))
    assert bool(budget.used_up) == (per_day is not None or in_total is not None)
