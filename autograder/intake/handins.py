"""The words of intake: a student, what one of them handed in, and what was found in a download.

It must not know: where any of it comes from, points.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path


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
        Of its folder in the output: for an export, Gradescope's ``submission_<id>``. Safe as a file's name, and no two
        hand-ins of a class share it, on any file system.
    path : Path
        The file or folder that was handed in.
    students : tuple of Student
        Whose it is: several for a group, none if that is not known.
    submitted : datetime or None
        When, in UTC.
    ids : tuple of str
        What the file's name says of whose it is, for a roster to match: the whole name without suffix, or the user
        name or number that a platform wrote into it (Canvas' own number as ``canvas 501``).
    late : bool
        Whether the platform marked it as late in its name.
    files : tuple of str
        The names that a platform gave these files. Feedback that is uploaded there has to carry them.
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
    recognised : str
        What this was taken for, and why; it names nobody.
    platform : str
        Which platform's download it is; empty if that cannot be told.
    """

    entries: list[HandIn]
    without_files: list[HandIn] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    single: bool = False
    recognised: str = ""
    platform: str = ""
