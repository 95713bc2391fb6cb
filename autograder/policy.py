"""What handing in late costs, and how many attempts there are.

Counted from when the platform received what, never from the clock. Pure: times and the course's rules in; a share of
the score, or a count, and the sentences for the student out. It must not know: files, processes, what tests are.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

from autograder.metadata import Previous, moment

DAY = timedelta(days=1)
_ROUNDING = 100  # scores keep two decimals, as those of tests do
_SAME = timedelta(seconds=1)
"""How far the platform's two notes of one time may lie apart."""


# --- Late ------------------------------------------------------------------------------------------------------------


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
        How that was computed, for the student: all of a sentence but the scores.
    """

    days: int
    percent: Fraction
    why: str

    def apply(self, score: Fraction) -> Fraction:
        """Return what is left of `score`, rounded to two decimals, halves up."""
        left = score * (100 - self.percent) / 100
        return Fraction(math.floor(left * _ROUNDING + Fraction(1, 2)), _ROUNDING)


def due(base: datetime | None, own: Sequence[datetime | None]) -> datetime | None:
    """Return when a submission is due: by the latest date that any member of the group has.

    Parameters
    ----------
    base : datetime or None
        For everybody.
    own : sequence of datetime or None
        Of each member, where it is not that one.
    """
    dates = [date or base for date in own or [None]]
    return max((date for date in dates if date is not None), default=None)


def lateness(submitted: datetime, rule: LateRule) -> Lateness | None:
    """Return what being late costs, None if it was in time."""
    over = submitted - rule.due
    if over <= timedelta(minutes=rule.grace_minutes):
        return None
    days = -(-over // DAY)
    percent = min(days * Fraction(repr(rule.percent_per_day)), Fraction(repr(rule.at_most_percent)))
    how = f"{_counted(days, 'day')} begun × {rule.percent_per_day:g} %"
    how += "" if percent == days * Fraction(repr(rule.percent_per_day)) else f", at most {rule.at_most_percent:g} %"
    return Lateness(days, percent, f"Handed in {_duration(over)} late: {how} = {float(percent):g} % off")


def apply(results: Mapping[str, Any], late: Lateness | None) -> dict[str, Any]:
    """Return `results`, as in ``results.json``, with lateness counted once, whatever had been counted before."""
    extra = dict(results.get("extra_data", {}))
    before = extra.pop("late", None)
    output = str(results.get("output", ""))
    score = Fraction(repr(results["score"]))
    if before:
        output = output.replace(f"\n{before['why']}", "", 1)
        score = Fraction(repr(before["earned"]))
    if late is None:
        return {**results, "score": float(score), "output": output, "extra_data": extra}
    left = late.apply(score)
    why = late.why + (f": {float(score):.2f} → {float(left):.2f}." if shows_total(results.get("tests", ())) else ".")
    extra["late"] = {"days": late.days, "percent": float(late.percent), "earned": float(score), "why": why}
    return {**results, "score": float(left), "output": below_the_first_line(output, why), "extra_data": extra}


def shows_total(tests: Iterable[Mapping[str, Any]]) -> bool:
    """Whether a student may see the score: the platform hides it as long as it hides any test."""
    return all(test.get("visibility", "visible") == "visible" for test in tests)


def below_the_first_line(output: str, line: str) -> str:
    """Put a line below the first one, which says what was found in the submission."""
    first, *rest = output.split("\n")
    return "\n".join([first, line, *rest])


def _duration(span: timedelta) -> str:
    """Say how long: the two largest units, rounded down."""
    minutes = span // timedelta(minutes=1)
    days, hours = divmod(minutes // 60, 24)
    units = [f"{_counted(days, 'day')}" * bool(days), f"{hours} h" * bool(hours), f"{minutes % 60} min"]
    said = [unit for unit in units if unit and not unit.startswith("0 ")]
    return " ".join(said[:2]) or "less than a minute"


def _counted(number: int, unit: str) -> str:
    return f"{number} {unit}{'s' * (number != 1)}"


# --- Attempts --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class AttemptRule:
    """How often one may submit; None where there is no limit."""

    per_day: int | None
    in_total: int | None


@dataclass(frozen=True)
class Budget:
    """Where one submission stands.

    Attributes
    ----------
    rule : AttemptRule
    submitted : datetime
    earlier : tuple of (Previous, bool)
        What came before, and whether it counts.
    """

    rule: AttemptRule
    submitted: datetime
    earlier: tuple[tuple[Previous, bool], ...]

    @property
    def last(self) -> Previous | None:
        """The last attempt that counts."""
        return next((one for one, counts in reversed(self.earlier) if counts), None)

    @property
    def used_up(self) -> str:
        """Which limit allows no attempt more, in words; empty where none does."""
        if self.rule.in_total is not None and self._in_total >= self.rule.in_total:
            return f"{_all(self.rule.in_total)} used"
        if self.rule.per_day is not None and self._today >= self.rule.per_day:
            return f"{_all(self.rule.per_day, f' of {self._day}')} used"
        return ""

    def sentence(self, counts: bool) -> str:
        """Say where the student stands after this submission, which counts or does not."""
        one = int(counts)
        used = [f"{self._today + one} of {self.rule.per_day} on {self._day}"] * (self.rule.per_day is not None)
        used += [f"{self._in_total + one} of {self.rule.in_total} in all"] * (self.rule.in_total is not None)
        if counts:
            return f"Attempt {', '.join(used)}."
        return f"This attempt does not count. Used: {', '.join(used)}."

    def refusal(self, shows_total: bool) -> str:
        """Say why this submission is not graded, which score stays, and when one may try again."""
        assert self.last is not None
        score = f" {float(self.last.score or 0):.2f}," * shows_total
        when = self._local(self.last.submitted)
        text = f"Not graded: {self.used_up}. The score stays{score} that of your last attempt that counts "
        text += f"({when:%Y-%m-%d %H:%M})."
        if self.rule.in_total is None or self._in_total < self.rule.in_total:
            text += f" The next attempt is possible on {self._local(self.submitted) + DAY:%Y-%m-%d}."
        return text

    def ledger(self, counts: bool) -> dict[str, Any]:
        """Return what the next submission has to know, this one included."""
        times = [*(one.submitted for one, _ in self.earlier), self.submitted]
        known = [*(each for _, each in self.earlier), counts]
        lines = [{"created_at": time.isoformat(), "counts": each} for time, each in zip(times, known, strict=True)]
        return {"ledger": lines}

    @property
    def _day(self) -> str:
        return f"{self.submitted:%Y-%m-%d}"

    @property
    def _today(self) -> int:
        day = self.submitted.date()
        return sum(counts and self._local(one.submitted).date() == day for one, counts in self.earlier)

    @property
    def _in_total(self) -> int:
        return sum(counts for _, counts in self.earlier)

    def _local(self, time: datetime) -> datetime:
        """Return a time in the course's time zone, which is that of the platform's note of this submission."""
        return time.astimezone(self.submitted.tzinfo)


def budget(submitted: datetime, previous: Sequence[Previous], rule: AttemptRule) -> Budget:
    """Count the attempts before this one.

    One on which the autograder failed does not count, nor does one of which the ledger says so; every other does.

    Parameters
    ----------
    previous : sequence of Previous
        Oldest first. The ledger is in the ``extra_data`` of the latest, and lost where that one failed.
    """
    known: list[tuple[datetime, bool]] = []
    for one in previous:
        known += _known(one.extra)
    return Budget(rule, submitted, tuple((one, _counts(one, known)) for one in previous))


def _all(count: int, when: str = "") -> str:
    return f"the only attempt{when} is" if count == 1 else f"all {count} attempts{when} are"


def _known(extra: Mapping[str, Any] | None) -> list[tuple[datetime, bool]]:
    """Return the lines of a ledger that can be read."""
    attempts = (extra or {}).get("attempts")
    lines = attempts.get("ledger") if isinstance(attempts, dict) else None
    found = []
    for line in lines if isinstance(lines, list) else []:
        time = moment(line.get("created_at")) if isinstance(line, dict) else None
        if time is not None and isinstance(line.get("counts"), bool):
            found.append((time, line["counts"]))
    return found


def _counts(one: Previous, known: Sequence[tuple[datetime, bool]]) -> bool:
    if one.failed:
        return False
    # The latest word on it; two notes of one time may differ in what lies below a second.
    return next((counts for time, counts in reversed(known) if abs(time - one.submitted) <= _SAME), True)
