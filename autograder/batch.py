"""Many submissions: find them in a folder, grade them side by side, lose none.

It must not know: how one submission is graded, or how a terminal is drawn on.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass
from fractions import Fraction
from multiprocessing import get_context
from pathlib import Path

from autograder import config as configuration
from autograder.errors import ConfigurationError
from autograder.grade import Grade, Grader
from autograder.outcomes import FAULT

RESULTS = "results.json"


@dataclass(frozen=True)
class Entry:
    """One submission of a batch: its name in the output folder, and where it is."""

    name: str
    path: Path


def find(path: Path, required: str) -> list[Entry]:
    """Return the submissions at `path`.

    Parameters
    ----------
    path : Path
        One file, one submission's folder (it holds `required`), or a folder of zips, ``.py`` files and folders.
    required : str
        The name of the file that every submission must hold.

    Raises
    ------
    ConfigurationError
        If nothing is there.
    """
    if not path.exists():
        raise ConfigurationError("SUBMISSIONS", "", f"{path} does not exist", "Give a file or a folder of submissions")
    if path.is_file() or (path / required).is_file():
        return [Entry(path.stem if path.is_file() else path.resolve().name, path)]
    found = sorted(child for child in path.iterdir() if not child.name.startswith((".", "__")))
    if not found:
        raise ConfigurationError("SUBMISSIONS", "", f"{path} is empty", "Give a file or a folder of submissions")
    stems = [child.stem if child.is_file() else child.name for child in found]
    return [
        Entry(stem if stems.count(stem) == 1 else child.name, child) for stem, child in zip(stems, found, strict=True)
    ]


def grade_all(
    entries: list[Entry], out: Path, config_path: Path, jobs: int, only: str | None = None
) -> Iterator[tuple[Entry, Grade]]:
    """Grade `entries` and yield each grade as it is ready; results go to ``out/<name>/results.json``.

    A grading process that is lost costs the submissions it had in hand, and these say so.
    """
    grader = Grader(configuration.load(config_path), only)  # a bad configuration is refused before anything starts
    if min(jobs, len(entries)) == 1:
        for entry in entries:
            yield entry, grader.grade(entry.path, out / entry.name / RESULTS)
        return
    pool = ProcessPoolExecutor(jobs, get_context("spawn"), _start_process, (config_path, only))
    try:
        waiting: dict[Future[Grade], Entry] = {
            pool.submit(_grade, entry.path, out / entry.name / RESULTS): entry for entry in entries
        }
        while waiting:
            done, _ = wait(waiting, return_when=FIRST_COMPLETED)
            for future in done:
                entry = waiting.pop(future)
                error = future.exception()
                yield entry, future.result() if error is None else _lost(grader.points, error)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def default_jobs() -> int:
    """Return how many submissions to grade side by side: one for each processor this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


_grader: Grader | None = None
"""The grader of a process of the pool."""


def _start_process(config_path: Path, only: str | None) -> None:
    global _grader
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which lets what is in hand end
    _grader = Grader(configuration.load(config_path), only)


def _grade(path: Path, results_path: Path) -> Grade:
    assert _grader is not None
    return _grader.grade(path, results_path)


def _lost(points: Fraction, error: BaseException) -> Grade:
    from collections import Counter

    return Grade(None, points, Counter({FAULT: 1}), 0.0, f"the grading process was lost: {error}")
