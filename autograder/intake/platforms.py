"""Reads the names that learning platforms give to downloaded files, and says which belong to one student.

========================  ===========================================================================================
Canvas                    ``leeann[_LATE]_501_90001_layers.py``: user, attachment, then the student's own name of the
                          file, with ``-1`` before the suffix after a second upload. Two files of one student differ in
                          the attachment alone, whose number grows. Typed text is ``leeann_501_text.html``. If names
                          are hidden: ``[LATE_]anon_x9fGh_90001_layers.py``
Moodle                    ``Ann Lee_1201_assignsubmission_file_``, a folder or the start of a file's name;
                          ``…_onlinetext_`` is typed text
Brightspace               ``12-34 - Ann Lee - Oct 1, 2026 1155 PM - hw3.zip``, or a folder without the last part, and
                          an ``index.html``
Blackboard                ``Lab 3_lee.a_attempt_2026-10-01-12-00-00_hw3.zip``, and a receipt ``…-00.txt``
Gradescope                folders ``submission_123``, here without the file that says whose they are
========================  ===========================================================================================

This module knows only names, and no contents of files.

Source: Canvas' `content_zipper.rb` and `submissions_feedback`, Moodle's `importziplib.php`, downloads in public issues.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Part:
    """What the name that a platform gave to a file says.

    Attributes
    ----------
    key, who : str
        A key that is the same for all files that one student handed in at one time; and the student's name.
    ids : tuple of str
        Identifies the student; see `HandIn.ids`.
    file : str
        The student's own name of the file; empty for a folder.
    title : str
        A name for the submission, if it is not named after its first file.
    late : bool
        Whether the name says that it was late.
    typed : bool
        Whether the platform made this file, from typed text or as a receipt, so that it is no file of the student.
    number : int
        Grows with the time of the upload; 0 if that is not known.
    """

    key: str
    who: str = ""
    ids: tuple[str, ...] = ()
    file: str = ""
    title: str = ""
    late: bool = False
    typed: bool = False
    number: int = 0


_CANVAS_REST = r"_(?:(?P<attachment>\d+)_(?P<file>.+)|(?P<typed>text|link|media)\..*)"
_CANVAS = re.compile(r"(?P<who>.+?)(?P<late>_LATE)?_(?P<user>\d+)" + _CANVAS_REST, re.S)
_CANVAS_NAMELESS = re.compile(r"(?P<late>LATE_)?(?P<who>anon)_(?P<user>[0-9A-Za-z]{5})" + _CANVAS_REST, re.S)
_MOODLE = re.compile(r"(?P<who>.+)_(?P<user>\d+)_assignsubmission_(?P<kind>[a-z]+)_?(?P<file>.*)", re.S)
_BRIGHTSPACE = re.compile(
    r"(?P<user>\d+-\d+) - (?P<who>.+?) ?- (?P<when>[^-]*\b\d{1,2}[. h]?\d\d ?(?:[AaPp]\.?[Mm]\.?)?)"
    r"(?: - (?P<file>.+))?",
    re.S,
)
_BLACKBOARD = re.compile(
    r"(?P<title>.+)_(?P<user>[^_]+)_attempt_(?P<when>\d{4}(?:-\d\d){5})(?:_(?P<file>.+)|\.txt)", re.S
)
_GRADESCOPE = re.compile(r"submission_\d+")
_LONGEST = 400
"""The most characters of a name that is read: no platform gives longer ones."""
_AGAIN = re.compile(r"-\d{1,3}(?=\.[^.]*$)")


def _read(pattern: re.Pattern[str], name: str) -> re.Match[str] | None:
    return pattern.fullmatch(name) if len(name) <= _LONGEST else None


def _canvas(name: str, is_folder: bool) -> Part | None:
    found = None if is_folder else _read(_CANVAS_NAMELESS, name) or _read(_CANVAS, name)
    if found is None:
        return None
    user = found["user"]
    ids, file, number = (f"canvas {user}",), found["file"] or name, int(found["attachment"] or 0)
    return Part(user, found["who"], ids, file, late=bool(found["late"]), typed=bool(found["typed"]), number=number)


def _moodle(name: str, is_folder: bool) -> Part | None:
    found = _read(_MOODLE, name)
    if found is None or (is_folder and found["file"]):
        return None
    title = f"{found['who']}_{found['user']}_assignsubmission_{found['kind']}"
    return Part(found["user"], found["who"], (), found["file"], title, typed=found["kind"] != "file")


def _brightspace(name: str, is_folder: bool) -> Part | None:
    found = _read(_BRIGHTSPACE, name)
    if found is None or is_folder == bool(found["file"]):
        return None
    title = f"{found['user']} - {found['who']} - {found['when']}"
    return Part(title, found["who"], (), found["file"] or "", title)


def _blackboard(name: str, is_folder: bool) -> Part | None:
    found = None if is_folder else _read(_BLACKBOARD, name)
    if found is None:
        return None
    key = f"{found['title']}_{found['user']}_attempt_{found['when']}"
    return Part(key, found["user"], (found["user"],), found["file"] or name, key, typed=not found["file"])


def _gradescope(name: str, is_folder: bool) -> Part | None:
    return Part(name, title=name) if is_folder and _GRADESCOPE.fullmatch(name) else None


@dataclass(frozen=True)
class Platform:
    """A learning platform: how it names files, in words and as a function, and how many such names prove it."""

    name: str
    pattern: str
    part: Callable[[str, bool], Part | None]
    fewest: int = 1


PLATFORMS: Sequence[Platform] = (
    Platform("Moodle", "<name>_<number>_assignsubmission_file_", _moodle),
    Platform("Blackboard", "<assignment>_<user>_attempt_<time>_<file>", _blackboard),
    Platform("Brightspace", "<id> - <name> - <time> - <file>", _brightspace),
    Platform("Canvas", "<name>_<user id>_<file id>_<file>", _canvas),
    Platform("Gradescope", "submission_<number>", _gradescope, fewest=2),
)
"""The platforms with the most specific names come first."""


def platform_of(names: Sequence[tuple[str, bool]], others: Callable[[str], bool]) -> Platform | None:
    """Return the platform that gave these names; None if that is not clear.

    Parameters
    ----------
    names : sequence of pairs
        A name, and whether it is the name of a folder.
    others : callable
        Whether a name that does not fit is a hand-in, too. Fewer of these are allowed than of names that fit.
    """
    for platform in PLATFORMS:
        parts = {name: platform.part(*name) for name in names}
        fitting = [part for part in parts.values() if part is not None]
        strange = sum(part is None and others(name) for (name, _), part in parts.items())
        people = {(part.key, part.who) for part in fitting}
        contradictory = len(people) > len({key for key, _ in people})  # as when the "number" is a year
        if len(fitting) >= platform.fewest and len(fitting) > strange and not contradictory:
            return platform
    return None


def own_names(parts: Sequence[Part], required: str) -> list[str]:
    """Return a student's own names of these files, without the ``-1`` of a second upload; '' for an older version.

    ``layers.py`` and ``layers-1.py`` are two versions of one file. The newest one gets the name, if the platform says
    which one that is. A module with a hyphen in its name cannot be imported, so a module's own name is never changed.
    """
    plain = [_AGAIN.sub("", part.file) for part in parts]
    own = []
    for part, short in zip(parts, plain, strict=True):
        same = [other for other, name in zip(parts, plain, strict=True) if name == short]
        newest = max(same, key=lambda other: other.number)
        versions = all(other.number for other in same) and short in (required, *(other.file for other in same))
        if len(same) == 1 or (versions and part is newest):
            own.append(short)
        else:
            own.append("" if versions else part.file)
    return own
