"""config.yaml: what late work costs, how often one may submit, how long grading may take."""

import pytest

from tests.grader.support.configs import load, refused

# What late work costs.

LATE = """late:
  due: 2026-10-01 23:59:00 -04:00
  grace_minutes: 15
  percent_per_day: 12.5
  at_most_percent: 50
tests:
"""


def test_late_work(homework):
    assert load(homework).late is None
    late = load(homework, ("tests:\n", LATE)).late
    assert late is not None
    assert late.due.isoformat() == "2026-10-01T23:59:00-04:00"
    assert (late.grace_minutes, late.percent_per_day, late.at_most_percent) == (15, 12.5, 50)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ((" -04:00", ""), "late.due: got 2026-10-01 23:59:00, but should end in a time zone, like "),
        (("2026-10-01 23:59:00 -04:00", "5"), "late.due: got 5, but should be a day, a time and a time zone, like "),
        (("percent: 50", "percent: 101"), "late.at_most_percent: got 101, but should be less than or equal to 100."),
        (("  grace_minutes: 15\n", ""), "late.grace_minutes: is missing."),
        (("grace_minutes", "grace"), "late.grace: no such key. "),
    ],
)
def test_late_work_that_does_not_fit(homework, change, problem):
    first, *_ = refused(homework, ("tests:\n", LATE.replace(*change)))
    assert first.startswith(f"config.yaml: {problem}")


def test_late_work_may_leave_the_date_to_gradescope(homework):
    late = load(homework, ("tests:\n", LATE.replace("  due: 2026-10-01 23:59:00 -04:00\n", ""))).late
    assert late is not None
    assert late.due is None


# How often one may submit.


@pytest.mark.parametrize(
    ("section", "per_day", "in_total"),
    [("{per_day: 5}", 5, None), ("{in_total: 30}", None, 30), ("{per_day: 5, in_total: 30}", 5, 30)],
)
def test_attempts(homework, section, per_day, in_total):
    assert load(homework).attempts is None
    attempts = load(homework, ("tests:\n", f"attempts: {section}\ntests:\n")).attempts
    assert attempts is not None
    assert (attempts.per_day, attempts.in_total) == (per_day, in_total)


@pytest.mark.parametrize(
    ("section", "problem"),
    [
        ("{}", "attempts: got no keys, but should have per_day, in_total or both. Correct the value."),
        ("{per_week: 3}", "attempts.per_week: no such key. Known are per_day, in_total."),
        ("{per_day: 0}", "attempts.per_day: got 0, but should be greater than 0. Correct the value."),
        ("{per_day: 2.5}", "attempts.per_day: got 2.5, but should be a whole number. Correct the value."),
    ],
)
def test_attempts_that_do_not_fit(homework, section, problem):
    first, *_ = refused(homework, ("tests:\n", f"attempts: {section}\ntests:\n"))
    assert first == f"config.yaml: {problem}"


@pytest.mark.parametrize(("seconds", "fits"), [("539", True), ("540", False), ("600", False)])
def test_a_submission_must_end_before_the_platform_ends_it(homework, seconds, fits):
    change = ("submission_seconds: 60", f"submission_seconds: {seconds}")
    if fits:
        assert load(homework, change).limits.platform_minutes == 10
    else:
        assert refused(homework, change) == [
            f"config.yaml: limits.submission_seconds: got {seconds}, but should be less than 540: 90 % of "
            "limits.platform_minutes. Lower it, or have Gradescope allow more minutes and write them here."
        ]
