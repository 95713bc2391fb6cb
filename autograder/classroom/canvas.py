"""Canvas: writes the table that its gradebook imports, and names feedback files as it expects them.

Canvas finds an assignment by the name of its column, and makes a new assignment if there is none of that name. It finds
students by their ids, else by name. If a student has several rows, the last one counts. This module does not know how
a score is computed.

Source: Canvas' `gradebook_importer.rb` and `submissions_controller.rb`.
"""

from __future__ import annotations

import re
from pathlib import Path

from autograder.classroom.gradebook import Gradebook, Standing
from autograder.core import tables
from autograder.core.tables import Cell, Verbatim, guarded
from autograder.intake.handins import HandIn
from autograder.intake.roster import CANVAS, Roster

_FILE = re.compile(r"(?P<start>.+?_\d+_\d+)_.+", re.S)
_ID = re.compile(r" \(\d+\)$")
"""What Canvas adds after the title of an assignment."""


def column(title: str, chosen: str | None, roster: Roster | None) -> tuple[str, str]:
    """Return the name of the assignment's column, and what staff should know about it.

    Parameters
    ----------
    title : str
        The homework's.
    chosen : str or None
        The column's name in config.yaml.
    roster : Roster or None
        It has Canvas' own columns, if it is Canvas' gradebook.
    """
    wanted = chosen or title
    if roster is None or roster.platform != "Canvas":
        return wanted, ""
    assignments = [name for name in roster.columns if name and name not in CANVAS]
    fitting = [name for name in assignments if name == wanted] or [
        name for name in assignments if _plain(name) == _plain(wanted)
    ]
    if len(fitting) == 1:
        return fitting[0], ""
    what = "grades.canvas_assignment" if chosen else "title"
    remedy = "Write the name of the right column as grades.canvas_assignment into config.yaml"
    if fitting:
        return "", f"no canvas.csv: {len(fitting)} columns of {roster.path.name} are called like {what}. {remedy}"
    return wanted, (
        f"canvas.csv: no column of {roster.path.name} is called like {what}, {wanted!r}: "
        f"Canvas will make a new assignment of it. {remedy}"
    )


def _plain(name: str) -> str:
    return " ".join(_ID.sub("", name).split()).casefold()


def write(book: Gradebook, assignment: str, path: Path) -> list[str]:
    """Write the table for Canvas, a line for every student with a grade and an id; return what staff should know."""
    lines: list[list[Cell]] = [[*CANVAS, assignment], [Verbatim("    Points Possible"), *[None] * 4, book.total]]
    without = []
    for standing in book.standings:
        if standing.row.score is None or (standing.person and not standing.person.counts):
            continue
        cells = _identity(book, standing)
        if cells:
            lines.append([*cells, standing.row.score])
        else:
            without.append(standing.row.label)
    tables.write(path, lines)
    said = f"canvas.csv leaves out {len(without)} whom Canvas could find by name only: {', '.join(without[:10])}"
    return [said + (f" and {len(without) - 10} more" if len(without) > 10 else "")] if without else []


def _identity(book: Gradebook, standing: Standing) -> tuple[str, ...]:
    """Return Canvas' own columns of a student; empty without an id that Canvas knows."""
    if standing.person is None and book.with_roster:
        return ()
    student = standing.student
    cells = standing.person.canvas if standing.person else (student.name, "", student.sid, student.email, "")
    usable = any(cell and (place == 0 or guarded(cell) == cell) for place, cell in enumerate(cells[1:4]))
    return cells if usable else ()


def feedback_name(entry: HandIn) -> str:
    """Return the file name under which Canvas takes feedback on a submission; empty if there is none."""
    found = next((match for match in map(_FILE.fullmatch, entry.files) if match), None)
    return f"{found['start']}_feedback.html" if found else ""
