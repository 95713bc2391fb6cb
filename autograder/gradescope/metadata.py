"""What the platform says about a submission: ``submission_metadata.json``, read with suspicion.

It says whose it is, when it came in, when it was due, and what came in before. Half of that is not documented, so every
part may be missing or of another shape: what cannot be read becomes a sentence in `Metadata.problems`, and nothing is
guessed. It must not know: what being late costs, how many attempts there are, the clock.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeVar

from autograder.core import tables

FILE = "submission_metadata.json"

_Part = TypeVar("_Part", dict[str, Any], list[Any])


@dataclass(frozen=True)
class Previous:
    """Another submission of the same student or group.

    Attributes
    ----------
    submitted : datetime
    score : Fraction or None
        As the platform keeps it, with whatever lateness took off; None while it is being graded.
    failed : bool
        The autograder failed, so that it has no score.
    extra : mapping
        The ``extra_data`` of its results. The platform hands out that of the latest one only.
    """

    submitted: datetime
    score: Fraction | None = None
    failed: bool = False
    extra: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Metadata:
    """What is known about a submission.

    Attributes
    ----------
    submitted : datetime or None
        When the platform received it.
    due : datetime or None
        When the assignment is due.
    own_due : tuple of datetime or None
        One for each member of the group: their own date where they have one, which is an extension; None where theirs
        is the assignment's.
    previous : tuple of Previous
        What came in besides, oldest first; where an old submission is run again, possibly it and later ones, too.
    problems : tuple of str
        What could not be read; for staff.
    """

    submitted: datetime | None = None
    due: datetime | None = None
    own_due: tuple[datetime | None, ...] = ()
    previous: tuple[Previous, ...] = ()
    problems: tuple[str, ...] = ()


def read(path: Path) -> Metadata:
    """Read the platform's file; what is missing or malformed is told in `problems`."""
    try:
        content = json.loads(path.read_bytes())
    except OSError as error:
        return Metadata(problems=(f"{path.name} cannot be read: {error.strerror}",))
    except (ValueError, RecursionError) as error:
        return Metadata(problems=(f"{path.name} is not JSON: {error}",))
    if not isinstance(content, dict):
        return Metadata(problems=(f"{path.name} holds no object",))
    problems: list[str] = []
    submitted = _moment(content, "created_at", problems, required=True)
    assignment = _part(content, "assignment", {}, problems)
    due = _moment(assignment, "due_date", problems, where="assignment.")
    users = _part(content, "users", [], problems)
    own = tuple(_own_due(user, number, due, problems) for number, user in enumerate(users))
    others = _part(content, "previous_submissions", [], problems)
    found = (_previous(one, number, problems) for number, one in enumerate(others))
    previous = sorted((one for one in found if one is not None), key=lambda one: one.submitted)
    return Metadata(submitted, due, own, tuple(previous), tuple(f"{path.name}: {problem}" for problem in problems))


def amount(value: object) -> Fraction | None:
    """Return a score, which the platform writes as a number or as text; None if it is none, or below 0."""
    if not isinstance(value, (int, float, str)) or isinstance(value, bool):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return Fraction(repr(number)) if math.isfinite(number) and number >= 0 else None


def _moment(
    holder: Mapping[str, Any], key: str, problems: list[str], where: str = "", required: bool = False
) -> datetime | None:
    value = holder.get(key)
    time = tables.moment(value)
    if time is None and (required or value is not None):
        problems.append(f"{where}{key} is {_shown(value)}, but should be a time with its time zone")
    return time


def _own_due(user: object, number: int, due: datetime | None, problems: list[str]) -> datetime | None:
    """Return a member's own due date: the platform repeats the assignment's where there is none."""
    settings = _object(_object(user).get("assignment"))
    own = _moment(settings, "due_date", problems, where=f"users[{number}].assignment.")
    return None if own == due else own


def _previous(one: object, number: int, problems: list[str]) -> Previous | None:
    holder = _object(one)
    where = f"previous_submissions[{number}]."
    submitted = _moment(holder, "submission_time", problems, where, required=True)
    if submitted is None:
        return None
    score = amount(holder.get("score"))
    if score is None and holder.get("score") is not None:
        problems.append(f"{where}score is {_shown(holder['score'])}, but should be a number, 0 or more")
    extra = _object(holder.get("results")).get("extra_data")
    return Previous(
        submitted,
        score,
        holder.get("autograder_error") is True,
        extra if isinstance(extra, dict) else None,
    )


def _part(content: Mapping[str, Any], key: str, empty: _Part, problems: list[str]) -> _Part:
    """Return a part of the file; `empty` where it is missing, or of another type, which is told."""
    value = content.get(key)
    if isinstance(value, type(empty)):
        return value
    if value is not None:
        problems.append(f"{key} is {_shown(value)}, but should be {_shown(empty)}")
    return empty


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _shown(value: object) -> str:
    if value is None or isinstance(value, (dict, list)):
        return "missing" if value is None else "an object" if isinstance(value, dict) else "a list"
    text = ascii(value)
    return text if len(text) <= 60 else text[:60] + "..."
