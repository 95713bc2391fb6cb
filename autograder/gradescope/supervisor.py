"""Watch over one grading from outside, so that it always ends in time and leaves nothing behind.

The grading is a process of its own. It keeps its results so far in a draft. The draft becomes the results when the
grading ends well, or when its time is up. If it ends in any other way there are no results, and the platform reports
a failed autograder: no grade is better than a wrong one. This module knows processes, files and a deadline. It does not
know scores, tests, or what is in the draft.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from autograder.sandbox.worker import lockdown

PASSING_SECONDS = 5.0
"""How long the processes of a killed grading may take to end by themselves."""


def follow(supervisor: int) -> None:
    """Make the grading end when the supervisor ends, for whatever reason; the grading calls this.

    Without a supervisor it would have no deadline, and would still run when the next grading starts.
    """
    if sys.platform == "linux":
        lockdown.die_with(supervisor)


def supervise(command: Sequence[str], draft: Path, results: Path, seconds: float) -> bool:
    """Run a grading; return whether there are results.

    This process must have no other children: all of them are ended together with the grading.

    Parameters
    ----------
    command : sequence of str
        Grades, writes `draft`, and exits with 0 when that is complete.
    draft, results : Path
        Two files in one folder. The draft's name is unique per run: the name of the results, then ``.partial`` and
        more.
    seconds : float
        When this time is up, the grading is ended and the draft counts as it is.
    """
    lockdown.protect()  # also makes this process the parent of all that the grading leaves behind
    results.unlink(missing_ok=True)
    _remove_drafts(results)
    try:
        story = _run(command, seconds)
        if not story and not draft.exists():
            story = "The grading has left no results."
        if story:
            _tell(f"{story} No grade is published.")
            return False
        draft.replace(results)
        return True
    finally:
        _remove_drafts(results)


def _remove_drafts(results: Path) -> None:
    """Remove the drafts of all runs, and the temporary files of writers that were killed."""
    for beginning in ("", "."):
        for draft in results.parent.glob(f"{beginning}{results.stem}.partial*"):
            with contextlib.suppress(OSError):
                draft.unlink()


def _tell(staff: str) -> None:
    with contextlib.suppress(OSError):  # a grade must not depend on whether the output can be printed
        print(staff, flush=True)


def _run(command: Sequence[str], seconds: float) -> str:
    """Run a grading and end all its processes; return why there is no grade, empty if there is one."""
    with _scratch() as scratch:
        environment = {**os.environ, "TMPDIR": str(scratch)}
        grading = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True, env=environment)
        try:
            return _story(grading.wait(timeout=seconds))
        except subprocess.TimeoutExpired:
            _tell(f"The grading was ended after {seconds:.0f} s. What it had found by then counts.")
            return ""
        finally:
            _end(grading)
            _end_orphans()


@contextlib.contextmanager
def _scratch() -> Iterator[Path]:
    """Make a folder for everything temporary, which student code's user must be able to reach, and remove it."""
    folder = Path(tempfile.mkdtemp(prefix="autograder-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _story(status: int) -> str:
    """Say how a grading failed."""
    if status == -signal.SIGKILL:
        return "The grading was killed, probably because memory ran out: choose a larger container on Gradescope."
    if status < 0:
        return f"The grading was ended by {signal.Signals(-status).name}."
    return f"The grading ended with status {status}; the reason is above." if status else ""


def _end(grading: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(grading.pid, signal.SIGKILL)
    grading.wait()


def _end_orphans() -> None:
    """Wait until the processes of the grading have ended; kill those that do not end by themselves."""
    started = time.monotonic()
    while True:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        passed = time.monotonic() - started
        if passed > 2 * PASSING_SECONDS:  # it cannot be killed: nothing more can be done
            return
        if pid == 0 and passed > PASSING_SECONDS:
            for child in _children():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(child, signal.SIGKILL)
        if pid == 0:
            time.sleep(0.02)


def _children() -> Iterator[int]:
    if sys.platform != "linux":
        return
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = path.read_text(errors="replace").rpartition(")")[2].split()
            if int(fields[1]) == os.getpid():
                yield int(path.parent.name)
