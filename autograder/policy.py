"""What handing in late costs, from when the platform received it, never from the clock.

Pure: a time and the course's rule in, a share of the score out. It must not know: files, processes, what tests are.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

DAY = timedelta(days=1)
_ROUNDING = 100  # scores keep two decimals, as those of tests do


@dataclass(frozen=True)
class LateRule:
    """A course's rule, as config.yaml has it.

    Attributes
    ----------
    due : datetime
        With a time zone.
    grace_minutes : float
        Up to this late is on time.
    percent_per_day : float
        What every day that has begun since `due` takes off the score.
    at_most_percent : float
        The most that lateness takes off.
    """

    due: datetime
    grace_minutes: float
    percent_per_day: float
    at_most_percent: float


@dataclass(frozen=True)
class Lateness:
    """What being late costs one submission.

    Attributes
    ----------
    days : int
        Begun since it was due; 0 where staff decided otherwise.
    percent : Fraction
        Taken off the score.
    why : str
        One sentence for the student.
    """

    days: int
    percent: Fraction
    why: str

    def apply(self, score: Fraction) -> Fraction:
        """Return what is left of `score`, rounded to two decimals, halves up."""
        left = score * (100 - self.percent) / 100
        return Fraction(math.floor(left * _ROUNDING + Fraction(1, 2)), _ROUNDING)


def lateness(submitted: datetime, rule: LateRule) -> Lateness | None:
    """Return what being late costs, None if it was in time."""
    over = submitted - rule.due
    if over <= timedelta(minutes=rule.grace_minutes):
        return None
    days = -(-over // DAY)
    percent = min(days * Fraction(repr(rule.percent_per_day)), Fraction(repr(rule.at_most_percent)))
    late = f"{days} day{'s' * (days != 1)} late"
    each = f"{rule.percent_per_day:g} % for each day that has begun, at most {rule.at_most_percent:g} %"
    return Lateness(days, percent, f"Handed in {late} ({each}): {float(percent):g} % of the score are taken off.")


def apply(results: dict[str, Any], late: Lateness | None) -> dict[str, Any]:
    """Return `results`, as in ``results.json``, with lateness counted once, whatever had been counted before."""
    extra = dict(results.get("extra_data", {}))
    before = extra.pop("late", None)
    output = str(results.get("output", ""))
    score = Fraction(repr(results["score"]))
    if before:
        output = output.removeprefix(f"{before['why']}\n")
        score = Fraction(repr(before["earned"]))
    if late is None:
        return {**results, "score": float(score), "output": output, "extra_data": extra}
    why = f"{late.why} Without that it would be {float(score):g}."
    extra["late"] = {"days": late.days, "percent": float(late.percent), "earned": float(score), "why": why}
    return {**results, "score": float(late.apply(score)), "output": f"{why}\n{output}", "extra_data": extra}
