"""What handing in late costs.

Uses the platform's submission times, never the current time. From these and the course's rule it computes the share of
the score that is lost, and the sentences that the student reads.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction

from autograder.core.extra import LateExtra, ResultsExtra
from autograder.core.results import Results
from autograder.core.sections import Late

DAY = timedelta(days=1)
_ROUNDING = 100  # scores have two decimals, as the scores of tests have


@dataclass(frozen=True)
class Lateness:
    """What being late costs one submission.

    Attributes
    ----------
    days : int
        Days that have begun since the due date; 0 when staff decided otherwise.
    percent : Fraction
        Taken off the score.
    why : str
        How that was computed, for the student: a sentence without the scores.
    """

    days: int
    percent: Fraction
    why: str

    def apply(self, score: Fraction) -> Fraction:
        """Return what is left of `score`, rounded to two decimals, halves up."""
        left = score * (100 - self.percent) / 100
        return Fraction(math.floor(left * _ROUNDING + Fraction(1, 2)), _ROUNDING)


def due(base: datetime | None, own: Sequence[datetime | None], course: datetime | None = None) -> datetime | None:
    """Return when a submission is due: the latest date that any member of the group has.

    Parameters
    ----------
    base : datetime or None
        The platform's due date for everybody.
    own : sequence of datetime or None
        The due date of each member who has another one.
    course : datetime, optional
        The due date in config.yaml; it replaces `base`. A member's own date is then an extension only if it differs
        from `base`, and it counts only if it is later.
    """
    if course is not None:
        return max([course, *(date for date in own if date is not None and base is not None)])
    dates = [date or base for date in own or [None]]
    return max((date for date in dates if date is not None), default=None)


def lateness(submitted: datetime, due: datetime, rule: Late) -> Lateness | None:
    """Return what handing in after `due` costs; None if it was on time."""
    over = submitted - due
    if over <= timedelta(minutes=rule.grace_minutes):
        return None
    days = -(-over // DAY)
    percent = min(days * Fraction(repr(rule.percent_per_day)), Fraction(repr(rule.at_most_percent)))
    how = f"{_counted(days, 'day')} begun × {rule.percent_per_day:g} %"
    how += "" if percent == days * Fraction(repr(rule.percent_per_day)) else f", at most {rule.at_most_percent:g} %"
    return Lateness(days, percent, f"Handed in {_duration(over)} late: {how} = {float(percent):g} % off")


def apply(results: Results, late: Lateness | None) -> Results:
    """Return `results` with lateness counted once; an earlier reduction for lateness is undone first."""
    extra = results.extra_data.given()
    before: LateExtra | None = extra.pop("late", None)
    if before is not None:
        output = results.output.replace(f"\n{before.why}", "", 1)
        results = results.changed(score=before.earned, output=output, extra_data=ResultsExtra(**extra))
    if late is None:
        return results
    left = late.apply(Fraction(repr(results.score)))
    why = late.why + (f": {results.score:.2f} → {float(left):.2f}." if results.shows_total else ".")
    extra["late"] = LateExtra(days=late.days, percent=float(late.percent), earned=results.score, why=why)
    return results.changed(score=float(left), extra_data=ResultsExtra(**extra)).telling(why)


def _duration(span: timedelta) -> str:
    """Return a duration in words: the two largest units, rounded down."""
    minutes = span // timedelta(minutes=1)
    days, hours = divmod(minutes // 60, 24)
    units = [f"{_counted(days, 'day')}" * bool(days), f"{hours} h" * bool(hours), f"{minutes % 60} min"]
    said = [unit for unit in units if unit and not unit.startswith("0 ")]
    return " ".join(said[:2]) or "less than a minute"


def _counted(number: int, unit: str) -> str:
    return f"{number} {unit}{'s' * (number != 1)}"
