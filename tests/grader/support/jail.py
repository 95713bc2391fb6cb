"""A launcher and its worker in a fresh interpreter, for tests of the layers that confine a worker.

``run`` hands the source of a function to a fresh interpreter that plays the launcher: it owns the files, the
environment and the process that are to be protected. The launcher forks a worker with ``in_worker``, which locks itself
down and then tries things. What is tried does no harm where it succeeds: signal 0, limits that hold already.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import functools
import inspect
import json
import os
import resource
import signal
import socket
import struct
import subprocess
import sys
import termios
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from autograder.sandbox.worker import lockdown

IS_ROOT = os.geteuid() == 0
MACHINE = os.uname().machine
NOBODY = 65534
SLOT = 30000 + 2 * (os.getpid() % 15000)
"""A user of this run's own, and the next number as well: a grader at work beside it sweeps those that it knows."""
ANOTHER_USER, ROOT_STAYS, PLAIN = "another user", "root stays root", "plain user"
NO_LANDLOCK, NO_SECCOMP = "plain user without Landlock", "plain user without seccomp"
MODES: dict[str, dict[str, Any]] = {
    ANOTHER_USER: {"uid": SLOT},
    ROOT_STAYS: {},
    PLAIN: {"start_as": NOBODY},
    NO_LANDLOCK: {"start_as": NOBODY, "landlock": False},
    NO_SECCOMP: {"start_as": NOBODY, "seccomp": False},
}
"""What the confinement says, and as whom root starts the launcher (anyone else is a plain user already)."""
CONFINED = [ANOTHER_USER, ROOT_STAYS, PLAIN, NO_LANDLOCK]
needs_root = pytest.mark.skipif(not IS_ROOT, reason="needs root")


def run(
    launcher: Callable[..., Any], python: str = sys.executable, start_as: int | None = None, **arguments: Any
) -> Any:
    """Call `launcher` in an interpreter of its own and return its result, which travels as JSON."""
    shared: tuple[Callable[..., Any], ...] = (in_worker, libraries, become, tried, raw, attempts)
    program = [
        "from __future__ import annotations",
        "import ctypes, errno, fcntl, functools, json, mmap, os, resource, signal, socket, struct, sys, termios, time",
        "import threading",
        "from types import SimpleNamespace",
        f"sys.path.insert(0, {str(Path(lockdown.__file__).parent)!r})",
        "import lockdown, seccomp",
        "sys.path.pop(0)",
        *(textwrap.dedent(inspect.getsource(each)) for each in (*shared, launcher)),
        "libraries()  # now: /proc/self/maps is not for everybody",
        f"become({start_as if IS_ROOT else None})",
        "lockdown.protect()",
        f"print(json.dumps({launcher.__name__}(**json.loads(sys.argv[1]))))",
    ]
    command = [python, "-I", "-S", "-B", "-c", "\n".join(program), json.dumps(arguments)]
    environment = {"SECRET": "expected values", "OPENBLAS_NUM_THREADS": "1", "LC_ALL": "C.UTF-8"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@functools.cache
def libraries() -> list[str]:
    """Find the directories of the shared libraries in this process."""
    with open("/proc/self/maps") as stream:
        return sorted({os.path.dirname(line.split()[-1]) for line in stream if ".so" in line})


def become(uid: int | None) -> None:
    if uid is not None:
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)


def in_worker(
    function: Callable[[dict[str, str]], Any], parent: int | None = None, outside: Any = None, **settings: Any
) -> SimpleNamespace:
    """Fork a worker that locks itself down and calls `function`; return its result and how it ended.

    `outside` is called by the launcher with the worker's process id as soon as that is locked down.
    """
    settings = {"memory_mib": 1024, "cpu_seconds": 20, "readable": ["/nowhere"], **settings}
    reader, writer = os.pipe()
    ready, go = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        try:
            go.close()
            os.setsid()
            report = lockdown.apply(lockdown.Confinement.from_json(settings), parent)
            ready.send(b"!")
            ready.recv(1)
            answer = json.dumps(function(report))
        except BaseException as error:
            answer = json.dumps(repr(error))
        os.write(writer, answer.encode())
        os._exit(0)
    os.close(writer)
    ready.close()
    seen = outside(pid) if go.recv(1) and outside else None
    go.close()
    with os.fdopen(reader, "rb") as stream:
        answer = stream.read().decode() or "null"
    status = os.waitpid(pid, 0)[1]
    ended = os.WTERMSIG(status) if os.WIFSIGNALED(status) else None
    return SimpleNamespace(result=json.loads(answer), signal=ended, seen=seen)


def tried(function: Callable[..., object], *arguments: Any) -> str:
    """Say how trying `function` ended: "did it", the name of the errno, or what else was raised."""
    try:
        function(*arguments)
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, repr(error))
    except BaseException as error:
        return repr(error)
    return "did it"


def raw(x86_64: int, aarch64: int, *arguments: Any) -> int:
    """Make a system call by its number, and return what it returns."""
    libc = ctypes.CDLL(None, use_errno=True)
    number = x86_64 if os.uname().machine == "x86_64" else aarch64
    whole = [ctypes.c_long(each) if isinstance(each, int) else each for each in arguments]
    returned: int = libc.syscall(ctypes.c_long(number), *whole)
    if returned < 0:
        raise OSError(ctypes.get_errno(), "")
    return returned


def attempts(world: Any) -> dict[str, Callable[[], object]]:
    """Return what a worker may try on `world`, by name."""
    buffer = ctypes.create_string_buffer(8)
    here = struct.pack("PN", ctypes.addressof(buffer), 8)
    user_namespace = 0x10000000

    def fork() -> None:
        if os.fork() == 0:
            os._exit(0)

    def bind() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as server:
            server.bind(("127.0.0.1", 0))

    def connect() -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as client:
            client.connect(world.address)

    return {
        # Files: the directory is readable under Landlock, and everything in it is everybody's.
        "write to a file": lambda: os.open(world.file, os.O_WRONLY),
        "read and write a file": lambda: os.open(world.file, os.O_RDWR),
        "append to a file": lambda: os.open(world.file, os.O_WRONLY | os.O_APPEND),
        "empty a file by opening it": lambda: os.open(world.file, os.O_RDONLY | os.O_TRUNC),
        "empty a file": lambda: os.truncate(world.file, 0),
        "create a file": lambda: os.open(world.directory + "/new", os.O_RDONLY | os.O_CREAT),
        "create a file without a name": lambda: os.open(world.directory, os.O_RDWR | os.O_TMPFILE),
        "create a file in shared memory": lambda: os.open(f"/dev/shm/{world.name}", os.O_WRONLY | os.O_CREAT),
        "create a file in memory": lambda: raw(319, 279, b"name", 0),  # memfd_create
        "create a file by openat2": lambda: raw(437, 437, -100, world.file.encode(), struct.pack("QQQ", 1, 0, 0), 24),
        "remove a file": lambda: os.unlink(world.file),
        "rename a file": lambda: os.rename(world.file, world.file + "2"),
        "make a directory": lambda: os.mkdir(world.directory + "/new"),
        "make a link": lambda: os.link(world.file, world.file + "2"),
        "make a symbolic link": lambda: os.symlink(world.file, world.file + "2"),
        "make a pipe with a name": lambda: os.mkfifo(world.directory + "/new"),
        "change a mode": lambda: os.chmod(world.file, 0o777),
        "change an owner": lambda: os.chown(world.file, os.getuid(), os.getgid()),
        "change times": lambda: os.utime(world.file, (1, 1)),
        "set an attribute": lambda: os.setxattr(world.file, "user.name", b"value"),
        "lock a file": lambda: fcntl.flock(world.descriptor, fcntl.LOCK_SH),
        "watch a directory": lambda: fcntl.fcntl(world.descriptor, fcntl.F_NOTIFY, fcntl.DN_MODIFY),
        "watch files": lambda: raw(294, 26, 0),  # inotify_init1
        "read a secret": lambda: os.open(world.secret, os.O_RDONLY),
        "list secrets": lambda: os.listdir(os.path.dirname(world.secret)),
        # The launcher, and processes in general. Signal 0 asks for the permission only.
        "read the environment of the launcher": lambda: os.open(f"/proc/{world.launcher}/environ", os.O_RDONLY),
        "open the memory of the launcher": lambda: os.open(f"/proc/{world.launcher}/mem", os.O_RDONLY),
        "list descriptors of the launcher": lambda: os.listdir(f"/proc/{world.launcher}/fd"),
        "read memory of the launcher": lambda: raw(310, 270, world.launcher, here, 1, world.memory, 1, 0),
        "write memory of the launcher": lambda: raw(311, 271, world.launcher, here, 1, world.memory, 1, 0),
        "trace the launcher": lambda: raw(101, 117, 0x4206, world.launcher, 0, 0),  # PTRACE_SEIZE
        "read the clock of the launcher": lambda: time.clock_gettime((~world.launcher << 3) | 2),
        "ask how fine that clock is": lambda: time.clock_getres((~world.launcher << 3) | 2),
        "signal the launcher": lambda: os.kill(world.launcher, 0),
        "signal its thread": lambda: raw(234, 131, world.launcher, world.launcher, 0),  # tgkill
        "signal the launcher with a value": lambda: raw(129, 138, world.launcher, 0, bytes(128)),  # rt_sigqueueinfo
        "signal everybody": lambda: os.kill(-1, 0),
        "signal the group": lambda: os.kill(0, 0),
        "signal the first process": lambda: os.kill(1, 0),
        "open a handle on the launcher": lambda: raw(434, 434, world.launcher, 0),  # pidfd_open
        "signal the launcher by handle": lambda: raw(424, 424, world.handle, 0, 0, 0),  # pidfd_send_signal
        "have the kernel signal the launcher": lambda: fcntl.fcntl(world.datagram, fcntl.F_SETOWN, world.launcher),
        "have it choose the signal": lambda: fcntl.fcntl(world.datagram, fcntl.F_SETSIG, signal.SIGCONT),
        "have it told by ioctl": lambda: fcntl.ioctl(world.datagram, 0x8901, struct.pack("i", world.launcher)),
        "limit the launcher": lambda: resource.prlimit(world.launcher, resource.RLIMIT_NOFILE, world.limit),
        "pin the launcher": lambda: os.sched_setaffinity(world.launcher, world.cores),
        "slow the launcher": lambda: os.setpriority(os.PRIO_PROCESS, world.launcher, world.priority),
        "schedule the launcher": lambda: os.sched_setscheduler(world.launcher, os.SCHED_OTHER, os.sched_param(0)),
        "slow its reading": lambda: raw(251, 30, 1, world.launcher, 2 << 13),  # ioprio_set
        "fork": fork,
        "clone": lambda: raw(56, 220, user_namespace | signal.SIGCHLD, 0, 0, 0, 0),
        "clone3": lambda: raw(435, 435, bytes(88), 88),
        "execute a program": lambda: os.execv("/proc/self/exe", ["python", "-c", ""]),
        # What was taken away.
        "set a limit": lambda: raw(302, 261, 0, resource.RLIMIT_NOFILE, struct.pack("QQ", 64, 64), 0),  # prlimit64
        "become root": lambda: os.setresuid(0, 0, 0),
        "outlive the launcher": lambda: raw(157, 167, 1, 0, 0, 0, 0),  # PR_SET_PDEATHSIG
        "become traceable": lambda: raw(157, 167, 4, 1, 0, 0, 0),  # PR_SET_DUMPABLE
        # Talking.
        "open a TCP socket": lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM).close(),
        "bind a TCP port": bind,
        "open a UDP socket": lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).close(),
        "connect to an abstract socket": connect,
        "send to another socket": lambda: world.datagram.sendto(b"hello", world.address),
        "pass a descriptor": lambda: socket.send_fds(world.datagram, [b"hello"], [0], address=world.address),
        "type into the terminal": lambda: fcntl.ioctl(world.terminal, termios.TIOCSTI, b"x"),
        "paste into the terminal": lambda: fcntl.ioctl(world.terminal, 0x541C, b"\x03"),  # TIOCLINUX
        "resize the terminal": lambda: fcntl.ioctl(world.terminal, termios.TIOCSWINSZ, struct.pack("4H", 24, 80, 0, 0)),
        # shmget(IPC_PRIVATE), and shmctl(IPC_RMID): where nothing forbids it, nothing is left behind either
        "make shared memory": lambda: raw(31, 195, raw(29, 194, 0, 4096, 0o600), 0, 0),
        "make a message queue": lambda: raw(240, 180, world.name.encode(), os.O_CREAT | os.O_RDWR, 0o600, 0),  # mq_open
        "use a keyring": lambda: raw(250, 219, 0, -3, 0),  # KEYCTL_GET_KEYRING_ID
        # Corners of the kernel.
        "use io_uring": lambda: raw(425, 425, 1, ctypes.create_string_buffer(120)),
        "make a namespace": lambda: raw(272, 97, user_namespace),  # unshare
        "mount something": lambda: raw(165, 40, b"none", world.directory.encode(), b"tmpfs", 0, 0),
        "count events of the processor": lambda: raw(298, 241, bytes(128), 0, -1, -1, 0),  # perf_event_open
        "load a program into the kernel": lambda: raw(321, 280, 0, bytes(128), 128),  # bpf
        "handle page faults": lambda: raw(323, 282, 1),  # userfaultfd
        "change personality": lambda: raw(135, 92, 0x0040000),  # ADDR_NO_RANDOMIZE
    }


def in_mode(*modes: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("outcomes", modes, indirect=True)
