"""Rows of a gradebook, and a journal, from results that a test makes up."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from fractions import Fraction
from pathlib import Path
from typing import Any

from autograder.classroom import gradebook
from autograder.classroom.gradebook import Row
from autograder.classroom.journal import Journal
from autograder.classroom.overrides import Override
from autograder.core.sections import Late
from autograder.grading.grader import Grade
from autograder.intake.handins import HandIn, Student

POINTS = {"test_double": Fraction(3), "test_halve": Fraction(5, 2)}
ANN = Student("Ann", "01", "ann@u.edu")
BEN = Student('=HYPERLINK("x")', "2", "ben@u.edu")
RULE = Late(due=datetime(2026, 1, 1, tzinfo=timezone.utc), grace_minutes=0, percent_per_day=10, at_most_percent=50)
LATE_BY_TWO = datetime(2026, 1, 2, 12, tzinfo=timezone.utc)
"""Late by two days, as `RULE` counts."""


def journal_with(out: Path, name: str, grade: Grade, content: dict[str, Any]) -> Journal:
    """Write these results for `name` into `out`, as a run does; return the journal."""
    journal = Journal(out, out, "x")
    draft = out / "draft.json"
    draft.write_text(json.dumps(content))
    assert journal.add(name, "key", grade, draft) == grade
    return journal


def entry_of(test: str, score: float, most: float, **more: Any) -> dict[str, Any]:
    """Return one test of a results file, which fails for a reason that is known where the score is 0."""
    diagnosis = {"id": f"{test} is zero", "certain": test == "test_double", "seconds": 0.1}
    return {
        "number": "1.1",
        "name": test,
        "score": score,
        "max_score": most,
        "output": "" if score == most else f"{test}: wrong",
        "extra_data": {"test": test, "outcome": "passed" if score else "wrong"}
        | ({} if score else {"diagnosis": diagnosis}),
        **more,
    }


def make_row(
    out: Path,
    entry: HandIn,
    scores: Mapping[str, float],
    points: Mapping[str, Fraction],
    overrides: Sequence[Override] = (),
    rule: Late | None = None,
) -> tuple[Row, Journal]:
    """Make the row of a submission that got these scores, as a run does."""
    tests = [entry_of(test, score, float(points[test])) for test, score in scores.items()]
    score = sum((Fraction(repr(score)) for score in scores.values()), Fraction())
    content = {"score": float(score), "output": "Found it.\nMore.", "tests": tests, "extra_data": {}}
    outcomes = Counter(test["extra_data"]["outcome"] for test in tests)
    grade = Grade(score, sum(points.values(), Fraction()), outcomes, 1.0)
    journal = journal_with(out, entry.name, grade, content)
    return gradebook.row(entry, grade, journal, overrides, rule), journal


def table(path: Path) -> list[list[str]]:
    """Return the cells of a table that was written here."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))
