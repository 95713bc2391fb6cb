"""What a person sees while a class is graded: a bar where there is a terminal, plain lines where there is none.

It must not know: how grading works, where results go.
"""

from __future__ import annotations

import contextlib
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Protocol

from autograder.core.outcomes import FAULT, TestResult, tally
from autograder.core.text import clean
from autograder.grading.grader import Grade

MOST_ROWS = 60
"""A table longer than this scrolls away; what is interesting stands in the files then."""


class Display(Protocol):
    """Follows a batch."""

    def graded(self, name: str, grade: Grade) -> None:
        """Show that one more submission has its grade."""

    def tested(self, result: TestResult) -> None:
        """Show that a test has ended, where one submission is graded at a time."""


@contextlib.contextmanager
def follow(total: int) -> Iterator[Display]:
    """Follow the grading of `total` submissions."""
    if not sys.stdout.isatty():
        yield LineDisplay(total)
        return
    try:
        bar = Bar(total)
    except ImportError:  # rich is for those who grade a class; a server has no use for it
        yield LineDisplay(total)
        return
    with bar:
        yield bar


class LineDisplay:
    """One line per submission: for logs."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._done = 0

    def graded(self, name: str, grade: Grade) -> None:
        """Print name and score."""
        self._done += 1
        print(f"  {self._done}/{self._total}  {clean(name)}: {score(grade)}", flush=True)

    def tested(self, result: TestResult) -> None:
        """Say nothing: a log wants one line per submission."""


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
            console=Console(file=sys.stdout),  # this very terminal: while tests run, sys.stdout is another
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
        """Move on, and count how it ended."""
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
    return "full marks" if grade.score == grade.points else "in part" if grade.score else "no points"


def score(grade: Grade) -> str:
    """Say what was earned."""
    return "no grade" if grade.score is None else f"{float(grade.score):g} of {float(grade.points):g}"


def print_table(rows: Sequence[tuple[str, Grade]], title: str = "") -> None:
    """Print one line per submission, or for a large class those that need somebody's eye."""
    if len(rows) > MOST_ROWS:
        kinds = Counter(kind(grade) for _, grade in rows)
        print(f"{len(rows)} submissions: {tally(kinds)}")
        return
    heads = ("submission", "score", "how it ended", "seconds")
    lines = [_cells(clean(name), grade) for name, grade in rows]
    try:
        from rich import box
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text
    except ImportError:
        for line in (heads, *lines):
            print("  ".join(line))
        return
    table = Table(title=Text(title) if title else None, box=box.SIMPLE_HEAD, expand=True)
    for head in heads:
        number = head in ("score", "seconds")
        rest = 1 if head == "how it ended" else None  # what does not fit into it stands in the results
        table.add_column(head, justify="right" if number else "left", no_wrap=True, ratio=rest)
    for (_, grade), cells in zip(rows, lines, strict=True):
        style = "red" if grade.score is None else "green" if grade.score == grade.points else ""
        table.add_row(*(Text(cell, style) for cell in cells))
    Console().print(table)


def _cells(name: str, grade: Grade) -> tuple[str, ...]:
    ended = FAULT if grade.score is None else grade.remark or tally(grade.outcomes)
    return name, score(grade), ended, f"{grade.seconds:.1f}"
