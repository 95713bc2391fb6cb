"""Start, limit and end the processes that run a student's code.

Theory of operation
-------------------
A ``Sandbox`` owns one launcher (see ``worker/__main__.py``): a Python of its own, started with a minimal environment,
NumPy from a directory that holds nothing else, and no inherited descriptor but its control socket. If the kernel
allows it, the launcher sees no other files (``worker/view.py``). ``start`` makes it fork one worker with a new socket
pair. ``Worker.stop`` makes it kill and reap the worker with its process group, and returns how it ended. Under root, a
worker becomes a user that no other grading here has at the same time. Whatever runs as that user is killed when the
launcher ends, and after the end of every worker that could have started a process.

The launcher does one thing after the other: a worker that is started never meets the one that was ended before it. So
the grader need not wait for either (``start``, ``Worker.end``). Where the system-call filter holds, a worker cannot
reach another one, and need not be ended with all that runs as its user: then the next one, which takes longer to start
than most tests to run, gets ready while student code runs (``start_ahead``).

The launcher reaps a worker only when it is told to, so a process id stays valid until then. When the grader dies,
the control socket closes and the launcher ends its workers and itself.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Collection
from pathlib import Path
from types import TracebackType
from typing import Any

from autograder.core.errors import GraderFault
from autograder.sandbox import cpuclock
from autograder.sandbox.ending import Ending
from autograder.sandbox.interpreter import interpreter, numpy_alone, open_to_others
from autograder.sandbox.slots import Slot
from autograder.sandbox.worker import lockdown

PROGRAM = Path(__file__).parent / "worker"
LAUNCH_SECONDS = 30.0
"""How long the launcher may take to answer; far more than it needs even on a machine that swaps."""

ENVIRONMENT = {
    "LC_ALL": "C.UTF-8",
    "TZ": "UTC",
    **{f"{library}_NUM_THREADS": "1" for library in ("OPENBLAS", "OMP", "MKL")},
    "VECLIB_MAXIMUM_THREADS": "1",
    "MALLOC_MMAP_THRESHOLD_": str(32 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(256 << 20),
}
"""All of a worker's environment: one thread for every BLAS, memory that stays when freed, nothing of the grader's.
Otherwise glibc may fetch larger arrays page by page at every call: a function took up to twice the processor time."""


class Worker:
    """One locked-down process that belongs to a student.

    Attributes
    ----------
    connection : socket.socket
        The grader's end of its data socket.
    can_fork : bool
        Whether it may have started processes of its own; false once the system-call filter is known to hold.
    """

    def __init__(self, sandbox: Sandbox, launcher: _Launcher, started: int, connection: socket.socket) -> None:
        self.connection = connection
        self.can_fork = True
        self._sandbox = sandbox
        self._launcher = launcher
        self._started = started
        self._ending: Callable[[], Ending] | None = None

    @property
    def pid(self) -> int:
        """Its process id. Waits until the process is there; raises GraderFault if it cannot be started."""
        return int(self._launcher.answer(self._started)["pid"])

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

    def end(self, died: bool = False) -> None:
        """Have the process and all processes in its group ended, and do not wait for it; see ``stop``."""
        if self._ending is None:
            self.connection.close()
            self._ending = self._sandbox.end(self, died)

    def stop(self, died: bool = False) -> Ending:
        """End the process and all processes in its group, and return how it ended.

        Parameters
        ----------
        died : bool
            Its socket has closed: let it end by itself, so that the true cause is reported.
        """
        self.end(died)
        assert self._ending is not None
        return self._ending()


class Sandbox:
    """A launcher, and the workers that one submission needs.

    A context manager; leaving it ends every process it started. The launcher starts at once and gets ready while the
    grader does other things.

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
        self._workers: dict[Worker, tuple[_Launcher, int | None]] = {}  # those that live: who forked it, its user
        self._ahead: tuple[Path, Worker] | None = None  # one that nobody has asked for yet, and what it may read
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
        self._options = {
            "--modules": str(numpy_alone(self._scratch / "modules", for_others=self._slot is not None)),
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
        """Return the worker that was started ahead, or have one started, and do not wait for it; see ``Worker.pid``.

        Parameters
        ----------
        directory : Path
            From ``directory``: the code that it may read.
        reference : bool
            It runs our own code beside the student's, as a user of its own.

        Raises
        ------
        GraderFault
            If the launcher does not listen.
        """
        if reference or self._ahead is None or self._ahead[0] != directory:
            return self._start(directory, reference)
        (_, worker), self._ahead = self._ahead, None
        return worker

    def start_ahead(self, directory: Path) -> None:
        """Have the worker started that `start` will return next; none but workers that cannot fork may be in use."""
        self._drop_ahead()
        self._ahead = directory, self._start(directory, reference=False)

    def _drop_ahead(self) -> None:
        if self._ahead is not None:
            (_, unused), self._ahead = self._ahead, None
            unused.can_fork = False  # it has seen no code of a student's: nothing else is ended with it
            unused.end()

    def _start(self, directory: Path, reference: bool) -> Worker:
        uid = None if self._slot is None else self._slot.uid + reference
        if uid is not None:
            os.chown(directory, 0, uid)
            directory.chmod(0o750)
        launcher = self._next
        confinement = {**self._confinement, "uid": uid, "readable": [str(directory)]}
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                started = launcher.request({"do": "start", "confinement": confinement}, theirs.fileno())
            except GraderFault:
                ours.close()
                raise
        worker = Worker(self, launcher, started, ours)
        self._workers[worker] = launcher, uid
        if not self._fork:
            self._next = _Launcher(self._python, self._options)
        return worker

    def end(self, worker: Worker, died: bool) -> Callable[[], Ending]:
        """End a worker, and whatever it could have started; return a function that says how it ended."""
        if died:  # who killed it, if somebody did, may have killed the next one as well
            self._drop_ahead()
        self._waited += worker.waited_seconds()
        launcher, uid = self._workers.pop(worker)
        if not self._fork:
            ending = launcher.end_itself(died)
            return lambda: ending
        ended = {"do": "stop", "pid": worker.pid, "died": died, "uid": uid if worker.can_fork else None}
        number = launcher.request(ended)
        return lambda: Ending.of(**launcher.answer(number))

    def waited_seconds(self) -> float:
        """Return how long launcher and workers, those that have ended included, have waited for a processor."""
        return self._waited + sum(worker.waited_seconds() for worker in self._workers) + cpuclock.waited(self._next.pid)

    def close(self) -> None:
        """End every process and remove every file this sandbox has made."""
        for worker, (launcher, _) in self._workers.items():
            worker.connection.close()
            if not self._fork:  # it was a launcher, and listens to nobody
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
        self._asked = 0
        self._is_reading = False
        self._answers: list[dict[str, Any]] = []  # the first one says that it is ready, without being asked
        command = [python, "-I", "-S", "-B", str(PROGRAM), "--control", str(theirs.fileno())]
        command += [word for option in options.items() for word in option]
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

    def request(self, request: dict[str, Any], descriptor: int | None = None) -> int:
        """Send a request, with a descriptor if given, and return its number; the answers come in the same order."""
        line = json.dumps(request).encode() + b"\n"
        try:
            if descriptor is None:
                self._control.sendall(line)
            else:
                socket.send_fds(self._control, [line], [descriptor])
        except (BrokenPipeError, ConnectionResetError) as error:
            raise self._ended() from error
        except OSError as error:
            raise GraderFault(f"the launcher of workers does not answer: {error}") from error
        self._asked += 1
        return self._asked

    def answer(self, number: int) -> dict[str, Any]:
        """Wait for the answer to a request, and return it.

        Raises
        ------
        GraderFault
            If the launcher has ended, or does not answer.
        KeyboardInterrupt
            If an earlier call was interrupted: it may have read a part of an answer, so no other can be waited for.
        """
        while len(self._answers) <= number:
            if self._is_reading:
                raise KeyboardInterrupt
            self._is_reading = True
            line = self._line()
            if not line.endswith(b"\n"):
                self._is_reading = False
                raise self._ended()
            self._answers.append(json.loads(line))
            self._is_reading = False
        return self._answers[number]

    def _line(self) -> bytes:
        """Read one answer; empty if the launcher has ended, perhaps before it has read our requests."""
        try:
            return self._replies.readline()
        except ConnectionResetError:
            return b""
        except OSError as error:
            self._is_reading = False
            raise GraderFault(f"the launcher of workers does not answer: {error}") from error

    def _ended(self) -> GraderFault:
        """Return the fault of a launcher that has ended, with what it said last."""
        self._process.kill()
        story = self._process.communicate()[1].decode(errors="replace").strip()
        return GraderFault(f"the launcher of workers ended: {story or 'it said nothing'}")

    def end_itself(self, died: bool) -> Ending:
        """End a launcher that has become a worker, and say how the worker ended."""
        killed = False
        try:
            self._process.wait(timeout=1.0 if died else 0.0)
        except subprocess.TimeoutExpired:
            killed = True
        self._kill_group()
        self._hang_up()
        self._process.communicate()
        status = self._process.returncode
        return Ending.of(status=-status if status < 0 else status << 8, killed=killed)

    def close(self) -> None:
        """End the launcher; it ends its workers first."""
        if not self._asked:  # it may still be starting, and has none
            self._kill_group()
        self._hang_up()
        try:
            self._process.communicate(timeout=5.0)  # `wait` would poll
        except subprocess.TimeoutExpired:
            self._kill_group()
            self._process.communicate()

    def _hang_up(self) -> None:
        self._replies.close()
        self._control.close()

    def _kill_group(self) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
