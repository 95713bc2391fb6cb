"""Grades many submissions side by side, here or on a cluster, and loses none.

This module does not know how one submission is graded, or how progress is shown.
"""

from __future__ import annotations

import contextlib
import functools
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, as_completed, wait
from concurrent.futures.process import BrokenProcessPool
from fractions import Fraction
from multiprocessing import active_children, get_context
from multiprocessing.connection import Connection
from pathlib import Path

from autograder.core import config as configuration
from autograder.core import console
from autograder.core.errors import ConfigurationError
from autograder.core.outcomes import TestResult
from autograder.grading.grader import Grade, Grader
from autograder.intake import download
from autograder.intake.handins import HandIn as HandIn

RESULTS = "results.json"
LOST = "the grading process was lost, twice"
CONNECT_SECONDS = 10.0
GRACE_SECONDS = 5.0
"""How long an interrupted grading may take to clean up: it ends its workers and removes its files."""
_OF_THE_TERMINAL = (signal.SIGINT, signal.SIGHUP)
"""The terminal sends these to every process that it started; only the parent handles them, and then ends the others."""


def find(path: Path, required: str) -> list[HandIn]:
    """Return the submissions at `path`; every zip is one submission. See `download.read`."""
    return download.read(path, required).entries


def grade_all(
    entries: list[HandIn],
    out: Path,
    config_path: Path,
    jobs: int,
    only: str | None = None,
    progress: Callable[[TestResult], None] | None = None,
    scheduler: str | None = None,
) -> Iterator[tuple[HandIn, Grade]]:
    """Grade `entries` and yield each grade as it is ready; results go to ``out/<name>/results.json``.

    When a grading process is lost, its submissions are graded once more, each in a process of its own. A submission
    that loses this process, too, gets no grade. When this process is interrupted or killed, unfinished submissions get
    no results.

    Parameters
    ----------
    progress : callable, optional
        Called for every test function that ends, if submissions are graded one after the other.
    scheduler : str, optional
        Where Dask grades: ``local`` for a cluster of `jobs` processes here, or the address of a scheduler whose workers
        see the same files. By default processes of this machine grade, without Dask.
    """
    grader = Grader(configuration.load(config_path), only)  # a bad configuration is refused before anything starts
    try:
        out.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError("OUT", "", f"{out} cannot be made: {error.strerror}", "Give another folder") from None
    if scheduler:
        yield from _on_dask(scheduler, entries, jobs, grader.points, out, config_path, only)
        return
    jobs = min(jobs, len(entries))
    if jobs <= 1:
        for entry in entries:
            yield entry, grader.grade(entry.path, out / entry.name / RESULTS, progress)
        return
    waiting, lost = deque(entries), deque[HandIn]()
    while waiting:
        yield from _side_by_side(waiting, lost, jobs, out, config_path, only)
    for entry in lost:
        lost_again = deque[HandIn]()
        yield from _side_by_side(deque([entry]), lost_again, 1, out, config_path, only)
        if lost_again:
            (out / entry.name / RESULTS).unlink(missing_ok=True)
            yield entry, Grade.fault(grader.points, LOST)


def _side_by_side(
    waiting: deque[HandIn], lost: deque[HandIn], jobs: int, out: Path, config_path: Path, only: str | None
) -> Iterator[tuple[HandIn, Grade]]:
    """Grade what is `waiting`, until all is done or a process is lost; then add the unfinished ones to `lost`."""
    context = get_context("spawn")
    # nothing is ever sent through it: this process closes it when the others shall end
    theirs, ours = context.Pipe(duplex=False)
    with _calm_start():
        executor = ProcessPoolExecutor(jobs, context, _start_process, (config_path, only, theirs))
    in_hand: dict[Future[Grade], HandIn] = {}
    try:
        while waiting or in_hand:
            while waiting and len(in_hand) < jobs:
                entry = waiting[0]
                with _calm_start():
                    in_hand[executor.submit(_grade, entry.path, out / entry.name / RESULTS)] = entry
                    waiting.popleft()
            for future in wait(in_hand, return_when=FIRST_COMPLETED).done:
                grade = future.result()
                yield in_hand.pop(future), grade
    except BrokenProcessPool:
        lost.extend(in_hand.values())
    finally:
        if in_hand:
            ours.close()
            for process in active_children():  # processes that are still starting do not listen yet
                process.terminate()
        executor.shutdown(wait=True, cancel_futures=True)
        ours.close()
        theirs.close()


def _on_dask(
    scheduler: str, entries: list[HandIn], jobs: int, points: Fraction, out: Path, config_path: Path, only: str | None
) -> Iterator[tuple[HandIn, Grade]]:
    """Grade on Dask, whose executor is one of `concurrent.futures`.

    When a worker is lost, its submissions are graded once more, one after the other, as without Dask.
    """
    try:
        import dask
        from distributed import Client, KilledWorker, LocalCluster
    except ImportError:
        problem = "needs the package distributed, which is not installed here"
        raise ConfigurationError("SCHEDULER", "", problem, "pip install -r requirements/dask.txt") from None
    with contextlib.ExitStack() as stack:
        stack.enter_context(dask.config.set({"distributed.scheduler.allowed-failures": 0}))
        if scheduler == "local":
            with children_ignore_ctrl_c():
                cluster = LocalCluster(n_workers=jobs, threads_per_worker=1, dashboard_address=None, silence_logs=50)
            scheduler = stack.enter_context(cluster).scheduler_address
        try:
            client = stack.enter_context(Client(scheduler, timeout=CONNECT_SECONDS, set_as_default=False))
        except (OSError, ValueError) as error:
            problem = f"{scheduler} cannot be reached: {' '.join(str(error).split())}"
            raise ConfigurationError("SCHEDULER", "", problem, "Start it, or correct the address") from None
        executor = client.get_executor(pure=False)
        stack.callback(executor.shutdown, wait=False)  # this cancels the submissions that have not been graded

        run = time.time_ns()  # a worker lives longer than the batch, and must not keep an old configuration

        def submit(entry: HandIn) -> Future[Grade]:
            places = entry.path.absolute(), (out / entry.name / RESULTS).absolute()
            future: Future[Grade] = executor.submit(_grade_anywhere, str(config_path.absolute()), only, run, *places)
            return future

        waiting, lost = {submit(entry): entry for entry in entries}, []
        for future in as_completed(list(waiting)):
            entry = waiting.pop(future)
            try:
                yield entry, future.result()
            except KilledWorker:
                lost.append(entry)
        for entry in lost:
            try:
                yield entry, submit(entry).result()
            except KilledWorker:
                (out / entry.name / RESULTS).unlink(missing_ok=True)
                yield entry, Grade.fault(points, LOST)


@contextlib.contextmanager
def _calm_start() -> Iterator[None]:
    """Keep the terminal's signals from processes that are started inside, until these ignore them by themselves."""
    with console.shielded():
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _OF_THE_TERMINAL)  # a new process inherits this setting
        try:
            yield
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextlib.contextmanager
def children_ignore_ctrl_c() -> Iterator[None]:
    """Make processes that are started inside ignore Ctrl-C: only this process handles it, and then ends them."""
    if threading.current_thread() is not threading.main_thread():  # only the main thread may set signals
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # an ignored signal is also ignored in a new program
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def default_jobs() -> int:
    """Return how many submissions to grade side by side: one for each processor this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


# --- in a process of its own -----------------------------------------------------------------------------------------

_grader: Grader | None = None
_grading = False
_ending = False


def _start_process(config_path: Path, only: str | None, parent: Connection) -> None:
    global _grader
    for number in _OF_THE_TERMINAL:
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _OF_THE_TERMINAL)
    signal.signal(signal.SIGTERM, _end)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    _grader = Grader(configuration.load(config_path), only)


_one_at_a_time = threading.Lock()  # pytest and standard output exist once per process


def _grade_anywhere(config_path: str, only: str | None, run: int, path: Path, results_path: Path) -> Grade:
    """Grade one submission, in a new or a used process; a Dask worker may run this in several threads."""
    with _one_at_a_time:
        return _grader_of(config_path, only, run).grade(path, results_path)


@functools.lru_cache(maxsize=1)
def _grader_of(config_path: str, only: str | None, run: int) -> Grader:
    return Grader(configuration.load(Path(config_path)), only)


def _end_with(parent: Connection) -> None:
    """End this process, whatever it is doing, when its parent closes the pipe or is gone."""
    parent.poll(None)
    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)
    time.sleep(GRACE_SECONDS)
    os._exit(1)


def _end(*_: object) -> None:
    """Interrupt the grading, but only once, so that it can clean up."""
    global _ending
    ended, _ending = _ending, True
    if _grading and not ended:
        raise KeyboardInterrupt


def _grade(path: Path, results_path: Path) -> Grade:
    global _grading
    assert _grader is not None
    _grading = True
    try:
        if _ending:
            raise KeyboardInterrupt
        return _grader.grade(path, results_path)
    finally:
        _grading = False
