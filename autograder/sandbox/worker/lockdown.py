"""Lock a process down: what a worker gives up before it sees the student's file.

Theory of operation
-------------------
``apply`` takes rights away from the calling process, in layers, for good. It runs in a worker just forked from the
launcher, in its only thread (Landlock and the filter bind one thread and what it starts). In this order:

oom_score_adj
    When memory runs out the kernel kills the worker, not the grader. First, because it writes to a file.
rlimits
    No byte written to any file, no core file, no new process, few descriptors, bounded memory and processor time.
no_new_privs
    No setuid program gives back what is taken away here. Landlock and the filter insist on it.
uid
    Another user, one per job slot, who cannot signal, trace or read the grader and its files. For root only.
capabilities
    None left, not even where root stays root.
dumpable
    Processes of the same user cannot trace this one or read its memory; a crash leaves no core and starts no crash
    reporter. After the change of user, which resets the flag. The grader can still read its processor clock.
parent_death
    The kernel kills it when the launcher dies. The change of user resets this as well.
landlock
    Reads files below a few directories and no others (``landlock.py``). After the change of user, because a directory
    that this user cannot reach needs no exception.
seccomp
    Makes only the system calls on a list (``seccomp.py``). Last, because everything above is not on it.

Each layer has holes that another one closes: a limit on processes does not bind root, another user still has the
network and everybody's files, Landlock leaves modes, owners and (before Linux 6.12) signals, the filter cannot tell
one file from another.

What is not stopped: using up the time and memory allowed; anything within the process, which belongs to the student;
reading below the directories named, and without Landlock whatever the user may read; learning that a file or a process
exists; a bug of the kernel's in one of the calls on the list.

If a layer cannot hold here, the report gives the reason instead of "on". Other modules decide whether that is enough.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import struct
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING or __package__:
    from autograder.sandbox.worker import landlock, seccomp
else:  # inside the program, where `-I` leaves only the standard library and this folder to import from
    import landlock
    import seccomp

MAX_DESCRIPTORS = 64
GRACE_SECONDS = 1
"""Between SIGXCPU, which says why, and SIGKILL, for a worker that ignores it."""

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_CHILD_SUBREAPER, _PR_SET_NO_NEW_PRIVS = 1, 4, 36, 38
_CAPABILITY_VERSION = 0x20080522
_libc = ctypes.CDLL(None, use_errno=True)

proc: int | None = None
"""A descriptor of /proc, where that cannot be seen any more. A worker must close it before any code of the student's
runs."""


def keep_proc() -> None:
    """Open /proc for workers to come: soon it cannot be seen any more."""
    global proc
    proc = os.open("/proc", os.O_PATH | os.O_CLOEXEC)


@dataclass(frozen=True)
class Confinement:
    """What a worker may use; plain enough for JSON.

    Attributes
    ----------
    memory_mib : int
        Address space.
    cpu_seconds : int
        Processor time, after which it gets SIGXCPU.
    uid : int or None
        The user to become, and the group of the same number; None to stay.
    readable : list of str
        What Landlock lets it read: directories, with all that is below, or single files.
    landlock, seccomp : bool
        Whether to apply these layers where the kernel has them. Off only to show what they are good for.
    """

    memory_mib: int
    cpu_seconds: int
    uid: int | None = None
    readable: list[str] = field(default_factory=list)
    landlock: bool = True
    seccomp: bool = True

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Confinement:
        """Return what a request describes, by the names of the fields."""
        return cls(**fields)


class NotHere(Exception):
    """A layer that cannot hold, and why."""


def apply(confinement: Confinement, parent: int | None = None, prepared: int | None = None) -> dict[str, str]:
    """Give up everything that `confinement` does not leave, for good.

    Parameters
    ----------
    confinement : Confinement
        What remains.
    parent : int, optional
        Process id of the parent, known before the fork. The process ends at once if its parent is another one by now:
        nobody is left who would kill it in time. By default whoever is the parent at the time of the call.
    prepared : int, optional
        What ``prepare`` returned for what `confinement` leaves to read.

    Returns
    -------
    dict of str to str
        For every layer, in the order of application, "on" or the reason why it does not hold.
    """
    parent = os.getppid() if parent is None else parent
    layers: dict[str, Callable[[], object]] = {
        "oom_score_adj": _on_linux(_go_first_when_memory_runs_out),
        "rlimits": lambda: _limit(confinement.memory_mib, confinement.cpu_seconds),
        "no_new_privs": _on_linux(lambda: _prctl(_PR_SET_NO_NEW_PRIVS, 1)),
        "uid": _on_linux(lambda: _become(confinement.uid)),
        "capabilities": _on_linux(_drop_capabilities),
        "dumpable": _on_linux(lambda: _prctl(_PR_SET_DUMPABLE, 0)),
        "parent_death": _on_linux(lambda: die_with(parent)),
        "landlock": _on_linux(lambda: _restrict(confinement, prepared)),
        "seccomp": _on_linux(lambda: _filter(confinement)),
    }
    return {name: _attempt(layer) for name, layer in layers.items()}


def protect() -> dict[str, str]:
    """Protect a trusted process, the grader or the launcher, from others of its user; report as ``apply`` does.

    They cannot trace it, nor read its memory and environment. A daemon that a worker left behind becomes its child, so
    that it can be found.
    """
    return {
        "dumpable": _attempt(_on_linux(lambda: _prctl(_PR_SET_DUMPABLE, 0))),
        "subreaper": _attempt(_on_linux(lambda: _prctl(_PR_SET_CHILD_SUBREAPER, 1))),
    }


def die_with(parent: int) -> None:
    """Have the kernel kill this process when its parent, which has this id, dies; for Linux."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before this request
        os.kill(os.getpid(), signal.SIGKILL)


def prepare(readable: Iterable[str]) -> int | None:
    """Return a descriptor of Landlock's rules for workers to come, for ``apply``; None where there is no Landlock.

    Making them takes a third of a worker's start. A worker must close it before any code of the student's runs.
    """
    try:
        return landlock.prepare(readable) if sys.platform == "linux" else None
    except OSError:
        return None  # a worker that tries will say why


def sweep(uid: int) -> NoReturn:
    """Kill every process of the user `uid` and exit. To be called by root in a forked child.

    The exit status is 0 when it is done. Anything else, a death by signal included, means to try again: a process of
    that user may have been quicker and killed this one.
    """
    status = 1
    try:
        _become(uid)  # raises unless this process is that user and can be no other: the kill below spares nobody
        _drop_capabilities()
        os.kill(-1, signal.SIGKILL)
        status = 0
    except ProcessLookupError:
        status = 0  # there was nobody to kill
    finally:
        os._exit(status)


# --- the layers ------------------------------------------------------------------------------------------------------


def _attempt(layer: Callable[[], object]) -> str:
    try:
        layer()
    except NotHere as error:
        return str(error)
    except OSError as error:
        return error.strerror or str(error)
    return "on"


def _on_linux(layer: Callable[[], object]) -> Callable[[], object]:
    def refuse() -> None:
        raise NotHere(f"{sys.platform} has no such thing")

    return layer if sys.platform == "linux" else refuse


def _go_first_when_memory_runs_out() -> None:
    _prctl(_PR_SET_DUMPABLE, 1)  # inherited from the launcher as 0, which makes the file root's; 0 again further down
    path = "/proc/self/oom_score_adj" if proc is None else "self/oom_score_adj"
    descriptor = os.open(path, os.O_WRONLY, dir_fd=proc)
    try:
        os.write(descriptor, b"1000")
    finally:
        os.close(descriptor)


def _limit(memory_mib: int, cpu_seconds: int) -> None:
    memory = memory_mib * 2**20
    wanted = {
        "RLIMIT_FSIZE": (0, 0),
        "RLIMIT_CORE": (0, 0),
        "RLIMIT_NPROC": (0, 0),
        "RLIMIT_NOFILE": (MAX_DESCRIPTORS, MAX_DESCRIPTORS),
        "RLIMIT_AS": (memory, memory),
        "RLIMIT_CPU": (cpu_seconds, cpu_seconds + GRACE_SECONDS),
    }
    failures = []
    for name, (soft, hard) in wanted.items():
        number = getattr(resource, name)
        ceiling = resource.getrlimit(number)[1]
        if ceiling != resource.RLIM_INFINITY:  # somebody was stricter already
            soft, hard = min(soft, ceiling), min(hard, ceiling)
        try:
            resource.setrlimit(number, (soft, hard))
        except (ValueError, OSError) as error:
            failures.append(f"{name}: {error}")
    if failures:
        raise NotHere("; ".join(failures))


def _become(uid: int | None) -> None:
    if uid is None:
        raise NotHere("no other user to become")
    if uid <= 0:
        raise NotHere(f"user {uid} is no user to become")
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    if os.getresuid() != (uid,) * 3 or os.getresgid() != (uid,) * 3 or os.getgroups():
        raise NotHere("the change of user did not take effect")
    try:
        os.setresuid(0, 0, 0)
    except PermissionError:
        return
    raise NotHere("the change of user could be undone")


def _drop_capabilities() -> None:
    header = struct.pack("Ii", _CAPABILITY_VERSION, 0)
    _check(_libc.capset(header, bytes(24)))  # effective, permitted and inheritable, in two halves: none


def _restrict(confinement: Confinement, prepared: int | None) -> None:
    if not confinement.landlock:
        raise NotHere("switched off")
    if not confinement.readable:
        raise NotHere("nothing was named that the worker may read")
    ruleset = landlock.prepare(confinement.readable) if prepared is None else prepared
    try:
        landlock.restrict(ruleset)
    finally:
        if prepared is None:
            os.close(ruleset)


def _filter(confinement: Confinement) -> None:
    if not confinement.seccomp:
        raise NotHere("switched off")
    seccomp.install()


def _prctl(option: int, value: int) -> None:
    rest = (ctypes.c_ulong(0),) * 3  # some options insist on zeros
    _check(_libc.prctl(option, ctypes.c_ulong(value), *rest))


def _check(result: int) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
