"""Start, limit and end the processes that run a student's code.

Theory of operation
-------------------
A ``Sandbox`` owns one launcher (see ``worker/__main__.py``): a Python of its own, started with a minimal environment,
NumPy from a directory that holds nothing else, and no inherited descriptor but its control socket. If the kernel
allows it, the launcher sees no other files (``worker/view.py``). ``start`` makes it fork one worker with a new socket
pair. ``Worker.stop`` makes it kill and reap the worker with its process group, and returns how the worker ended. Under
root, a worker becomes a user that no other grading on this machine has at the same time. Everything that still runs as
that user is killed when the launcher ends, and after the end of every worker that could have started a process.

The launcher reaps a worker only when it is told to, so a process id stays valid until then. When the grader dies,
the control socket closes and the launcher ends its workers and itself.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from autograder.core.errors import GraderFault
from autograder.sandbox import cpuclock
from autograder.sandbox.interpreter import interpreter, numpy_alone, open_to_others
from autograder.sandbox.slots import Slot
from autograder.sandbox.worker import lockdown

PROGRAM = Path(__file__).parent / "worker"
LAUNCH_SECONDS = 30.0
"""How long the launcher may take to answer; far more than it needs even on a machine that swaps."""
EXIT_OUT_OF_MEMORY = 77
"""The worker's exit status when memory ran out outside the student's function (see ``worker/__main__.py``)."""

ENVIRONMENT = {
    "LC_ALL": "C.UTF-8",
    "TZ": "UTC",
    **{f"{library}_NUM_THREADS": "1" for library in ("OPENBLAS", "OMP", "MKL")},
    "VECLIB_MAXIMUM_THREADS": "1",
    "MALLOC_MMAP_THRESHOLD_": str(32 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(256 << 20),
}
"""All that a worker's environment holds: one thread for every BLAS, memory that stays when it is freed, and nothing of
the grader's. glibc would otherwise fetch and return larger arrays page by page, or not, depending on what was freed
before: the same function took up to twice the processor time."""


@dataclass(frozen=True)
class Ending:
    """How a worker ended.

    Attributes
    ----------
    exit_status : int or None
        What it exited with, if it exited by itself.
    signal_number : int or None
        The signal that ended it, if that was not the grader's own.
    """

    exit_status: int | None = None
    signal_number: int | None = None

    @property
    def out_of_memory(self) -> bool:
        """Whether memory ran out: the worker said so, or the kernel sent SIGKILL."""
        return self.exit_status == EXIT_OUT_OF_MEMORY or self.signal_number == signal.SIGKILL

    @property
    def out_of_time(self) -> bool:
        """Whether the limit on processor time ended it."""
        return self.signal_number == signal.SIGXCPU

    def describe(self) -> str:
        """Say it in words a student knows."""
        if self.signal_number is not None:
            number = self.signal_number
            name = signal.Signals(number).name if number in set(signal.Signals) else f"signal {number}"
            return f"ended the Python process: {_SIGNAL_WORDS.get(number, name)}"
        if self.exit_status is not None:
            return f"ended the Python process with exit status {self.exit_status}"
        return "closed its connection to the grader"


_SIGNAL_WORDS: dict[int, str] = {
    signal.SIGSEGV: "segmentation fault (endless recursion, or memory used in a way NumPy forbids)",
    signal.SIGABRT: "abort",
    signal.SIGBUS: "bus error",
    signal.SIGFPE: "arithmetic fault",
    signal.SIGILL: "illegal instruction",
}


class Worker:
    """One locked-down process that belongs to a student.

    Attributes
    ----------
    pid : int
    connection : socket.socket
        The grader's end of its data socket.
    can_fork : bool
        Whether it may have started processes of its own; false once the system-call filter is known to hold.
    """

    def __init__(self, sandbox: Sandbox, pid: int, connection: socket.socket) -> None:
        self.pid = pid
        self.connection = connection
        self.can_fork = True
        self._sandbox = sandbox
        self._ending: Ending | None = None

    def cpu_seconds(self) -> float:
        """Return the processor time that the process has used up to now; see ``cpuclock.seconds``."""
        return cpuclock.seconds(self.pid)

    def waited_seconds(self) -> float:
        """Return how long the process was ready to run and had no processor; see ``cpuclock.waited``."""
        return cpuclock.waited(self.pid)

    def pause(self) -> None:
        """Keep the process and its group from running until `resume`."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let the process run again."""
        self._signal(signal.SIGCONT)

    def ask_where(self) -> None:
        """Have the process say which lines of the student's files it is in; see ``worker/service.py``."""
        self._signal(signal.SIGUSR1)

    def _signal(self, number: int) -> None:
        if self._ending is None:  # until then the launcher has not reaped it, so that nobody else has its number
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, number)

    def stop(self, died: bool = False) -> Ending:
        """End the process and all processes in its group.

        Parameters
        ----------
        died : bool
            Its socket has closed: let it end by itself, so that the true cause is reported.
        """
        if self._ending is None:
            self.connection.close()
            self._ending = self._sandbox.stop(self.pid, died, sweep=self.can_fork)
        return self._ending


class Sandbox:
    """A launcher, and the workers that one submission needs.

    Parameters
    ----------
    memory_mib : int
        Address space of a worker, in MiB (Linux).
    cpu_seconds : int
        Processor time of a worker, in seconds. It applies if the grader's own deadlines fail.
    fork : bool, optional
        Fork workers from one launcher, or start a launcher for each. By default whatever is safe on this system.
    without : collection of str
        Layers to leave out (``uid``, ``landlock``, ``seccomp``), to show what each of them protects.

    Notes
    -----
    A context manager; leaving it ends every process it started. The launcher starts at once and gets ready while the
    grader does other things.
    """

    def __init__(
        self,
        *,
        memory_mib: int,
        cpu_seconds: int,
        fork: bool = sys.platform == "linux",
        without: Collection[str] = (),
    ) -> None:
        lockdown.protect()  # this process holds what student code must not read
        self._fork = fork
        self._launchers: dict[int, _Launcher] = {}
        self._users: dict[int, int | None] = {}
        self._waited = 0.0
        self._confinement = {
            "memory_mib": memory_mib,
            "cpu_seconds": cpu_seconds,
            "landlock": "landlock" not in without,
            "seccomp": "seccomp" not in without,
        }
        self._slot = Slot.take() if os.geteuid() == 0 and "uid" not in without else None
        with contextlib.ExitStack() as undo:
            undo.callback(self._clean_up)
            self._prepare(is_whole=not without)
            undo.pop_all()

    def _prepare(self, is_whole: bool) -> None:
        """Make the folders, and start the launcher; with every layer if `is_whole`."""
        self._scratch = Path(tempfile.mkdtemp(prefix="grading-"))
        self._scratch.chmod(0o711)
        self._python, self.advice = interpreter(for_others=self._slot is not None)
        if self._slot is not None and not open_to_others(Path(tempfile.gettempdir())):
            self.advice = f"other users cannot reach {tempfile.gettempdir()}: set TMPDIR to a directory that they can"
        if self._slot is not None and self.advice:
            self._slot.release()
            self._slot = None
        self._code = self._scratch / "code"
        self._code.mkdir()
        self._code.chmod(0o711)
        self._modules = numpy_alone(self._scratch / "modules", for_others=self._slot is not None)
        self._options = {
            "--modules": str(self._modules),
            "--code": str(self._code),
            "--view": "yes" if is_whole else "no",
            "--single": "no" if self._fork else "yes",
        }
        self._next = _Launcher(self._python, self._options)

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def directory(self, name: str) -> Path:
        """Return a new, empty directory for code that is to run in a worker."""
        path = self._code / name
        path.mkdir(mode=0o700)
        return path

    def start(self, directory: Path, reference: bool = False) -> Worker:
        """Start a worker; one at a time, and one of the reference, since whatever runs as a user ends together.

        Parameters
        ----------
        directory : Path
            From ``directory``: the code that it may read.
        reference : bool
            It runs our own code beside the student's, as a user of its own.

        Raises
        ------
        GraderFault
            If the launcher does not answer.
        """
        uid = None if self._slot is None else self._slot.uid + reference
        if uid is not None:
            os.chown(directory, 0, uid)
            directory.chmod(0o750)
        launcher = self._next
        confinement = {**self._confinement, "uid": uid, "readable": [str(directory)]}
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                answer = launcher.ask({"do": "start", "confinement": confinement}, theirs.fileno())
            except GraderFault:
                ours.close()
                raise
        self._launchers[answer["pid"]] = launcher
        self._users[answer["pid"]] = uid
        if not self._fork:
            self._next = _Launcher(self._python, self._options)
        return Worker(self, answer["pid"], ours)

    def stop(self, pid: int, died: bool, sweep: bool) -> Ending:
        """End the worker `pid`, and with `sweep` everything else that runs as its user; see ``Worker.stop``."""
        launcher = self._launchers.pop(pid)
        self._waited += cpuclock.waited(pid)
        uid = self._users.pop(pid)
        if not self._fork:
            return launcher.end_itself(died)
        answer = launcher.ask({"do": "stop", "pid": pid, "died": died, "uid": uid if sweep else None})
        return _ending(answer["status"], answer["killed"])

    def waited_seconds(self) -> float:
        """Return how long launcher and workers, those that have ended included, have waited for a processor."""
        return self._waited + sum(map(cpuclock.waited, (*self._launchers, self._next.pid)))

    def close(self) -> None:
        """End every process and remove every file this sandbox has made."""
        if not self._fork:
            for launcher in self._launchers.values():  # has become a worker, and listens to nobody
                launcher.end_itself(died=False)
        self._next.close()
        self._clean_up()

    def _clean_up(self) -> None:
        shutil.rmtree(self._scratch, ignore_errors=True)
        if self._slot is not None:
            self._slot.release()
            self._slot = None


class _Launcher:
    """The launcher's process, seen from the grader."""

    def __init__(self, python: str, options: dict[str, str]) -> None:
        self._control, theirs = socket.socketpair()
        self._control.settimeout(LAUNCH_SECONDS)
        self._replies = self._control.makefile("rb")
        self._ready = False
        command = [python, "-I", "-S", "-B", str(PROGRAM), "--control", str(theirs.fileno())]
        command += itertools.chain.from_iterable(options.items())
        with theirs:
            self._process = subprocess.Popen(
                command,
                env=ENVIRONMENT,
                cwd="/",
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def ask(self, request: dict[str, Any], descriptor: int | None = None) -> dict[str, Any]:
        """Send a request, with a descriptor if given, and return the answer."""
        try:
            if not self._ready:
                self._answer()
                self._ready = True
            line = json.dumps(request).encode() + b"\n"
            if descriptor is None:
                self._control.sendall(line)
            else:
                socket.send_fds(self._control, [line], [descriptor])
            return self._answer()
        except OSError as error:
            raise GraderFault(f"the launcher of workers does not answer: {error}") from error

    def _answer(self) -> dict[str, Any]:
        line = self._replies.readline()
        if not line.endswith(b"\n"):
            assert self._process.stderr is not None
            self._process.kill()
            story = self._process.stderr.read().decode(errors="replace").strip()
            raise GraderFault(f"the launcher of workers ended: {story or 'it said nothing'}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def end_itself(self, died: bool) -> Ending:
        """End a launcher that has become a worker, and say how the worker ended."""
        killed = False
        try:
            self._process.wait(timeout=1.0 if died else 0.0)
        except subprocess.TimeoutExpired:
            killed = True
        self._kill_group()
        status = self._process.wait()
        self._hang_up()
        return _ending(-status if status < 0 else status << 8, killed)

    def close(self) -> None:
        """End the launcher; it ends its workers first."""
        if not self._ready:  # it is still starting, and has none
            self._kill_group()
        self._hang_up()
        try:
            self._process.wait(timeout=5.0)
        except subprocess.TimeoutExpired:
            self._kill_group()
            self._process.wait()

    def _hang_up(self) -> None:
        self._replies.close()
        self._control.close()
        if self._process.stderr is not None:
            self._process.stderr.close()

    def _kill_group(self) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)


def _ending(status: int, killed: bool) -> Ending:
    if killed:
        return Ending()
    if os.WIFSIGNALED(status):
        return Ending(signal_number=os.WTERMSIG(status))
    return Ending(exit_status=os.WEXITSTATUS(status))
