"""Makes the zip of feedback for a learning platform: one page for each student, named as the platform wants it.

A page shows only what its student may read, and names nobody else.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

from autograder.classroom import canvas, moodle, pages
from autograder.classroom.gradebook import Gradebook, Row
from autograder.core import files
from autograder.core.results import Results
from autograder.intake.handins import HandIn

NAMES: dict[str, Callable[[HandIn], str]] = {"Canvas": canvas.feedback_name, "Moodle": moodle.feedback_name}
"""For each platform that takes feedback as a zip, how it names the pages."""

_LISTED = 10


def write(book: Gradebook, platform: str, results_of: Callable[[str], Results], path: Path) -> list[str]:
    """Write the zip, if the platform takes one; return what staff should know.

    Raises
    ------
    ImportError
        If Jinja is not installed.
    """
    named = [(NAMES[platform](row.entry), row) for row in book.rows if row.score is not None and book.counts(row)]
    found = {name: row for name, row in named if name}
    without = [row.label for name, row in named if not name]
    contents = {
        name: pages.feedback(book, row, _who(book, row), _results(row, results_of))
        for name, row in sorted(found.items(), key=lambda item: item[0])
    }
    files.replace(path, files.zipped(contents, mode=0o600, compression=zipfile.ZIP_DEFLATED, date=files.A_DAY))
    if not without:
        return []
    listed = ", ".join(without[:_LISTED]) + (f" and {len(without) - _LISTED} more" if len(without) > _LISTED else "")
    return [f"{path.name} leaves out {len(without)} whose names are not {platform}'s: {listed}"]


def _who(book: Gradebook, row: Row) -> str:
    """Return the student's name; empty for a group, because all its members read the same page."""
    owners = book.owners(row)
    return owners[0].student.name if len(owners) == 1 and len(row.entry.students) == 1 else ""


def _results(row: Row, results_of: Callable[[str], Results]) -> Results | None:
    """Return the results of the tests; None if staff gave points and there are no files."""
    return results_of(row.entry.name) if row.has_results else None
