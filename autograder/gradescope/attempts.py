"""How many attempts a student has left, and what happens to a submission beyond the limit.

Uses the platform's submission times, never the current time. From the earlier submissions and the course's rule it
computes a count, and the sentences that the student reads.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

from autograder.core.extra import AttemptsExtra, LedgerLine
from autograder.core.sections import Attempts
from autograder.core.tables import moment
from autograder.gradescope.metadata import Previous, amount

DAY = timedelta(days=1)
_SAME = timedelta(seconds=1)
"""How much two records of the same time on the platform may differ."""


@dataclass(frozen=True)
class LedgerEntry:
    """What a ledger says about one attempt.

    Attributes
    ----------
    submitted : datetime
    counts : bool
    score : Fraction or None
        What the student got; None in a ledger of an older version.
    """

    submitted: datetime
    counts: bool
    score: Fraction | None

    def kept(self) -> LedgerLine:
        """Return this line as it is written into ``extra_data``."""
        score = None if self.score is None else float(self.score)
        return LedgerLine(created_at=self.submitted.isoformat(), counts=self.counts, score=score)


@dataclass(frozen=True)
class Attempt:
    """One earlier submission.

    Attributes
    ----------
    submitted : datetime
    counts : bool
    score : Fraction or None
        None if it is not known, for example while it is being graded.
    confirmed : bool
        Whether a line of the ledger says so; otherwise `counts` and `score` are guesses.
    """

    submitted: datetime
    counts: bool
    score: Fraction | None
    confirmed: bool


@dataclass(frozen=True)
class Budget:
    """One submission, the attempts before it, and the rule: how many attempts are left.

    Attributes
    ----------
    rule : Attempts
    submitted : datetime
    earlier : tuple of Attempt
        Oldest first.
    lines : tuple of LedgerEntry
        All known lines of the ledger, to be passed on.
    """

    rule: Attempts
    submitted: datetime
    earlier: tuple[Attempt, ...] = ()
    lines: tuple[LedgerEntry, ...] = ()

    @property
    def stays(self) -> Attempt | None:
        """The attempt whose score stays if this one is refused.

        It is the last attempt that certainly counts, unless a later one that may count got more. If no attempt
        certainly counts, it is the best of those that may. None if no score is known.
        """
        scored = [one for one in self.earlier if one.counts and one.score is not None]
        last = max((number for number, one in enumerate(scored) if one.confirmed), default=0)
        return max(scored[last:], key=lambda one: one.score or 0, default=None)

    @property
    def used_up(self) -> str:
        """Which limit is used up, in words; empty if none is."""
        if self.rule.in_total is not None and self._in_total >= self.rule.in_total:
            return f"{_all(self.rule.in_total)} used"
        if self.rule.per_day is not None and self._today >= self.rule.per_day:
            return f"{_all(self.rule.per_day, f' of {self._day}')} used"
        return ""

    def sentence(self, counts: bool) -> str:
        """Say how many attempts are left after this submission, which counts or does not."""
        one = int(counts)
        used = [f"{self._today + one} of {self.rule.per_day} on {self._day}"] * (self.rule.per_day is not None)
        used += [f"{self._in_total + one} of {self.rule.in_total} in all"] * (self.rule.in_total is not None)
        if counts:
            return f"Attempt {', '.join(used)}."
        return f"This attempt does not count. Used: {', '.join(used)}."

    def refusal(self, kept: Fraction, shows_total: bool) -> str:
        """Say why this submission is not graded, which score stays, and when the student may submit again."""
        assert self.stays is not None
        score = f" {float(kept):.2f}," * shows_total
        which = "last" if self.stays.confirmed else "best"
        text = f"Not graded: {self.used_up}. The score stays{score} that of your {which} attempt that counts "
        text += f"({self._minute(self.stays)})."
        if self.rule.in_total is None or self._in_total < self.rule.in_total:
            text += f" The next attempt is possible on {self.submitted + DAY:%Y-%m-%d}."
        return text

    def for_staff(self) -> list[str]:
        """Say which earlier score stays when a submission is refused, and whether that is a guess."""
        assert self.stays is not None
        when = self._minute(self.stays)
        notes = [f"it keeps the score of {when}; if the tests have changed since, rerun that one and activate it"]
        later = [one for one in self.earlier if one.counts and one.submitted > self.stays.submitted]
        if not self.stays.confirmed:
            notes.append(f"no ledger says that {when} counts: it has the best score of those that may")
        elif later:
            when = " and ".join(self._minute(one) for one in later)
            notes.append(f"{when} may be an attempt that counts, too: if its grading came to more, activate that one")
        return notes

    def ledger(self, counts: bool, score: Fraction) -> AttemptsExtra:
        """Return the ledger for the next submission, this one included; it contains no guesses."""
        return AttemptsExtra(ledger=[line.kept() for line in (*self.lines, LedgerEntry(self.submitted, counts, score))])

    @property
    def _day(self) -> str:
        return f"{self.submitted:%Y-%m-%d}"

    @property
    def _today(self) -> int:
        day = self.submitted.date()
        return sum(one.counts and self._local(one.submitted).date() == day for one in self.earlier)

    @property
    def _in_total(self) -> int:
        return sum(one.counts for one in self.earlier)

    def _minute(self, one: Attempt) -> str:
        return f"{self._local(one.submitted):%Y-%m-%d %H:%M}"

    def _local(self, time: datetime) -> datetime:
        """Return a time in the course's time zone: the platform's own zone, unless that is UTC."""
        return time if time.utcoffset() else time.astimezone(self.submitted.tzinfo)


def budget(submitted: datetime, others: Sequence[Previous], rule: Attempts) -> Budget:
    """Count the attempts before this one.

    A submission on which the autograder failed does not count. For the others a ledger says whether they count. A
    submission without a line in any ledger counts if its score is not 0, or not known yet.

    Parameters
    ----------
    others : sequence of Previous
        Oldest first. The ``extra_data`` of each may hold a ledger; the platform passes on only a few, and none of a
        failed submission. If this submission is run again, it and later ones may be in the list: they are no earlier
        attempts, but their ledgers are used.
    """
    # the latest line about each attempt
    known = {line.submitted: line for one in others for line in _ledger(one.extra)}
    before = [
        (one, line)
        for one, line in zip(others, _assigned(others, known.values()), strict=True)
        if one.submitted < submitted and (line is None or line.submitted != submitted)
    ]
    lines = sorted((line for line in known.values() if line.submitted < submitted), key=lambda line: line.submitted)
    return Budget(rule, submitted, tuple(_attempt(one, line) for one, line in before), tuple(lines))


def _attempt(one: Previous, line: LedgerEntry | None) -> Attempt:
    if one.failed:
        return Attempt(one.submitted, False, None, False)
    if line is None:
        return Attempt(one.submitted, one.score != 0, one.score, False)
    return Attempt(one.submitted, line.counts, one.score if line.score is None else line.score, True)


def _all(count: int, when: str = "") -> str:
    return f"the only attempt{when} is" if count == 1 else f"all {count} attempts{when} are"


def _ledger(extra: Mapping[str, Any] | None) -> Iterator[LedgerEntry]:
    """Yield the readable lines of a ledger."""
    attempts = (extra or {}).get("attempts")
    lines = attempts.get("ledger") if isinstance(attempts, dict) else None
    for line in lines if isinstance(lines, list) else []:
        time = moment(line.get("created_at")) if isinstance(line, dict) else None
        if time is not None and isinstance(line.get("counts"), bool):
            yield LedgerEntry(time, line["counts"], amount(line.get("score")))


def _assigned(others: Sequence[Previous], lines: Iterable[LedgerEntry]) -> list[LedgerEntry | None]:
    """Return each submission's line, the nearest in time: the platform may round times to the second."""
    times = [one.submitted for one in others]
    found: list[LedgerEntry | None] = [None] * len(times)

    def off(line: LedgerEntry, at: int) -> timedelta:
        return abs(line.submitted - times[at])

    for line in lines:
        after = bisect(times, line.submitted)
        near = [(off(line, at), at) for at in (after - 1, after) if 0 <= at < len(times)]
        distance, at = min(near, default=(DAY, 0))
        if distance <= _SAME:
            rival = found[at]
            found[at] = line if rival is None or distance < off(rival, at) else rival
    return found
