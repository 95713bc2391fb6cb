"""Reads Gradescope's export: a folder for every submission, and a file that says whose they are.

Nothing is guessed: missing or contradictory data become a sentence in `HandIns.problems`. Links are never followed.
This module does not know what is in a submission, or how an export is recognised.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import yaml

from autograder.core import tables
from autograder.core.errors import ConfigurationError
from autograder.intake.handins import HandIn, HandIns
from autograder.intake.handins import Student as Student
from autograder.intake.pile import Item, Pile

try:
    from yaml import CBaseLoader as _Loader  # ten times faster
except ImportError:
    from yaml import BaseLoader as _Loader  # type: ignore[assignment]

METADATA = "submission_metadata.yml"
"""The file that Gradescope puts beside the folders of an export."""

METADATA_BYTES = 1 << 30
"""The most bytes of this file that are read: a thousand students with 1 MiB of results each."""


def read(pile: Pile, take: Callable[[Item], Path]) -> HandIns:
    """Read the export at `pile`; `take` returns where an item of it can be read.

    Raises
    ------
    ConfigurationError
        If its metadata cannot be read, or nothing was submitted.
    """
    entries, absent, problems = [], [], []
    described = next(item for item in pile.items if item.name == METADATA)
    folders = {
        item.name: item for item in pile.items if item is not described and not item.name.startswith((".", "__"))
    }
    for name, about in metadata(pile.start(described, METADATA_BYTES)).items():
        folder = folders.pop(name, None)
        at = folder is not None and folder.kind in ("folder", "file")
        entry = HandIn(
            name, take(folder) if folder and at else Path("-"), _submitters(about), _moment(about.get(":created_at"))
        )
        if not entry.students:
            problems.append(f"{name} has no submitters in {METADATA}: graded, but not matched to a student")
        if entry.submitted is None:
            problems.append(f"{name} has no time of submission in {METADATA}: not counted as late")
        if at:
            entries.append(entry)
            continue
        problems.append(link(folder) if folder else f"{name} is in {METADATA}, but its files are not: not graded")
        absent.append(entry)
    for name, folder in folders.items():
        if folder.kind == "link":
            problems.append(link(folder))
        elif folder.is_folder or name.endswith(".zip"):
            problems.append(f"{name} is not in {METADATA}: graded, but not matched to a student")
            entries.append(HandIn(name, take(folder)))
    problems += _shared([*entries, *absent])
    return HandIns(entries, absent, problems, platform="Gradescope")


def link(item: Item) -> str:
    """Say that a link was left out."""
    return f"{item.name} is a link and was not followed: not graded"


def _shared(entries: list[HandIn]) -> Iterator[str]:
    """Yield sentences about data that make one student look like two, or two like one."""
    of = [(entry.name, student) for entry in entries for student in entry.students]
    for what in ("sid", "email"):
        count = Counter(getattr(student, what).casefold() for _, student in of if getattr(student, what))
        for value, times in count.items():
            if times > 1:
                where = ", ".join(name for name, student in of if getattr(student, what).casefold() == value)
                yield f"{what} {value} is {times} times in {METADATA} ({where}): each keeps its own row"


def metadata(data: bytes) -> dict[str, dict[str, Any]]:
    """Return what the file says about every submission. All values stay text: a sid of 0123 is no number.

    Raises
    ------
    ConfigurationError
        If it is not Gradescope's metadata.
    """
    text = data.decode("utf-8-sig", "replace")
    content: Any = None
    for attempt in (_without_results(text), text):  # results are nine tenths of the file, and are not needed
        try:
            content = yaml.load(attempt, _Loader)
            break
        except (yaml.YAMLError, RecursionError) as error:
            problem = " ".join(str(error).split())
    else:
        raise ConfigurationError(METADATA, "", f"is not YAML: {problem}", "Download the export again.")
    if not isinstance(content, dict):
        raise ConfigurationError(METADATA, "", "should name submissions", "Download the export again.")
    return {
        name: about if isinstance(about, dict) else {}
        for name, about in content.items()
        if isinstance(name, str) and Path(name).name == name
    }


def _without_results(text: str) -> str:
    """Drop the lines below ``:results:`` and ``:history:``, which are indented deeper or are items of its list."""
    return re.sub(r"^  :(?:results|history):.*\n(?:(?:   .*|  -.*|[ \t]*)\n)*", "", text, flags=re.M)


def _submitters(about: dict[str, Any]) -> tuple[Student, ...]:
    listed = about.get(":submitters")
    people = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    students = (Student(*(_text(one.get(key)) for key in (":name", ":sid", ":email"))) for one in people)
    return tuple(student for student in students if student != Student())


def _text(value: object) -> str:
    return "" if not isinstance(value, str) or value in ("~", "null") else " ".join(value.split())


def _moment(value: object) -> datetime | None:
    time = tables.moment(value)
    return None if time is None else time.astimezone(timezone.utc)


def earlier_scores(path: Path) -> dict[str, float]:
    """Return the scores that an export holds, by the name of the submission.

    Parameters
    ----------
    path : Path
        The export's folder, or the metadata file in it.
    """
    scores = {}
    file = path / METADATA if path.is_dir() else path
    for name, about in metadata(file.read_bytes()).items():
        try:
            scores[name] = float(about.get(":score", ""))
        except (TypeError, ValueError):  # not graded yet
            continue
    return scores
