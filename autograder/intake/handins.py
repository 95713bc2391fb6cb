"""The data that intake returns: a student, one submission, and all submissions of a download."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path


@dataclass(frozen=True)
class Student:
    """A student who handed something in; unknown fields are empty."""

    name: str = ""
    sid: str = ""
    email: str = ""


@dataclass(frozen=True)
class HandIn:
    """One submission.

    Attributes
    ----------
    name : str
        The name of its folder in the output; for an export Gradescope's ``submission_<id>``. It is safe as a file's
        name, and no two hand-ins of a class share it, on any file system.
    path : Path
        The file or folder that was handed in.
    students : tuple of Student
        Its students: several for a group, none if they are not known.
    submitted : datetime or None
        The time of submission, in UTC.
    ids : tuple of str
        What the file's name says about the student, to be matched with a roster: the whole name without suffix, or the
        user name or number that a platform wrote into it (Canvas' own number as ``canvas 501``).
    late : bool
        Whether the platform marked it as late in its name.
    files : tuple of str
        The names that a platform gave these files. Feedback that is uploaded there must have the same names.
    """

    name: str
    path: Path
    students: tuple[Student, ...] = ()
    submitted: datetime | None = None
    ids: tuple[str, ...] = ()
    late: bool = False
    files: tuple[str, ...] = ()


@dataclass(frozen=True)
class HandIns:
    """All hand-ins that were found, and what else there is to say.

    Attributes
    ----------
    entries : list of HandIn
        The hand-ins that can be graded.
    without_files : list of HandIn
        Submissions that an export names, but that have no files in it.
    problems : list of str
        One sentence each, for staff.
    single : bool
        Whether staff named one submission, and not a class.
    recognised : str
        What the download was recognised as, and why; without names of students.
    platform : str
        The platform that it was downloaded from; empty if that is not known.
    """

    entries: list[HandIn]
    without_files: list[HandIn] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    single: bool = False
    recognised: str = ""
    platform: str = ""
