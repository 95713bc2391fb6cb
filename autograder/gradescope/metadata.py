"""What the platform says about a submission: reads ``submission_metadata.json`` and trusts no part of it.

The file says whose the submission is, when it came in, when it was due, and which ones came before. Half of that is not
documented, so every part may be missing or have another form. A part that cannot be read becomes a sentence in
`Metadata.problems`, and nothing is guessed. This module does not know what lateness costs, how many attempts are
allowed, or what time it is.
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
        The score on the platform, after any reduction for lateness; None while it is being graded.
    failed : bool
        Whether the autograder failed on it, so that it has no score.
    extra : mapping
        The ``extra_data`` of its results. The platform passes on only that of the latest submission.
    """

    submitted: datetime
    score: Fraction | None = None
    failed: bool = False
    extra: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Metadata:
    """What the platform says about a submission.

    Attributes
    ----------
    submitted : datetime or None
        When the platform received it.
    due : datetime or None
        When the assignment is due.
    own_due : tuple of datetime or None
        One for each member of the group: the member's own date, which is an extension; None if it is the assignment's.
    previous : tuple of Previous
        The other submissions, oldest first. If an old submission is run again, the list may hold it and later ones.
    problems : tuple of str
        What could not be read; for staff.
    """

    submitted: datetime | None = None
    due: datetime | None = None
    own_due: tuple[datetime | None, ...] = ()
    previous: tuple[Previous, ...] = ()
    problems: tuple[str, ...] = ()


def read(path: Path) -> Metadata:
    """Read the platform's file; `problems` says what is missing or malformed."""
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
    """Return a score, which the platform writes as a number or as text; None if it is no number, or below 0."""
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
    """Return a member's own due date, None without one: the platform then repeats the assignment's date."""
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
    """Return a part of the file. If it is missing or of another type, note that and return `empty`."""
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
