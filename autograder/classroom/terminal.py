"""Shows progress and results of a class: with a bar in a terminal, in plain lines elsewhere.

This module does not know how grading works, or where results go.
"""

from __future__ import annotations

import contextlib
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Protocol

from autograder.classroom.gradebook import Row, late_in_words
from autograder.core.outcomes import FAULT, TestResult, tally
from autograder.core.tables import number
from autograder.core.text import clean
from autograder.grading.grader import Grade

MOST_ROWS = 60
"""A longer table would scroll off the screen; then the files hold the rest."""
MOST_CELLS = 28
"""The width of a name in the table."""
MOST_PROBLEMS = 30
_SAME = 5
"""If at least this many submissions have the same problem, it is printed once."""


class Display(Protocol):
    """Shows the progress of a batch."""

    def graded(self, name: str, grade: Grade) -> None:
        """Show that one more submission has its grade."""

    def tested(self, result: TestResult) -> None:
        """Show that a test has ended, if submissions are graded one after the other."""


@contextlib.contextmanager
def follow(total: int) -> Iterator[Display]:
    """Return a display for the grading of `total` submissions."""
    if not sys.stdout.isatty():
        yield LineDisplay(total)
        return
    try:
        bar = Bar(total)
    except ImportError:  # rich is installed only where classes are graded, and not on a server
        yield LineDisplay(total)
        return
    with bar:
        yield bar


class LineDisplay:
    """Prints one line per submission, for logs."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._done = 0

    def graded(self, name: str, grade: Grade) -> None:
        """Print name and score."""
        self._done += 1
        print(f"  {self._done}/{self._total}  {score(grade)}  {clean(name, 60)}", flush=True)

    def tested(self, result: TestResult) -> None:
        """Print nothing: a log has one line per submission."""


class Bar:
    """A bar with rate, time left and a running tally."""

    def __init__(self, total: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        self._tally: Counter[str] = Counter()
        self._progress = Progress(
            BarColumn(None),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}", markup=False),
            TimeRemainingColumn(),
            TextColumn("{task.fields[said]}", markup=False),
            console=Console(file=sys.stdout),  # keep this stream: while tests run, sys.stdout is another one
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._task = self._progress.add_task("", total=total, said="", rate="")

    def __enter__(self) -> Bar:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def graded(self, name: str, grade: Grade) -> None:
        """Move the bar on, and count how the submission ended."""
        self._tally[kind(grade)] += 1
        task = self._progress.tasks[0]
        elapsed = task.elapsed or 0.0
        rate = f"{60 * (task.completed + 1) / elapsed:.0f}/min" if elapsed else ""
        self._progress.update(self._task, advance=1, said=tally(self._tally), rate=rate, refresh=True)

    def tested(self, result: TestResult) -> None:
        """Show the test that has just ended."""
        self._progress.update(self._task, said=f"{result.name}: {result.outcome}", refresh=True)


def kind(grade: Grade) -> str:
    """Say in two words how a grading ended."""
    if grade.score is None:
        return FAULT
    for outcome in ("timed out", "crashed"):
        if grade.outcomes[outcome]:
            return outcome
    return "full marks" if grade.score >= grade.points else "in part" if grade.score else "no points"


def score(grade: Grade) -> str:
    """Return the score in words."""
    return "no grade" if grade.score is None else f"{number(grade.score)} of {number(grade.points)}"


# --- When all is graded ----------------------------------------------------------------------------------------------


def print_problems(problems: Sequence[str]) -> None:
    """Print what somebody should look at, with counts; equal problems are printed once."""
    if not problems:
        return
    lines = list(_grouped(problems))
    print(f"\nLook at {len(problems)} {'problem' if len(problems) == 1 else 'problems'}:")
    for line in lines[:MOST_PROBLEMS]:
        print(f"  - {clean(line, 1000)}")
    if len(lines) > MOST_PROBLEMS:
        print(f"  - and {len(lines) - MOST_PROBLEMS} more; the report has all of them")


def _grouped(problems: Sequence[str]) -> Iterator[str]:
    """Yield the problems; the same problem of several submissions is one, with the first names."""
    about: dict[str, list[str]] = {}
    for problem in problems:
        who, mark, what = problem.partition(": ")
        about.setdefault(what if mark else problem, []).append(who)
    for problem in problems:
        who, mark, what = problem.partition(": ")
        same = about.get(what if mark else problem, [])
        if len(same) < _SAME:
            yield problem
        elif who == same[0]:
            yield f"{len(same)} times: {what}: {', '.join(clean(name, 40) for name in same[:_SAME])}, …"


def print_table(rows: Sequence[Row], total: Fraction, title: str = "") -> None:
    """Print one line per submission, with its final score; of a large class only those that need a look."""
    shown = rows
    if len(rows) > MOST_ROWS:
        kinds = Counter(_kind(row, total) for row in rows)
        print(f"\n{len(rows)} submissions: {tally(kinds)}")
        shown = [row for row in rows if _needs_a_look(row)]
        if not shown:
            return
        title = f"{len(shown)} to look at" + (f", the first {MOST_ROWS}" if len(shown) > MOST_ROWS else "")
    lines = [_cells(row, total) for row in shown[:MOST_ROWS]]
    kept = [head for head in _COLUMNS if head in _ALWAYS or any(line[head] for line in lines)]
    try:
        from rich import box
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text
    except ImportError:
        for line in ({head: head for head in kept}, *lines):
            print("  ".join(line[head] for head in kept))
        return
    table = Table(title=Text(title) if title else None, box=box.SIMPLE_HEAD, expand=True)
    for head in kept:
        widest = max(len(line[head]) for line in lines)
        if head in _NUMBERS:
            table.add_column(head, justify="right", no_wrap=True, min_width=widest)
        elif head == "how it ended":  # the results hold the part that does not fit into the cell
            table.add_column(head, no_wrap=True, ratio=1)
        else:
            table.add_column(head, no_wrap=True, max_width=MOST_CELLS)
    for row, line in zip(shown, lines, strict=False):
        style = "red" if row.score is None else "green" if row.score >= total else ""
        table.add_row(*(Text(line[head], style) for head in kept))
    Console().print(table)


_COLUMNS = ("score", "submission", "name", "late", "decided", "how it ended", "seconds")
"""The score is first, so that no name, however it is written, can move or imitate it."""
_ALWAYS = ("score", "submission", "how it ended", "seconds")
_NUMBERS = ("score", "late", "seconds")


def _cells(row: Row, total: Fraction) -> dict[str, str]:
    names = ", ".join(clean(student.name, 24) for student in row.entry.students[:2] if student.name)
    more = f" +{len(row.entry.students) - 2}" if len(row.entry.students) > 2 else ""
    days = f" ({row.late.days} d)" if row.late and row.late.days else ""
    return {
        "score": "no grade" if row.score is None else f"{number(row.score)} of {number(total)}",
        "submission": clean(row.label, MOST_CELLS),
        "name": names + more,
        "late": late_in_words(row.late) + days,
        "decided": clean(", ".join(f"{one.test} = {number(one.score)}" for one in row.overrides), 24),
        "how it ended": clean(FAULT if row.status == FAULT else row.remark or row.status),
        "seconds": f"{row.seconds:.1f}",
    }


def _kind(row: Row, total: Fraction) -> str:
    """Say in two words how a submission ended."""
    if row.score is None:
        return "no grade"
    return "full marks" if row.score >= total else "in part" if row.score else "no points"


def _needs_a_look(row: Row) -> bool:
    """Whether staff should look at it: no grade, no points, or code that did not end by itself."""
    return not row.score or bool(row.remark) or any(word in row.status for word in ("timed out", "crashed", "memory"))


def print_one(row: Row, page: Path | None) -> None:
    """Print what to look at after a single submission: its page, and what is wrong with it, or the first mistake."""
    if row.remark and row.score is not None:
        print(f"What is wrong: {clean(row.remark, 1000)}")
    elif row.mistake:
        print(f"First mistake: {clean(row.mistake, 300)}")
    if page is not None:
        print(clean(f"Its page: {page}", 1000))
