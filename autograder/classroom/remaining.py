"""Grades the rest of a class: submissions that are new, have changed, or have no grade yet.

This module does not know about rosters and books, or how one submission is graded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from fractions import Fraction

from autograder.classroom import parallel
from autograder.classroom.job import ClassJob
from autograder.classroom.journal import RESULTS, Journal
from autograder.classroom.lock import Held
from autograder.classroom.terminal import Display
from autograder.core import files
from autograder.grading.grader import GRADED_WITH, Grade
from autograder.intake.handins import HandIn

_ROOM = 1 << 16
"""Bytes that must fit on the disk: about the size of one submission's results."""


def grade(
    order: ClassJob,
    entries: list[HandIn],
    points: Fraction,
    journal: Journal,
    held: Held,
    announce: Callable[[str], None],
    follow: Callable[[int], AbstractContextManager[Display]],
) -> dict[str, Grade]:
    """Return the grades of the class, in its order; grade what is new or has changed.

    Every grade is on disk before the next one is handled.

    Raises
    ------
    OSError
        If no file can be written any more.
    """
    keys = {entry.name: journal.key(entry.path) for entry in entries}
    known = dict(_known(journal, keys, points))
    grades = {} if order.force else dict(known)
    todo = [entry for entry in entries if entry.name not in grades]
    for entry in todo:
        if entry.name not in known:  # these results belong to other files, tests or settings
            journal.forget(entry.name)
    jobs = order.jobs or parallel.default_jobs()
    announce(_plan(order, len(entries), len(todo), min(jobs, len(todo))))
    with follow(len(todo)) as display:
        for entry, grade in parallel.grade_all(
            todo, held.drafts, order.config, jobs, order.only, display.tested, order.scheduler
        ):
            grade = journal.add(entry.name, keys[entry.name], grade, held.drafts / entry.name / RESULTS)
            if grade.score is None:
                journal.forget(entry.name)
                _refuse_full(held)
            grades[entry.name] = grade
            display.graded(entry.name, grade)
    return {entry.name: grades[entry.name] for entry in entries}


def _refuse_full(held: Held) -> None:
    """Stop if no file can be written any more: the other submissions would be graded in vain.

    Raises
    ------
    OSError
        If a file cannot be written.
    """
    probe = held.drafts / ".probe"
    files.replace(probe, bytes(_ROOM))
    probe.unlink()


def _known(journal: Journal, keys: dict[str, str], points: Fraction) -> Iterator[tuple[str, Grade]]:
    for name, key in keys.items():
        grade = journal.find(name, key, points)
        if grade is not None:
            yield name, grade


def _plan(order: ClassJob, found: int, todo: int, jobs: int) -> str:
    where = f"from {order.source}" if not order.anonymous else "submissions"
    again = "graded already and unchanged (FORCE=1 grades them again)"
    if not todo:
        return f"All {found} are {again}; results are in {order.place}/"
    done = f"{found - todo} of {found} are {again}. " if todo < found else ""
    how = f"on Dask ({order.scheduler})" if order.scheduler else f"{jobs} at a time"
    return f"{done}Grading {todo} {where} with {GRADED_WITH}, {how}; results go to {order.place}/"
