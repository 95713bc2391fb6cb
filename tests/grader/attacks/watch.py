"""What an attack could harm, each with eyes that see whether it did.

A watch makes its target when it is created, tells an attacker everything about it (``facts``), says what has happened
to it since (``harm``), and cleans up. Nothing an attack says of itself counts here, but for a secret it could not know.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import pty
import resource
import secrets
import signal
import socket
import stat
import subprocess
import sys
import time
import tty
from collections.abc import Iterator
from pathlib import Path
from typing import Any

MARK = "hush-"
SIGNALS = (signal.SIGUSR1, signal.SIGUSR2, signal.SIGIO, signal.SIGWINCH, signal.SIGTERM, signal.SIGXCPU)


def secret() -> str:
    """Return a word of 32 characters that nobody could guess."""
    return MARK + secrets.token_hex(16)[: 32 - len(MARK)]


class Watch:
    """What an attacker is told (``facts``), and what it must not find out (``secrets``)."""

    def __init__(self) -> None:
        self.facts: dict[str, Any] = {}
        self.secrets: dict[str, str] = {}

    def harm(self) -> Iterator[str]:
        """Say what has happened to the target."""
        raise NotImplementedError

    def close(self) -> None:
        """Clean up, whatever happened."""
        raise NotImplementedError


class Files(Watch):
    """Two private folders and two open ones, and the folders of the sandboxes: no entry may come, go or change."""

    def __init__(self, base: Path) -> None:
        super().__init__()
        self.secrets = {name: secret() for name in ("hidden test", "reference", "file's name", "open file")}
        home, public, shared = base / "home", base / "public", base / "shared"
        home.mkdir(mode=0o700)
        public.mkdir(mode=0o755)
        shared.mkdir()
        shared.chmod(0o1777)
        for path, text in {
            home / "results.json": '{"score": 0}',
            home / "fixtures.npz": "numbers",
            home / "lock": "",
            home / "open": self.secrets["open file"],
            home / "test_hidden.py": f"SECRET = {self.secrets['hidden test']!r}",
            public / "reference.py": f"SECRET = {self.secrets['reference']!r}",
            public / self.secrets["file's name"]: "",
            shared / "scratchpad": "",
        }.items():
            path.write_text(text)
            path.chmod(0o644)
        (shared / "scratchpad").chmod(0o666)
        self._lock = home / "lock"
        self.open = os.open(home / "open", os.O_RDONLY)
        os.set_inheritable(self.open, True)  # as a descriptor is that somebody forgot
        self._shm = Path("/dev/shm") / f"attack-{secrets.token_hex(8)}"
        self.facts |= {
            "results": str(home / "results.json"),
            "fixtures": str(home / "fixtures.npz"),
            "lock": str(self._lock),
            "hidden_test": str(home / "test_hidden.py"),
            "reference": str(public / "reference.py"),
            "shared": str(shared),
            "scratchpad": str(shared / "scratchpad"),
            "shm_file": str(self._shm),
        }
        self.folders = [base]
        self._before: dict[str, object] = {}

    def look(self) -> None:
        """Remember how everything is: what has happened so far was no attack."""
        self._before = dict(self._entries())

    def harm(self) -> Iterator[str]:
        after = dict(self._entries())
        for path in sorted(self._before.keys() | after.keys()):
            if self._before.get(path) != after.get(path):
                what = "changed" if path in self._before and path in after else "came" if path in after else "went"
                yield f"{path} {what}"
        with open(self._lock) as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield f"{self._lock} is locked"

    def close(self) -> None:
        os.close(self.open)
        self._shm.unlink(missing_ok=True)

    def _entries(self) -> Iterator[tuple[str, object]]:
        for folder in self.folders:
            for root, directories, files in os.walk(folder):
                for path in (root, *(os.path.join(root, name) for name in directories + files)):
                    yield path, _entry(path)
        if self._shm.exists():
            yield str(self._shm), "there"


def _entry(path: str) -> object:
    status = os.lstat(path)
    labels = [] if stat.S_ISLNK(status.st_mode) else os.listxattr(path)
    size = 0 if stat.S_ISDIR(status.st_mode) else status.st_size
    return status.st_mode, status.st_uid, status.st_nlink, size, status.st_mtime_ns, labels


class Segment(Watch):
    """A System V shared memory segment that should not be there."""

    def __init__(self) -> None:
        super().__init__()
        self._key = secrets.randbelow(2**30) + 1
        self.facts |= {"shm_key": self._key}

    def harm(self) -> Iterator[str]:
        with contextlib.suppress(FileNotFoundError):
            for line in Path("/proc/sysvipc/shm").read_text().splitlines()[1:]:
                if int(line.split()[0]) == self._key:
                    yield "a shared memory segment was left behind"

    def close(self) -> None:
        libc, remove = ctypes.CDLL(None), 0
        segment = libc.shmget(self._key, 0, 0)
        if segment >= 0:
            libc.shmctl(segment, remove, None)


class Grader(Watch):
    """This process: it holds a secret in its memory and one in its environment, and notes signals."""

    def __init__(self) -> None:
        super().__init__()
        self.secrets = {"grader's environment": os.environ["GRADER_TOKEN"], "grader's memory": secret()}
        self._memory = ctypes.create_string_buffer(self.secrets["grader's memory"].encode())
        self._signals: list[str] = []
        for number in SIGNALS:
            signal.signal(number, lambda number, _: self._signals.append(signal.Signals(number).name))
        self.facts |= {
            "grader": os.getpid(),
            "grader_uid": os.getuid(),
            "grader_address": ctypes.addressof(self._memory),
        }
        self._before = self._state()

    def harm(self) -> Iterator[str]:
        while self._signals:
            yield f"the grader got {self._signals.pop()}"
        for what, value in self._state().items():
            if value != self._before[what]:
                yield f"the grader's {what} changed"

    def close(self) -> None:
        for number in SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        os.sched_setaffinity(0, self._before["processors"])  # type: ignore[arg-type]

    def _state(self) -> dict[str, object]:
        return {"memory": self._memory.value, **_resources(os.getpid())}


class Bystander(Watch):
    """Another program of the same user, which does nothing to protect itself."""

    _PROGRAM = (
        "import ctypes, sys; b = ctypes.create_string_buffer(sys.stdin.readline().strip().encode());"
        "print(ctypes.addressof(b), flush=True); sys.stdin.read()"
    )

    def __init__(self) -> None:
        super().__init__()
        self.secrets = {"bystander's command line": secret(), "bystander's memory": secret()}
        command = [sys.executable, "-I", "-S", "-c", self._PROGRAM, self.secrets["bystander's command line"]]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(self.secrets["bystander's memory"] + "\n")
        self._process.stdin.flush()
        self._address = int(self._process.stdout.readline())
        self.pid = self._process.pid
        self.facts |= {"victim": self.pid, "victim_address": self._address}
        self._before = _resources(self.pid)

    def harm(self) -> Iterator[str]:
        if self._process.poll() is not None:
            yield f"the bystander ended: {self._process.returncode}"
            return
        for what, value in _resources(self.pid).items():
            if value != self._before[what]:
                yield f"the bystander's {what} changed"
        with open(f"/proc/{self.pid}/mem", "rb", buffering=0) as memory:
            memory.seek(self._address)
            if memory.read(32).decode(errors="replace") != self.secrets["bystander's memory"]:
                yield "the bystander's memory changed"

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()


def _resources(pid: int) -> dict[str, object]:
    return {
        "priority": os.getpriority(os.PRIO_PROCESS, pid),
        "processors": os.sched_getaffinity(pid),
        "limits": [resource.prlimit(pid, number) for number in (resource.RLIMIT_NOFILE, resource.RLIMIT_CPU)],
    }


class Ears(Watch):
    """Sockets of every kind that somebody might talk to."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._sockets = {
            "TCP": socket.create_server(("127.0.0.1", 0)),
            "UDP": socket.socket(socket.AF_INET, socket.SOCK_DGRAM),
            "a socket in a folder": socket.socket(socket.AF_UNIX),
            "an abstract socket": socket.socket(socket.AF_UNIX),
        }
        path, name = folder / "service", f"attack-{secrets.token_hex(8)}"
        self._sockets["UDP"].bind(("127.0.0.1", 0))
        self._sockets["a socket in a folder"].bind(str(path))
        path.chmod(0o777)
        self._sockets["an abstract socket"].bind("\0" + name)
        for kind, each in self._sockets.items():
            each.setblocking(False)
            if kind != "UDP":
                each.listen()
        self.facts |= {
            "tcp": self._sockets["TCP"].getsockname()[1],
            "udp": self._sockets["UDP"].getsockname()[1],
            "unix": str(path),
            "abstract": name,
        }

    def harm(self) -> Iterator[str]:
        for kind, each in self._sockets.items():
            with contextlib.suppress(BlockingIOError):
                if kind == "UDP":
                    each.recv(100)
                else:
                    each.accept()[0].close()
                yield f"somebody talked to {kind}"

    def close(self) -> None:
        for each in self._sockets.values():
            each.close()


class Terminal(Watch):
    """A terminal such as a TA sits at."""

    def __init__(self) -> None:
        super().__init__()
        self._screen, self._keyboard = pty.openpty()
        tty.setraw(self._keyboard)
        os.set_blocking(self._screen, False)
        os.set_blocking(self._keyboard, False)
        self.facts |= {"terminal": os.ttyname(self._keyboard)}

    def harm(self) -> Iterator[str]:
        for descriptor, what in ((self._screen, "something was drawn on"), (self._keyboard, "somebody typed into")):
            with contextlib.suppress(BlockingIOError):
                if os.read(descriptor, 100):
                    yield f"{what} the terminal"

    def close(self) -> None:
        os.close(self._screen)
        os.close(self._keyboard)


class Processes(Watch):
    """The processes below this one: none may come that the grader did not start."""

    def __init__(self) -> None:
        super().__init__()
        subreaper = 36
        ctypes.CDLL(None).prctl(subreaper, ctypes.c_ulong(1), *(ctypes.c_ulong(0),) * 3)  # orphans come here
        self._before = descendants(os.getpid())
        self._known: set[int] = set()
        self._expected: set[int] = set()

    def look(self) -> None:
        """Remember who is there."""
        self._known = descendants(os.getpid())
        self._expected.clear()

    def expect(self, pid: int) -> None:
        """Name somebody who may have come since."""
        self._expected.add(pid)

    def harm(self) -> Iterator[str]:
        strangers = self._strangers()
        if strangers:
            yield f"{len(strangers)} processes were started"

    def settle(self, seconds: float) -> None:
        """Wait for those who are on their way out: a batch's helpers end by themselves, soon after the batch."""
        deadline = time.monotonic() + seconds
        while self._strangers() and time.monotonic() < deadline:
            time.sleep(0.05)

    def _strangers(self) -> set[int]:
        return descendants(os.getpid()) - self._known - self._expected

    def left(self) -> Iterator[str]:
        """Say who has not ended."""
        for pid in descendants(os.getpid()) - self._before:
            yield f"process {pid} was left behind"

    def close(self) -> None:
        for pid in descendants(os.getpid()) - self._before:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, 0)


def descendants(pid: int) -> set[int]:
    """Return the processes that come from `pid`, zombies left out."""
    found: set[int] = set()
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        children: list[int] = []
        with contextlib.suppress(OSError):  # the thread has just ended
            children = [int(child) for child in task.read_text().split()]
        for child in children:
            with contextlib.suppress(OSError):  # it has just ended
                if Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()[0] != "Z":
                    found |= {child, *descendants(child)}
    return found
