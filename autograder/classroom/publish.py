"""Makes the files of a whole class in one folder, and says which of them to upload where.

This module does not know how a score is computed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from autograder.classroom import books, canvas, handback, moodle, report
from autograder.classroom.books import Change
from autograder.classroom.gradebook import Gradebook
from autograder.core.results import Results
from autograder.intake.roster import Roster

GRADES, CANVAS, MOODLE, CHANGES, FEEDBACK, REPORT = BOOKS = (
    "grades.csv",
    "canvas.csv",
    "moodle.csv",
    "changes.csv",
    "feedback.zip",
    "report.html",
)


_UPLOADS = {"Canvas": "Re-Upload Submissions", "Moodle": "Upload multiple feedback files in a zip"}
"""What the platforms call the page for the upload."""


@dataclass(frozen=True)
class Places:
    """Where the grades of a class go.

    Attributes
    ----------
    platform : str
        The platform that the hand-ins were downloaded from; empty if that is not known.
    roster : Roster or None
    assignment : str or None
        Canvas' column, if config.yaml names it.
    anonymous : bool
        Grades go nowhere: no file with a name in it is written.
    """

    platform: str = ""
    roster: Roster | None = None
    assignment: str | None = None
    anonymous: bool = False

    @property
    def system(self) -> str:
        """The platform that takes the grades."""
        return self.platform or (self.roster.platform if self.roster else "")


def write(
    book: Gradebook,
    changes: Sequence[Change] | None,
    places: Places,
    problems: list[str],
    results_of: Callable[[str], Results],
    folder: Path,
) -> None:
    """Write all possible books into `folder`; add sentences for staff to `problems`."""
    books.write_grades(book, folder / GRADES)
    if changes is not None:
        books.write_changes(changes, folder / CHANGES)
    if not places.anonymous:
        problems += _for_platforms(book, places, folder)
    try:
        if places.platform in handback.NAMES and not places.anonymous:
            problems += handback.write(book, places.platform, results_of, folder / FEEDBACK)
        report.write(book, changes, list(problems), results_of, folder, REPORT)
    except ImportError as error:
        missing = f"the package {error.name} is not installed; pip install -r requirements/ta.txt"
        problems.append(f"no {REPORT}: {missing}")


def _for_platforms(book: Gradebook, places: Places, folder: Path) -> list[str]:
    """Write the files for Canvas or Moodle; return what staff should know."""
    roster = places.roster
    if places.system == "Moodle":
        if roster is None or roster.platform != "Moodle":
            return [f"no {MOODLE}: download the grading worksheet from Moodle and give it as ROSTER"]
        return moodle.fill(book, roster.path, folder / MOODLE)
    name, problem = canvas.column(book.title, places.assignment, roster)
    said = [problem] if problem else []
    return said + (canvas.write(book, name, folder / CANVAS) if name else [])


def next_step(names: Collection[str], places: Places, known: bool) -> str:
    """Say in one line which files to upload where; `known` says whether the students are known."""
    steps = [f"read {REPORT}"] if REPORT in names else []
    if places.system == "Canvas" and CANVAS in names and known:
        steps.append(f"import {CANVAS} in Canvas' gradebook")
    elif places.system == "Moodle" and MOODLE in names:
        steps.append(f"upload {MOODLE} in Moodle (Upload grading worksheet)")
    elif known and CANVAS in names:
        steps.append(f"{GRADES} has everybody's points, {CANVAS} is what Canvas imports")
    elif known:
        steps.append(f"{GRADES} has everybody's points")
    else:
        steps.append(f"{GRADES} has all points; ROSTER=students.csv adds names")
    if FEEDBACK in names:
        steps.append(f"upload {FEEDBACK} to the assignment in {places.system} ({_UPLOADS[places.system]})")
    return f"Next: {'; '.join(steps)}."
