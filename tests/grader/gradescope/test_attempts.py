"""What being late costs, and how many attempts there are."""

import time
from datetime import datetime, timedelta, timezone
from fractions import Fraction

import pytest

from autograder.core import late as late_rules
from autograder.core.extra import LateExtra, ResultsExtra, TestExtra
from autograder.core.results import Results, TestEntry
from autograder.core.sections import Attempts, Late
from autograder.gradescope import attempts
from autograder.gradescope.metadata import Previous

DUE = datetime(2026, 10, 1, 23, 59, tzinfo=timezone(timedelta(hours=-4)))
RULE = Late(grace_minutes=15, percent_per_day=12.5, at_most_percent=40)


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
    late = late_rules.lateness((DUE + after).astimezone(timezone.utc), DUE, RULE)
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
    late = late_rules.lateness(DUE + after, DUE, RULE)
    assert late is not None
    assert late.why == why


def test_less_than_a_minute_without_a_grace():
    rule = Late(grace_minutes=0, percent_per_day=10, at_most_percent=50)
    late = late_rules.lateness(DUE + timedelta(seconds=59), DUE, rule)
    assert late is not None
    assert late.why.startswith("Handed in less than a minute late: 1 day begun")


@pytest.mark.parametrize(("score", "left"), [("100", "87.5"), ("33.33", "29.16"), ("0.04", "0.04"), ("0", "0")])
def test_two_decimals(score, left):
    assert late_rules.Lateness(1, Fraction("12.5"), "").apply(Fraction(score)) == Fraction(left)


def graded_80(*visibilities):
    extra = TestExtra(test="test_add", outcome="passed")
    tests = tuple(
        TestEntry(number="1", name="add", score=80.0, max_score=80.0, extra_data=extra, visibility=visibility)
        for visibility in visibilities
    )
    return Results(
        total_points=None, score=80.0, output="Found it.\nGood.", tests=tests, extra_data=ResultsExtra(engine="1")
    )


def test_results_count_it_once_and_can_forget_it():
    results = graded_80("visible")
    late = late_rules.lateness(DUE + timedelta(hours=1), DUE, RULE)
    once = late_rules.apply(results, late)
    why = "Handed in 1 h late: 1 day begun × 12.5 % = 12.5 % off: 80.00 → 70.00."
    assert once.score == 70.0
    assert once.output == f"Found it.\n{why}\nGood."
    assert once.extra_data == ResultsExtra(engine="1", late=LateExtra(days=1, percent=12.5, earned=80.0, why=why))
    assert once.tests == results.tests
    assert late_rules.apply(once, late) == once
    assert late_rules.apply(once, None).to_json() == results.to_json()
    later = late_rules.apply(once, late_rules.lateness(DUE + timedelta(hours=25), DUE, RULE))
    assert later.score == 60.0
    assert later.output.count("late") == 1


@pytest.mark.parametrize("visibility", ["hidden", "after_due_date", "after_published"])
def test_a_hidden_total_is_not_told(visibility):
    late = late_rules.lateness(DUE + timedelta(hours=1), DUE, RULE)
    assert late_rules.apply(graded_80("visible", visibility), late).output == (
        "Found it.\nHanded in 1 h late: 1 day begun × 12.5 % = 12.5 % off.\nGood."
    )
    assert attempts.budget(NOON, hours(1), rule(in_total=1)).refusal(Fraction(80), shows_total=False) == (
        "Not graded: the only attempt is used. The score stays that of your best attempt that counts "
        "(2026-10-02 11:00)."
    )


# Whose date counts.


def date(day):
    return DUE + timedelta(days=day) if day else None


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
    assert late_rules.due(date(base), [date(day) for day in own]) == date(due)


@pytest.mark.parametrize(
    ("base", "own", "due"),
    [
        (None, [], 5),
        (1, [None], 5),
        (9, [None], 5),
        (1, [3], 5),
        (1, [None, 7], 7),
        (9, [7], 7),
        (None, [7], 5),
    ],
)
def test_the_courses_own_date_can_only_be_extended(base, own, due):
    """Where everybody's date is not known on the platform, nobody's is known to be an extension."""
    assert late_rules.due(date(base), [date(day) for day in own], date(5)) == date(due)


# Attempts.

NOON = datetime(2026, 10, 2, 12, tzinfo=timezone(timedelta(hours=-4)))


def hours(*before, **fields):
    """Earlier submissions, so many hours before."""
    return [
        Previous(NOON - timedelta(hours=each), Fraction(80) + number, **fields) for number, each in enumerate(before)
    ]


def rule(per_day=None, in_total=None):
    return Attempts(per_day=per_day, in_total=in_total)


def test_the_first():
    budget = attempts.budget(NOON, [], rule(2, 5))
    assert budget.used_up == ""
    assert budget.stays is None
    assert budget.sentence(True) == "Attempt 1 of 2 on 2026-10-02, 1 of 5 in all."
    assert budget.sentence(False) == ("This attempt does not count. Used: 0 of 2 on 2026-10-02, 0 of 5 in all.")


def test_days_begin_at_midnight_of_the_courses_time_zone():
    earlier = [Previous(one.submitted.astimezone(timezone.utc), one.score) for one in hours(12.5, 11.5)]
    budget = attempts.budget(NOON, earlier, rule(per_day=2))
    assert budget.sentence(True) == "Attempt 2 of 2 on 2026-10-02."
    assert (
        attempts.budget(NOON, [*earlier, *hours(1)], rule(per_day=2)).used_up == "all 2 attempts of 2026-10-02 are used"
    )


def test_refused_for_the_day():
    budget = attempts.budget(NOON, graded((-30 * 60, 70, True), (-180, 80, True), (-120, 82, True)), rule(2, 9))
    assert budget.refusal(Fraction(82), shows_total=True) == (
        "Not graded: all 2 attempts of 2026-10-02 are used. The score stays 82.00, that of your last attempt that "
        "counts (2026-10-02 10:00). The next attempt is possible on 2026-10-03."
    )


def test_refused_for_good():
    budget = attempts.budget(NOON, graded((-30 * 60, 80, True)), rule(2, 1))
    assert budget.refusal(Fraction(80), shows_total=True) == (
        "Not graded: the only attempt is used. The score stays 80.00, that of your last attempt that counts "
        "(2026-10-01 06:00)."
    )


def test_a_fault_of_ours_does_not_count():
    assert attempts.budget(NOON, hours(3, 2, failed=True), rule(per_day=1)).used_up == ""


def test_without_a_ledger_everything_counts_but_a_score_of_0():
    assert attempts.budget(NOON, hours(3, 2), rule(per_day=2)).used_up != ""
    assert attempts.budget(NOON, platform((-180, 90), (-120, 0)), rule(per_day=2)).used_up == ""


def platform(*others):
    """Other submissions as the platform lists them: minutes from this one, score, ledger."""
    return [
        Previous(
            NOON + timedelta(minutes=minutes),
            None if score is None else Fraction(score),
            extra={"attempts": {"ledger": ledger[0]}} if ledger else None,
        )
        for minutes, score, *ledger in others
    ]


def line(minutes, score, counts):
    return {"created_at": (NOON + timedelta(minutes=minutes)).isoformat(), "counts": counts, "score": score}


def graded(*lines):
    """Earlier submissions: minutes from this one, score, whether it counts. The latest has the ledger of all."""
    *others, last = platform(*((minutes, score) for minutes, score, _ in lines))
    return [
        *others,
        Previous(last.submitted, last.score, extra={"attempts": {"ledger": [line(*one) for one in lines]}}),
    ]


def kept(budget, counts, score):
    """What the platform is given to keep, as it gives it back."""
    return budget.ledger(counts, Fraction(score)).model_dump()["ledger"]


def test_what_is_being_graded_is_used_up():
    """Two uploads at once are no way around the limit, nor do they cost a score."""
    first = line(-60, 75, True)
    budget = attempts.budget(NOON, platform((-60, 75, [first]), (-1, None)), rule(in_total=2))
    assert budget.used_up == "all 2 attempts are used"
    assert budget.stays == attempts.Attempt(NOON - timedelta(hours=1), True, Fraction(75), True)
    assert kept(budget, False, 75) == [first, line(0, 75, False)]
    assert budget.for_staff() == [
        "it keeps the score of 2026-10-02 11:00; if the tests have changed since, rerun that one and activate it",
        "2026-10-02 11:59 may be an attempt that counts, too: if its grading came to more, activate that one",
    ]


def test_no_score_is_known_while_all_are_being_graded():
    budget = attempts.budget(NOON, platform((-2, None), (-1, None)), rule(in_total=2))
    assert budget.used_up != ""
    assert budget.stays is None


def test_without_a_ledger_the_best_score_stays():
    budget = attempts.budget(NOON, platform((-9, 40), (-6, 90), (-5, 60), (-1, None)), rule(in_total=2))
    assert budget.stays is not None
    assert budget.stays.score == 90
    assert "The score stays 90.00, that of your best attempt that counts (2026-10-02 11:54)." in budget.refusal(
        Fraction(90), shows_total=True
    )
    assert budget.for_staff()[1:] == [
        "no ledger says that 2026-10-02 11:54 counts: it has the best score of those that may"
    ]


def test_an_attempt_that_no_ledger_saw_ending_may_have_got_more():
    """It was being graded when the refused one came in, whose ledger is the latest."""
    earlier = platform((-60, 50), (-50, 95), (-49, 50, [line(-60, 50, True), line(-49, 50, False)]))
    budget = attempts.budget(NOON, earlier, rule(in_total=1))
    assert budget.stays is not None
    assert budget.stays.score == 95
    assert budget.for_staff()[1:] == [
        "no ledger says that 2026-10-02 11:10 counts: it has the best score of those that may"
    ]


def test_a_lost_ledger_costs_nothing():
    """A: 90. B: a syntax error. C: a fault of ours, which loses the ledger. D is graded, or keeps the 90."""
    earlier = [*platform((-60, 90), (-50, 0)), Previous(NOON - timedelta(minutes=40), Fraction(0), failed=True)]
    assert attempts.budget(NOON, earlier, rule(in_total=2)).sentence(True) == "Attempt 2 of 2 in all."
    refused = attempts.budget(NOON, earlier, rule(in_total=1))
    assert refused.used_up == "the only attempt is used"
    assert refused.stays is not None
    assert refused.stays.score == 90
    assert kept(refused, False, 90) == [line(0, 90, False)]  # nothing that is not known


def test_the_ledgers_score_stays_whatever_the_platform_says():
    earlier = platform((-60, 12), (-50, 12, [line(-60, 75, True), line(-50, 12, False)]))
    stays = attempts.budget(NOON, earlier, rule(in_total=1)).stays
    assert stays is not None
    assert stays.score == 75


def test_a_ledger_without_scores():
    ledger = [{"created_at": line(-60, 0, True)["created_at"], "counts": True}]
    budget = attempts.budget(NOON, platform((-60, 75, ledger)), rule(in_total=1))
    assert budget.stays is not None
    assert budget.stays.score == 75
    assert budget.stays.confirmed
    assert kept(budget, False, 75)[0]["score"] is None


# Old submissions, run again.


def test_run_again_a_submission_is_not_before_itself():
    seconds = -0.4 / 60
    budget = attempts.budget(NOON, platform((-60, 0), (seconds, 80, [line(0, 80, True)])), rule(in_total=1))
    assert budget.sentence(True) == "Attempt 1 of 1 in all."
    assert kept(budget, True, 85) == [line(0, 85, True)]


def test_run_again_it_reads_later_ledgers():
    ledger = [line(-60, 40, False), line(0, 80, True), line(60, 80, False)]
    budget = attempts.budget(NOON, platform((-60, 40), (60, 80, ledger)), rule(in_total=1))
    assert budget.sentence(True) == "Attempt 1 of 1 in all."
    assert kept(budget, True, 81) == [line(-60, 40, False), line(0, 81, True)]


def test_the_latest_word_counts():
    """An earlier attempt was run again, and its last ledger says something else of it."""
    earlier = platform((-60, 40, [line(-60, 40, False)]), (-50, 50, [line(-60, 40, True), line(-50, 50, True)]))
    assert attempts.budget(NOON, earlier, rule(in_total=2)).used_up != ""


def chain(*counted, carried=lambda extra: extra):
    """Submit again and again; return how each attempt was called, or refused."""
    previous: list[Previous] = []
    said = []
    for number, counts in enumerate(counted):
        submitted = NOON + timedelta(minutes=number)
        budget = attempts.budget(submitted, previous, rule(in_total=3))
        if budget.used_up:
            counts = False
        said.append("refused" if budget.used_up else budget.sentence(counts).rstrip("."))
        extra = carried({"attempts": {"ledger": kept(budget, counts, number)}})
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
    """The first attempt has the score 0, which nobody is charged for."""
    assert chain(False, False, False, False, True, carried=lambda extra: broken)[-1] == "refused"


def test_two_notes_of_one_time():
    """The platform's own two differ below a second, and in the time zone."""
    one = Previous(NOON - timedelta(hours=1))
    ledger = [{"created_at": (one.submitted + timedelta(milliseconds=400)).isoformat(), "counts": False}]
    known = Previous(one.submitted.astimezone(timezone.utc), extra={"attempts": {"ledger": ledger}})
    assert attempts.budget(NOON, [known], rule(in_total=1)).used_up == ""


def test_each_submission_has_the_line_nearest_to_it():
    """A syntax error right after an attempt does not erase that, nor the other way round."""
    half = 0.5 / 60
    for counts in ([True, False], [False, True]):
        lines = [line(-60, 50, counts[0]), line(-60 + half, 60, counts[1])]
        others = platform((-60.0, 50), (-60 + half * 1.2, 60, lines))
        budget = attempts.budget(NOON, others, rule(in_total=2))
        assert [one.counts for one in budget.earlier] == counts


def test_a_line_belongs_to_one_submission():
    """The first of two was being graded while the second, a syntax error, was."""
    others = platform((-60.0, 50), (-60 + 0.5 / 60, 0, [line(-60 + 0.5 / 60, 0, False)]))
    assert [one.counts for one in attempts.budget(NOON, others, rule(in_total=2)).earlier] == [True, False]


def test_the_score_that_stays_is_of_the_last_that_counts():
    stays = attempts.budget(NOON, graded((-5, 82, True), (-4, 81, True), (-3, 99, False)), rule(in_total=2)).stays
    assert stays is not None
    assert stays.score == 81


def test_a_ledger_holds_what_is_known_and_this_one():
    """Of the one in between nothing is known."""
    others = platform((-60, 80, [line(-60, 80, True)]), (-30, 90))
    budget = attempts.budget(NOON, others, rule(per_day=3))
    assert kept(budget, False, "12.5") == [line(-60, 80, True), line(0, 12.5, False)]


def test_the_clock_is_put_back():
    """Half past midnight in summer time is the same day as noon in winter time."""
    summer, winter = timezone(timedelta(hours=-4)), timezone(timedelta(hours=-5))
    night = Previous(datetime(2026, 11, 1, 0, 30, tzinfo=summer), Fraction(70))
    budget = attempts.budget(datetime(2026, 11, 1, 12, tzinfo=winter), [night], rule(per_day=1))
    assert budget.used_up == "the only attempt of 2026-11-01 is used"
    assert "(2026-11-01 00:30)" in budget.refusal(Fraction(70), shows_total=True)


def test_a_long_history_takes_no_time():
    many = 20_000
    lines = [line(number - many, 50, False) for number in range(many)]
    others = [*platform(*((number - many, 50) for number in range(many - 1))), *platform((-1, 50, lines))]
    started = time.process_time()
    assert attempts.budget(NOON, others, rule(in_total=5)).used_up == ""
    assert time.process_time() - started < 5


@pytest.mark.parametrize(("per_day", "in_total"), [(1, None), (None, 1), (1, 1)])
def test_every_combination_of_limits(per_day, in_total):
    assert attempts.budget(NOON, hours(1), rule(per_day, in_total)).used_up
