"""The worker program: runs one student's file on request.

Theory of operation
-------------------
The grader starts this program as ``python -I -S -B sandbox/worker --control FD --modules DIRECTORY``, without any
secret in its environment or memory. It imports NumPy from DIRECTORY, which holds nothing but NumPy, and becomes the
**launcher**: trusted, it never sees a line of a student's code. For every ``start`` on its control socket it forks one
child, the **worker**, which gets a data socket of its own, locks itself down (``lockdown.py``) and says how that went.
Only then does it learn where the student's file is, imports it, and answers calls until it is killed. From that import
on the process belongs to the student: nothing it says is believed by the grader without a check.

Forking from a launcher costs about 2 ms where a fresh Python with NumPy costs 80. Where forking after NumPy's import is
not safe (macOS), ``--single yes`` makes the launcher itself become the one worker that it starts.

An object that is not an array (a cache) stays here, under a number.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import json
import os
import signal
import socket
import sys
import time
from typing import Any, NoReturn

if __name__ == "__main__":  # as a program, `-I` leaves only the standard library and this folder to import from
    sys.path.append(sys.argv[sys.argv.index("--modules") + 1])
    import lockdown
    import service
    import view
    import wire
else:
    from autograder.sandbox.worker import lockdown, service, view, wire

MAX_CONTROL_BYTES = 64 * 1024
MOST_DESCRIPTORS_AT_ONCE = 8
"""More than come with what is read at once: every ``start`` brings one, and the grader starts one or two ahead."""
SWEEPS = 10
"""How often a sweep is tried: the processes that it should kill may kill it first."""
NATURAL_DEATH_SECONDS = 1.0
"""How long a worker whose socket has closed may take to end before it is killed."""
EXIT_OUT_OF_MEMORY = 77
"""Exit status when memory ran out while a result was being sent. A student who fakes it gains nothing."""
PROBE = "colorsys"
"""A small module of the standard library that nothing else imports."""
PRELOADED = ("numpy", "numpy.fft", "numpy.lib.stride_tricks", "numpy.linalg", "numpy.random")
"""Imported once by the launcher, so that no worker pays for them."""
MOST_DESCRIPTORS = 1024
"""A launcher never has that many open."""
NOT_FOR_STUDENTS = ("_test", "xx", "_xx")
"""Prefixes of extension modules that only Python's own tests use."""


def main() -> None:
    """Be the launcher; with ``--single yes``, the only worker."""
    parent = os.getppid()
    arguments = dict(zip(sys.argv[1::2], sys.argv[2::2], strict=True))
    sys.path.pop(0)  # this folder: from here on only the standard library and NumPy can be imported
    del sys.argv[1:]
    control = socket.socket(fileno=int(arguments["--control"]))
    lockdown.protect()
    for module in PRELOADED:
        importlib.import_module(module)
    load_extensions()
    narrowed = _narrow(arguments) if arguments["--view"] == "yes" else "switched off"
    readable = _libraries()
    gc.collect()
    gc.freeze()  # keeps the collector from touching, and so copying, memory shared with the workers
    _reply(control, {"ready": sys.version.split()[0]})
    if arguments.get("--single") == "yes":
        request, descriptors = _Requests(control).next()
        _reply(control, {"pid": os.getpid()})
        request["confinement"]["readable"] += readable
        _become_worker(request["confinement"], descriptors[0], control, parent, narrowed)
    _launch(control, readable, narrowed)


def load_extensions() -> None:
    """Load the machine code of every extension module of the standard library. A worker cannot load any later.

    They are not imported here. The import in a worker finds the code in memory, and so the system-call filter can
    refuse all memory that is executable (see ``seccomp.py``).
    """
    if sys.platform != "linux":
        return
    folder = os.path.join(os.path.dirname(os.__file__), "lib-dynload")
    with contextlib.suppress(FileNotFoundError):
        for name in os.listdir(folder):
            if ".so" in name and not name.startswith(NOT_FOR_STUDENTS):
                with contextlib.suppress(OSError):  # it lacks a library, so that nobody could import it
                    ctypes.CDLL(os.path.join(folder, name), os.RTLD_LAZY)


def _narrow(arguments: dict[str, str]) -> str:
    """Let this process and its workers see no files but those that workers need; say "on", or why not."""
    if sys.platform != "linux":
        return f"{sys.platform} has no such thing"
    modules, standard = arguments["--modules"], os.path.dirname(os.__file__)
    shown = {path: path for path in (standard, arguments["--code"], "/etc/localtime", os.devnull, "/dev/urandom")}
    shown |= {path: os.path.realpath(path) for path in (os.path.join(modules, name) for name in os.listdir(modules))}
    lockdown.keep_proc()
    try:
        view.narrow(modules, shown)
    except OSError as error:
        return error.strerror or str(error)
    return "on"


def _libraries() -> list[str]:
    """List what a worker must read to import modules: the standard library, NumPy, and the folders of shared libraries.

    Packages that happen to be installed beside the standard library are left out.
    """
    standard = os.path.dirname(os.__file__)
    readable = [entry.path for entry in os.scandir(standard) if entry.name not in ("site-packages", "dist-packages")]
    readable += [os.path.realpath(os.path.join(sys.path[-1], name)) for name in os.listdir(sys.path[-1])]
    with contextlib.suppress(OSError), open("/proc/self/maps") as maps:
        mapped = {line.split(maxsplit=5)[5].strip() for line in maps if "/" in line}
        folders = {os.path.dirname(path) for path in mapped if ".so" in os.path.basename(path)}
        for folder in sorted(folder for folder in folders if not folder.startswith(standard)):
            entries = list(os.scandir(folder))
            if any(entry.name.startswith("python") and entry.is_dir() for entry in entries):  # with packages below it
                readable += [entry.path for entry in entries if ".so" in entry.name]
            else:
                readable.append(folder)
    return [*readable, "/etc/ld.so.cache", "/etc/localtime", os.devnull, "/dev/urandom"]


# --- the launcher ----------------------------------------------------------------------------------------------------


def _launch(control: socket.socket, readable: list[str], narrowed: str) -> None:
    """Fork a worker for every ``start``, end one for every ``stop``, until the grader hangs up."""
    children: set[int] = set()
    users: set[int] = set()
    probed: set[int | None] = set()
    rulesets: dict[tuple[str, ...], int | None] = {}  # a submission's and the model answer's
    launcher = os.getpid()
    requests = _Requests(control)
    while True:
        request, descriptors = requests.next()
        if not request:
            break
        if request["do"] == "start":
            confinement = request["confinement"]
            confinement["readable"] += readable
            key = tuple(confinement["readable"])
            if key not in rulesets and confinement.get("landlock", True):
                rulesets[key] = lockdown.prepare(key)
            user = confinement["uid"]
            pid = os.fork()
            if pid == 0:
                prepared, probe = rulesets.get(key), user not in probed
                _become_worker(confinement, descriptors[0], control, launcher, narrowed, prepared, probe)
            children.add(pid)
            probed.add(user)
            users.update(() if user is None else (user,))
            _reply(control, {"pid": pid})
        else:
            children.discard(request["pid"])
            ending = _stop(request["pid"], wait=request["died"])
            if request["uid"] is not None:
                _sweep(request["uid"])
            _reply(control, ending)
        for descriptor in descriptors:
            os.close(descriptor)
    for pid in children:
        _stop(pid, wait=False)
    for uid in users:
        _sweep(uid)


def _stop(pid: int, wait: bool) -> dict[str, Any]:
    """Kill a worker with its process group and reap it; with `wait`, let it finish dying by itself first.

    Until it is reaped here nobody else can get its process id, so the kill cannot hit a stranger.
    """
    deadline = time.monotonic() + (NATURAL_DEATH_SECONDS if wait else 0.0)
    look = os.WEXITED | os.WNOHANG | os.WNOWAIT
    while not (ended := os.waitid(os.P_PID, pid, look) is not None) and time.monotonic() < deadline:
        time.sleep(0.001)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
    os.kill(pid, signal.SIGKILL)  # it may not have become the leader of its group yet
    _, status = os.waitpid(pid, 0)
    return {"status": status, "killed": not ended}


def _sweep(uid: int) -> None:
    """Kill whatever else runs as this user: a worker that could fork may have left something behind."""
    for _ in range(SWEEPS):
        pid = os.fork()
        if pid == 0:
            lockdown.sweep(uid)
        if os.waitpid(pid, 0)[1] == 0:
            return


class _Requests:
    """The grader's requests. Several may arrive at once, because it does not wait for every answer."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._unread = b""
        self._descriptors: list[int] = []

    def next(self) -> tuple[dict[str, Any], list[int]]:
        """Return the next request and the descriptors that came with it; an empty one when the grader has hung up."""
        while b"\n" not in self._unread:
            part, descriptors = b"", list[int]()
            with contextlib.suppress(ConnectionResetError):  # it has not read our answers
                part, descriptors, _, _ = socket.recv_fds(self._control, MAX_CONTROL_BYTES, MOST_DESCRIPTORS_AT_ONCE)
            if not part:
                return {}, []
            self._unread += part
            self._descriptors += descriptors
        line, _, self._unread = self._unread.partition(b"\n")
        request = json.loads(line)
        return request, [self._descriptors.pop(0)] if request["do"] == "start" else []


def _reply(control: socket.socket, answer: dict[str, Any]) -> None:
    """Answer a request; a grader that has hung up does not hear it."""
    with contextlib.suppress(BrokenPipeError):
        control.sendall(json.dumps(answer).encode() + b"\n")


# --- a worker ---------------------------------------------------------------------------------------------------------


def _become_worker(
    confinement: dict[str, Any],
    descriptor: int,
    control: socket.socket,
    parent: int,
    narrowed: str,
    ruleset: int | None = None,
    probe: bool = True,
) -> NoReturn:
    """Turn this process into the student's: lock it down, then serve. Never returns.

    `ruleset` is the prepared one that it applies. `probe` is false where an earlier worker of the same user has shown
    that imports work.
    """
    try:
        control.close()
        with contextlib.suppress(PermissionError):  # as the only worker it leads its session already
            os.setsid()
        connection = socket.socket(fileno=descriptor)
        null = os.open(os.devnull, os.O_RDWR)
        for standard in (0, 1, 2):
            os.dup2(null, standard)
        needed = [kept for kept in (ruleset, lockdown.proc) if kept is not None]
        _close_all_but(connection.fileno(), *needed)
        report = lockdown.apply(lockdown.Confinement.from_json(confinement), parent, ruleset)
        for kept in needed:
            os.close(kept)
        report = {"view": narrowed, **report}
        wire.send(connection, {"lockdown": report, "imports": _probe() if probe else "on"})
        service.serve(connection)
    except MemoryError:
        os._exit(EXIT_OUT_OF_MEMORY)
    except (wire.WireError, OSError):
        pass  # the grader is gone or has stopped listening
    finally:
        os._exit(0)


def _close_all_but(*needed: int) -> None:
    """Close the launcher's descriptors, and those that libraries keep open in it: libffi does, under Python 3.14."""
    last = 2
    for descriptor in (*sorted(needed), MOST_DESCRIPTORS):
        os.closerange(last + 1, descriptor)
        last = descriptor


def _probe() -> str:
    """Import a module that is not in memory yet, to see whether an honest student could."""
    try:
        importlib.import_module(PROBE)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return "on"


if __name__ == "__main__":
    main()
