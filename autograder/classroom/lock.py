"""Opens an output folder for one run at a time, apart from the hand-ins, with a place for unfinished files.

The lock is the system's own (``flock``). The system releases it when the process ends, for whatever reason. The text in
the lock file only tells others who holds it. This module does not know what a run does.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import shlex
import shutil
import socket
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from autograder.core import files
from autograder.core.errors import ConfigurationError

LOCK = ".lock"
DRAFTS = ".drafts-"
"""How the name of a run's folder for unfinished files begins; if the run is killed, the next one removes it."""

_UNSUPPORTED = {errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL}
"""The errors of a file system that has no locks."""


@dataclass(frozen=True)
class Held:
    """An output folder that only this run uses.

    Attributes
    ----------
    out : Path
        The folder.
    drafts : Path
        A new folder in it, for unfinished files; each is moved to its place once it is complete. The folder is removed
        when the run ends.
    problem : str
        What staff should know about the lock; empty if there is nothing to say.
    """

    out: Path
    drafts: Path
    problem: str = ""


@contextlib.contextmanager
def hold(out: Path) -> Iterator[Held]:
    """Make the folder `out` if it is missing, and keep other runs out of it.

    Raises
    ------
    ConfigurationError
        If the folder cannot be made or written, or another run holds it.
    """
    try:
        out.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(out / LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise _refused(out, error) from None
    try:
        try:
            problem = _lock(out, descriptor)
            for old in out.glob(f"{DRAFTS}*"):
                shutil.rmtree(old, ignore_errors=True)
            drafts = Path(tempfile.mkdtemp(dir=out, prefix=DRAFTS))
        except OSError as error:
            raise _refused(out, error) from None
        try:
            yield Held(out, drafts, problem)
        finally:
            shutil.rmtree(drafts, ignore_errors=True)
    finally:
        os.close(descriptor)


def keep_apart(source: Path, out: Path) -> None:
    """Refuse an output folder and a folder of hand-ins that are inside each other.

    Raises
    ------
    ConfigurationError
        If one is inside the other: results would be taken for hand-ins, or written among them.
    """
    if not source.is_dir():
        return
    here, there = (Path(os.path.realpath(path)) for path in (source, out))
    if _is_in(there, here):
        problem = f"{out} is inside the submissions ({source}): results would be taken for hand-ins"
    elif _is_in(here, there):
        problem = f"{out} holds the submissions ({source}): results would be written among them"
    else:
        return
    beside = here.parent if _is_in(there, here) else there
    raise ConfigurationError(
        "OUT", "", problem, f"Give a folder of its own, such as OUT={shlex.quote(str(beside / f'{here.name}-results'))}"
    )


def _is_in(path: Path, folder: Path) -> bool:
    """Whether `path` is `folder` or below it, even if it is written in another way (on a Mac, in upper case)."""
    return any(above == folder or _is_same(above, folder) for above in (path, *path.parents))


def _is_same(one: Path, other: Path) -> bool:
    try:
        return os.path.samefile(one, other)
    except OSError:  # the path does not exist yet
        return False


def _refused(out: Path, error: OSError) -> ConfigurationError:
    made = "written to" if os.path.isdir(out) else "made"
    remedy = files.remedy(error) or "Make it writable, or give another folder"
    return ConfigurationError("OUT", "", f"{out} cannot be {made}: {error.strerror}", remedy)


def _lock(out: Path, descriptor: int) -> str:
    """Lock the file and write into it who holds it; return what is wrong with locks on this disk, if anything."""
    problem = ""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        remedy = "Wait until it has ended, or give another folder with OUT="
        raise ConfigurationError("OUT", "", f"{out} is in use by {_holder(descriptor)}", remedy) from None
    except OSError as error:
        if error.errno not in _UNSUPPORTED:
            raise
        problem = f"{out} cannot be locked ({error.strerror}): do not grade into it from two terminals at once"
    since = datetime.now().astimezone().isoformat(" ", "seconds")
    command = shlex.join(["autograder", *sys.argv[1:]])
    who = {"pid": os.getpid(), "host": socket.gethostname(), "since": since, "command": command}
    os.ftruncate(descriptor, 0)
    files.write_all(descriptor, json.dumps(who).encode() + b"\n")
    return problem


def _holder(descriptor: int) -> str:
    """Say who holds the lock, as far as the file says."""
    try:
        who = json.loads(os.pread(descriptor, 1 << 16, 0))
        pid, host, since, command = (who[key] for key in ("pid", "host", "since", "command"))
    except (OSError, ValueError, KeyError, TypeError):  # the other run has the lock, but has not written the text yet
        return "another run"
    return f"another run: process {pid} on {host}, since {since}: {command}"
