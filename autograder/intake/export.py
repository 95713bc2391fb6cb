"""Reading what teaching assistants download: a Gradescope export, a folder or a zip of hand-ins, a single file.

What comes out is a list of entries, each with its place and, where the download says so, whose it is. Nothing is
guessed: what is missing or contradicts itself becomes a sentence in `HandIns.problems`. Links are never followed.

It must not know: what is in a submission, points, how the list is graded.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import yaml

from autograder.core import tables
from autograder.core.errors import BadSubmission, ConfigurationError
from autograder.intake import archive

try:
    from yaml import CBaseLoader as _Loader  # ten times faster
except ImportError:
    from yaml import BaseLoader as _Loader  # type: ignore[assignment]

METADATA = "submission_metadata.yml"
"""What Gradescope puts beside the folders of an export."""

CLASS_BYTES = 4 << 30
"""Most bytes that a zip of a whole class may unpack to: a thousand students with 4 MiB each."""

_FINDERS = {"__MACOSX", ".DS_Store"}
"""What a Mac adds to a zip."""

_REMEDY = "Give a file or a folder of submissions"


@dataclass(frozen=True)
class Student:
    """Who handed something in, as far as it is known; what is not is empty."""

    name: str = ""
    sid: str = ""
    email: str = ""


@dataclass(frozen=True)
class HandIn:
    """One submission.

    Attributes
    ----------
    name : str
        Of its folder in the output: for an export, Gradescope's ``submission_<id>``.
    path : Path
        The file or folder that was handed in.
    students : tuple of Student
        Whose it is: several for a group, none if that is not known.
    submitted : datetime or None
        When, in UTC.
    """

    name: str
    path: Path
    students: tuple[Student, ...] = ()
    submitted: datetime | None = None


@dataclass(frozen=True)
class HandIns:
    """What was found.

    Attributes
    ----------
    entries : list of HandIn
        What can be graded.
    without_files : list of HandIn
        What an export names without files of it.
    problems : list of str
        One sentence each, for staff.
    single : bool
        Whether this is one submission that was pointed at, and no class.
    """

    entries: list[HandIn]
    without_files: list[HandIn] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    single: bool = False


def read(path: Path, required: str, scratch: Callable[[], Path] | None = None) -> HandIns:
    """Find the submissions at `path`.

    Parameters
    ----------
    path : Path
        A Gradescope export, a folder of zips, ``.py`` files and folders, a zip of either, or one submission.
    required : str
        The name of the file that every submission must hold; a folder that holds it is one submission.
    scratch : callable, optional
        Makes an empty folder that a zip of a whole class is unpacked to. Without it, every zip is one submission.

    Raises
    ------
    ConfigurationError
        If nothing is there, or it cannot be read.
    """
    if not path.exists():
        raise ConfigurationError("SUBMISSIONS", "", f"{path} does not exist", _REMEDY)
    if not path.is_dir():
        unpacked = _unpacked(path, required, scratch) if scratch else None
        return read(unpacked, required) if unpacked else HandIns([HandIn(path.stem, path)], single=True)
    if (path / required).is_file():
        return HandIns([HandIn(path.resolve().name, path)], single=True)
    children = [child for child in sorted(path.iterdir()) if not _is_junk(child.name)]
    if (path / METADATA).is_file():
        return _export(path, children)
    if len(children) == 1 and (children[0] / METADATA).is_file() and not children[0].is_symlink():
        return read(children[0], required)  # the folder around the export's
    linked = [child for child in children if child.is_symlink()]
    found = [child for child in children if not child.is_symlink()]
    if not found:
        raise ConfigurationError("SUBMISSIONS", "", f"{path} is empty", _REMEDY)
    entries = [HandIn(name, child) for name, child in zip(_names(found), found, strict=True)]
    return HandIns(entries, problems=[_link(child) for child in linked])


def _link(child: Path) -> str:
    return f"{child.name} is a link and was not followed: not graded"


def _is_junk(name: str) -> bool:
    return name.startswith((".", "__"))


def _names(paths: list[Path]) -> list[str]:
    """Return names without suffix, or with it where two would share a folder, also on a Mac (Ann.py and ann.zip)."""
    stems = [path.stem if path.is_file() else path.name for path in paths]
    distinct = {unicodedata.normalize("NFC", stem).casefold() for stem in stems}
    return stems if len(distinct) == len(stems) else [path.name for path in paths]


# --- Gradescope's export ---------------------------------------------------------------------------------------------


def _export(path: Path, children: list[Path]) -> HandIns:
    entries, absent, problems = [], [], []
    folders = {child.name: child for child in children if child.name != METADATA}
    for name, metadata in _metadata(path / METADATA).items():
        folder = folders.pop(name, None)
        entry = HandIn(name, folder or path / "-", _submitters(metadata), _moment(metadata.get(":created_at")))
        if not entry.students:
            problems.append(f"{name} has no submitters in {METADATA}: graded, and nobody's")
        if entry.submitted is None:
            problems.append(f"{name} has no time of submission in {METADATA}: not counted as late")
        if folder is not None and not folder.is_symlink():
            entries.append(entry)
            continue
        problems.append(_link(folder) if folder else f"{name} is in {METADATA}, but its files are not: not graded")
        absent.append(entry)
    for name, folder in folders.items():
        if folder.is_symlink():
            problems.append(_link(folder))
        elif folder.is_dir() or folder.suffix == ".zip":
            problems.append(f"{name} is not in {METADATA}: graded, and nobody's")
            entries.append(HandIn(name, folder))
    problems += _shared([*entries, *absent])
    if not entries:
        raise ConfigurationError("SUBMISSIONS", "", f"{path} holds {METADATA} and no submissions", "Download it again")
    return HandIns(entries, absent, problems)


def _shared(entries: list[HandIn]) -> Iterator[str]:
    """Yield what makes one student look like two, or two like one."""
    of = [(entry.name, student) for entry in entries for student in entry.students]
    for what in ("sid", "email"):
        count = Counter(getattr(student, what).casefold() for _, student in of if getattr(student, what))
        for value, times in count.items():
            if times > 1:
                where = ", ".join(name for name, student in of if getattr(student, what).casefold() == value)
                yield f"{what} {value} stands {times} times in {METADATA} ({where}): each keeps its own row"


def _metadata(path: Path) -> dict[str, dict[str, Any]]:
    """Return what the file says of every submission. Every scalar stays text: a sid of 0123 is no number."""
    text = path.read_bytes().decode("utf-8-sig", "replace")
    content: Any = None
    for attempt in (_without_results(text), text):  # results are nine tenths of the file, and not needed
        try:
            content = yaml.load(attempt, _Loader)
            break
        except yaml.YAMLError as error:
            problem = " ".join(str(error).split())
    else:
        raise ConfigurationError(path.name, "", f"is not YAML: {problem}", "Download the export again.")
    if not isinstance(content, dict):
        raise ConfigurationError(path.name, "", "should name submissions", "Download the export again.")
    return {
        name: metadata if isinstance(metadata, dict) else {}
        for name, metadata in content.items()
        if isinstance(name, str) and Path(name).name == name
    }


def _without_results(text: str) -> str:
    """Drop the lines below ``:results:`` and ``:history:``, which are indented deeper or are items of its list."""
    return re.sub(r"^  :(?:results|history):.*\n(?:(?:   .*|  -.*|[ \t]*)\n)*", "", text, flags=re.M)


def _submitters(metadata: dict[str, Any]) -> tuple[Student, ...]:
    listed = metadata.get(":submitters")
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
    for name, metadata in _metadata(path / METADATA if path.is_dir() else path).items():
        try:
            scores[name] = float(metadata.get(":score", ""))
        except (TypeError, ValueError):  # not graded yet
            continue
    return scores


# --- A zip of a class ------------------------------------------------------------------------------------------------


def _unpacked(path: Path, required: str, scratch: Callable[[], Path]) -> Path | None:
    """Unpack the zip of a whole class and return where its submissions are; None if it is one submission."""
    with path.open("rb") as file:
        if file.read(4) != b"PK\x03\x04":
            return None
        try:
            entries = [entry for entry in archive.zip_entries(file, path.name) if _FINDERS.isdisjoint(entry.parts)]
            top = _top(entries)
            if not _is_class([entry.parts[len(top) :] for entry in entries if entry.kind == "file"], required):
                return None
            if sum(entry.size for entry in entries) > CLASS_BYTES:
                raise BadSubmission(f"{path.name} unpacks to more than {CLASS_BYTES >> 30} GiB")
            into = scratch()
            for entry in entries:
                if entry.kind == "file":  # a link is left out, and so is not followed
                    _write(into.joinpath(*entry.parts), entry.read())
        except BadSubmission as refusal:
            raise ConfigurationError("SUBMISSIONS", "", refusal.message, "Unpack it and give the folder") from None
    return into.joinpath(*top)


def _top(entries: list[archive.Member]) -> tuple[str, ...]:
    """Return the folder that all files are in, if there is one."""
    files = [entry.parts for entry in entries if entry.kind == "file"]
    first = {parts[:1] for parts in files}
    return first.pop() if len(first) == 1 and all(len(parts) > 1 for parts in files) else ()


def _is_class(files: list[tuple[str, ...]], required: str) -> bool:
    """Whether these are an export, or several zips and folders with one submission each."""
    if (METADATA,) in files:
        return True
    submissions = {parts[0] for parts in files if parts[1:] == (required,)}
    submissions |= {parts[0] for parts in files if len(parts) == 1 and parts[0].lower().endswith(".zip")}
    return (required,) not in files and len(submissions) > 1


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "wb") as file:
        file.write(content)
