"""Applies the decisions of staff: reads overrides.csv, and lists every decision without an effect, with its line.

This module does not know how grading works, or which tables are written.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from autograder.core import late as late_rules
from autograder.core import tables
from autograder.core.extra import DecisionExtra, ResultsExtra, TestExtra
from autograder.core.late import Lateness
from autograder.core.results import OUTPUT_LIMIT, Results, TestEntry
from autograder.core.tables import number
from autograder.core.text import printable
from autograder.intake.handins import HandIn
from autograder.intake.roster import Person

TOTAL, LATE = "total", "late"
"""What an override may change, beside a test: the final score, and the percent that lateness takes off."""

MOST = Fraction(100_000)
"""The most points that staff may give if config.yaml lets them exceed the total."""


@dataclass(frozen=True)
class Override:
    """One decision: a line of overrides.csv."""

    submission: str
    test: str
    score: Fraction
    reason: str
    line: int = 0

    def __str__(self) -> str:
        """Return the text for a table's cell."""
        return f"{self.test} = {number(self.score)}: {self.reason}"


def read(path: Path, points: Mapping[str, Fraction], above_total: bool = False) -> list[Override]:
    """Read staff's decisions.

    Parameters
    ----------
    path : Path
        A table with the columns submission, test, score, reason.
    points : mapping of str to Fraction
        The points that every test is worth.
    above_total : bool
        Whether the final score may exceed all of them together.

    Raises
    ------
    ConfigurationError
        If a line names no test, has an impossible score, gives no reason, or decides the same as another line.
    """
    found: dict[tuple[str, str], Override] = {}
    total = sum(points.values(), Fraction())
    most = {**points, TOTAL: MOST if above_total else total, LATE: Fraction(100)}
    columns = ("submission", "test", "score", "reason")
    table = tables.read("OVERRIDES", path, columns)
    for row in table.rows:
        submission, test, _, reason = (row[column] for column in columns)
        if test not in most:
            remedy = f"Write {TOTAL}, {LATE}, or one of: {', '.join(points)}"
            raise table.refusal(row.number, f"no test is called {test!r}", remedy)
        value = table.amount(row, "score")
        if value is None or not 0 <= value <= most[test]:
            limits = f"but should be a number from 0 to {number(most[test])}"
            remedy = "Correct it"
            if test == TOTAL and value is not None and value > total:
                remedy += ", or allow it: grades.above_total in config.yaml"
            raise table.refusal(row.number, f"score is {row['score']!r}, {limits}", remedy)
        if not submission or not reason:
            missing = "reason" if submission else "submission"
            raise table.refusal(row.number, f"has no {missing}", "Fill it in: people will ask")
        if (submission, test) in found:
            problem = f"decides {test} of {submission} a second time, after line {found[submission, test].line}"
            raise table.refusal(row.number, problem, "Remove one of the two")
        found[submission, test] = Override(submission, test, value, reason, row.number)
    return list(found.values())


# --- Whose they are --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Assigned:
    """Decisions, by the submission or the student that they are about.

    Attributes
    ----------
    entries : dict of str to tuple of Override
        By the name of the submission.
    absent : dict of int to tuple of Override
        For students without a submission, by their line in the roster.
    problems : list of str
        Sentences about decisions that match nobody, or more than one.
    """

    entries: dict[str, tuple[Override, ...]]
    absent: dict[int, tuple[Override, ...]]
    problems: list[str]


def assign(
    overrides: Sequence[Override],
    entries: Sequence[HandIn],
    people: Mapping[str, Sequence[Person | None]],
    roster: Sequence[Person],
) -> Assigned:
    """Find what each decision is about: a submission by its name, or a student by id or e-mail.

    Parameters
    ----------
    people : mapping of str to sequence of Person or None
        For each submission, by name, its students in the roster.
    roster : sequence of Person
        Everybody in it. What two of them share identifies neither.
    """
    named, owned = _found_by(entries, people)
    shared = Counter(key for person in roster for key in person.keys)
    present = {person.line for persons in people.values() for person in persons if person}
    missing = {key: person for person in roster if person.line not in present for key in person.keys}
    found: dict[tuple[str, int], dict[str, Override]] = {}
    problems = []
    for override in overrides:
        key = override.submission.casefold()
        if override.submission not in named and shared[key] > 1:
            problems.append(not_applied(override, f"{shared[key]} students of the roster have this"))
            continue
        candidates = named.get(override.submission) or owned.get(key, [])
        if len(candidates) == 1 and (override.submission in named or len(candidates[0].students) < 2):
            target = (candidates[0].name, 0)
        elif not candidates and key in missing:
            target = ("", missing[key].line)
        else:
            problems.append(not_applied(override, _why_nobody(candidates)))
            continue
        decided = found.setdefault(target, {})
        if override.test in decided:
            problems.append(not_applied(override, f"line {decided[override.test].line} decides the same"))
        else:
            decided[override.test] = override
    return Assigned(
        {name: tuple(decided.values()) for (name, line), decided in found.items() if not line},
        {line: tuple(decided.values()) for (_, line), decided in found.items() if line},
        problems,
    )


def _found_by(
    entries: Sequence[HandIn], people: Mapping[str, Sequence[Person | None]]
) -> tuple[dict[str, list[HandIn]], dict[str, list[HandIn]]]:
    """Return the submissions by their names, and by the ids and e-mails of their students."""
    named: dict[str, list[HandIn]] = {}
    owned: dict[str, list[HandIn]] = {}
    for entry in entries:
        named.setdefault(printable(entry.name), []).append(entry)
        known = {key for person in people.get(entry.name, ()) if person for key in person.keys}
        own = {*entry.ids, *(key for one in entry.students for key in (one.sid, one.email) if key)}
        for key in known | {printable(key).casefold() for key in own}:
            owned.setdefault(key, []).append(entry)
    return named, owned


def _why_nobody(candidates: list[HandIn]) -> str:
    names = ", ".join(entry.name for entry in candidates)
    if len(candidates) > 1:
        return f"there are {len(candidates)} such submissions ({names}): name one of them"
    if candidates:
        return f"it was handed in by several: name the submission, {names}"
    return "no submission and no student is called so"


def not_applied(override: Override, why: str) -> str:
    """Say that a decision has no effect."""
    return f"overrides: line {override.line} is not applied ({override.test} of {override.submission}): {why}"


def without_effect(overrides: Iterable[Override], gradable: bool, late: bool = True) -> Iterator[tuple[Override, str]]:
    """Yield the decisions that can have no effect, each with the reason.

    Parameters
    ----------
    gradable : bool
        Whether there are results of tests, or could be.
    late : bool
        Whether there are points that lateness could reduce.
    """
    decided = {override.test: override for override in overrides}
    for test, override in decided.items():
        if not gradable and test != TOTAL:
            yield override, "it has no grade yet, because of a fault of the grader; only its total can be decided"
        elif test == LATE and TOTAL in decided:
            yield override, f"line {decided[TOTAL].line} decides the total"
        elif test == LATE and not late and len(decided) == 1:
            yield override, "there are no points that lateness could reduce"


def without_test(overrides: Iterable[Override], results: Results) -> Iterator[tuple[Override, str]]:
    """Yield the decisions about tests that these results do not have, each with the reason."""
    tests = {test.extra_data.test for test in results.tests}
    unusable = results.extra_data.unusable
    why = f"{unusable}, so it has no such test" if unusable else "that part of the homework was not handed in"
    for override in overrides:
        if override.test not in {TOTAL, LATE, *tests}:
            yield override, f"{why}; decide its {TOTAL} instead"


# --- Their effect ----------------------------------------------------------------------------------------------------


def settle(results: Results, overrides: Iterable[Override], late: Lateness | None) -> Results:
    """Return results with decisions and lateness counted once; earlier ones are undone first.

    Points of tests come first, then lateness, unless staff decided the final score. The reasons are for staff only,
    because they may name other students.
    """
    decided = {override.test: override for override in overrides}
    results = as_graded(results)
    tests = tuple(_decide(test, decided.get(test.extra_data.test)) for test in results.tests)
    results = results.changed(tests=tests, score=_sum(tests))
    late = decided_lateness(late, decided.get(LATE))
    total = decided.get(TOTAL)
    if total is None:
        return late_rules.apply(results, late)
    shown = number(total.score) if results.shows_total else ""
    why = f"Course staff decided the score of this submission{f': {shown}' if shown else ''}."
    extra = results.extra_data.given() | {"staff": DecisionExtra(graded=results.score, reason=total.reason, why=why)}
    changed = results.changed(score=float(total.score), extra_data=ResultsExtra(**extra))
    return changed.telling(why) if len(changed.output) + len(why) < OUTPUT_LIMIT else changed


def decided_lateness(late: Lateness | None, decision: Override | None) -> Lateness | None:
    """Return what lateness costs, after a decision of staff about it."""
    if decision is None:
        return late
    why = f"Course staff decided what lateness costs: {number(decision.score)} % off"
    return replace(late or Lateness(0, Fraction(), ""), percent=decision.score, why=why)


def as_graded(results: Results) -> Results:
    """Return results without decisions and lateness, as the tests gave them."""
    extra = results.extra_data.given()
    staff: DecisionExtra | None = extra.pop("staff", None)
    if staff is not None:
        output = _without(results.output, staff.why)
        results = results.changed(score=staff.graded, output=output, extra_data=ResultsExtra(**extra))
    results = late_rules.apply(results, None)
    tests = tuple(_undecided(test) for test in results.tests)
    return results if tests == results.tests else results.changed(tests=tests, score=_sum(tests))


def _decide(test: TestEntry, override: Override | None) -> TestEntry:
    if override is None:
        return test
    why = f"Course staff decided: {number(override.score)} of {number(test.max_score)} points."
    extra = test.extra_data.given() | {"staff": DecisionExtra(graded=test.score, reason=override.reason, why=why)}
    output = f"{why}\n{test.output}" if len(test.output) + len(why) < OUTPUT_LIMIT else test.output
    return _changed(test, float(override.score), output, TestExtra(**extra))


def _undecided(test: TestEntry) -> TestEntry:
    extra = test.extra_data.given()
    staff: DecisionExtra | None = extra.pop("staff", None)
    if staff is None:
        return test
    output = test.output.removeprefix(f"{staff.why}\n")
    return _changed(test, staff.graded, output, TestExtra(**extra))


def _changed(test: TestEntry, score: float, output: str, extra: TestExtra) -> TestEntry:
    fields = {name: getattr(test, name) for name in type(test).model_fields if name != "status"}
    return TestEntry(**{**fields, "score": score, "output": output, "extra_data": extra})


def _without(output: str, line: str) -> str:
    return output.replace(f"\n{line}", "", 1)


def _sum(tests: Iterable[TestEntry]) -> float:
    return float(sum((Fraction(repr(test.score)) for test in tests), Fraction()))
