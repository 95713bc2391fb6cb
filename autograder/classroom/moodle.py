"""Moodle: fills in its grading worksheet, and names feedback files as it expects them.

The headers of the worksheet depend on the language. So the columns are recognised by their content: `Participant 123`
in the first one, and numbers. Moodle skips grades that are out of range. This module does not know how a score is
computed.

Source: Moodle's `importgradeslib.php` and `importziplib.php`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from autograder.classroom.gradebook import Gradebook
from autograder.core import tables
from autograder.core.tables import amount, guarded, number
from autograder.core.text import printable
from autograder.intake.handins import HandIn

GRADE = (
    "grade bewertung note calificación puntuación nota valutazione cijfer beoordeling avaliação ocena hodnocení známka "
    "оценка оцінка karakter betyg vurdering arvosana hinne értékelés not puan βαθμός 评分 成績 評定 점수 성적"
)
"""Moodle's names for the column, in case the numbers do not show which one it is."""

_FILE = re.compile(r"(?P<who>.+)_(?P<number>\d+)_assignsubmission_[a-z]+_?.*", re.S)


def fill(book: Gradebook, worksheet: Path, path: Path) -> list[str]:
    """Write Moodle's own grading worksheet with everybody's grade; return what staff should know.

    Nothing is written if the column of the grades, or the maximum grade, cannot be found.
    """
    sheet = tables.read_sheet("ROSTER", worksheet)
    (top, head), rows = sheet.lines[0], sheet.lines[1:]
    width = len(head)
    cells = [(line, [*row, *[""] * (width - len(row))]) for line, row in rows]
    place, most = _grade_column(head, [row for _, row in cells])
    if place is None:
        return [f"no moodle.csv: it cannot be told which column of {worksheet.name} holds the grades"]
    with_bonus = book.total + book.bonus
    if most not in (None, book.total, with_bonus):
        problem = f"no moodle.csv: grades are out of {number(most or 0)} in {worksheet.name}, but out of "
        problem += number(book.total)
        also = f", or {number(with_bonus)} with the bonus," if book.bonus else ""
        return [f"{problem}{also} here. Change the maximum grade in Moodle, or total_points"]
    limit = most or book.total
    sign = _decimal_sign([row for _, row in cells], place, sheet.comma)
    scores = {one.person.line: one.row for one in book.standings if one.person and one.row.score is not None}
    filled, above = [], []
    for line, row in cells:
        standing = scores.get(line)
        before = [cell if _is_plain(cell) else guarded(cell) for cell in row[:place]]
        grade = row[place]
        if standing is not None and standing.score is not None and standing.score > limit:
            above.append(standing.label)  # Moodle would skip it
        elif standing is not None and standing.score is not None:
            grade = f"{float(standing.score):.2f}".replace(".", sign)
        filled.append((line, [*before, grade, *row[place + 1 :]]))
    tables.write_sheet(replace(sheet, lines=[(top, head), *filled]), path)
    if not above:
        return []
    said = f"moodle.csv leaves out {len(above)} with more than {number(limit)} points, which Moodle refuses: "
    said += ", ".join(above)
    if limit < with_bonus:
        said += f". To give them their bonus, set the maximum grade in Moodle to {number(with_bonus)}, and download "
        said += "the worksheet again"
    return [said]


def _is_plain(cell: str) -> bool:
    return guarded(cell) == printable(cell)


def _grade_column(head: Sequence[str], rows: Sequence[Sequence[str]]) -> tuple[int | None, Fraction | None]:
    """Return the column of the grades and the maximum grade, which the next column says in every row."""
    found = []
    for place in range(1, len(head) - 1):
        next_to = {amount(row[place + 1].strip(), comma=True) for row in rows}
        most = next_to.pop() if len(next_to) == 1 else None
        if most and all(_may_be_grade(row[place].strip(), most) for row in rows):
            found.append((place, most))
    named = [place for place, name in enumerate(head) if printable(name).casefold() in GRADE.split()]
    if len(found) > 1:
        found = [(place, most) for place, most in found if place in named]
    if len(found) == 1:
        return found[0]
    return (named[0], None) if len(named) == 1 and not found else (None, None)


def _may_be_grade(cell: str, most: Fraction) -> bool:
    value = amount(cell, comma=True)
    return cell in ("", "-") or (value is not None and 0 <= value <= most)


def _decimal_sign(rows: Sequence[Sequence[str]], place: int, comma: bool) -> str:
    """Return how this worksheet writes decimals."""
    for cell in (cell for row in rows for cell in row[place : place + 2]):
        if amount(cell.strip(), comma=True) is not None and re.search(r"[.,]", cell):
            return "," if "," in cell else "."
    return "," if comma else "."


def feedback_name(entry: HandIn) -> str:
    """Return the path in a zip under which Moodle takes feedback on a submission; empty if there is none."""
    found = next((match for match in map(_FILE.fullmatch, entry.files or (entry.name,)) if match), None)
    if found is None:
        return ""
    who = " ".join(re.sub(r"[_/\\]", " ", printable(found["who"])).split())
    return f"{who}_{found['number']}_assignfeedback_file_/feedback.html"
