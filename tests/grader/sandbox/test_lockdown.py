"""Every layer of the lockdown, tried from inside by a process under it; and what a worker needs, tried as well.

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
import mmap
import os
import re
import resource
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import termios
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy
import pytest

from autograder.sandbox.worker import landlock, lockdown, seccomp

if sys.platform != "linux":
    pytest.skip("all but the limits needs Linux", allow_module_level=True)

ROOT = os.geteuid() == 0
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
needs_root = pytest.mark.skipif(not ROOT, reason="needs root")


# --- a launcher and its worker, in a fresh interpreter ---------------------------------------------------------------


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
        f"become({start_as if ROOT else None})",
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


# --- what a worker must not be able to do ----------------------------------------------------------------------------


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


REFUSALS = {"EPERM", "EACCES", "ENOSYS"}
NAMES = list(attempts(None))
BY_LANDLOCK = {"read a secret", "list secrets"}
"""What only Landlock refuses to a plain user."""
BY_LANDLOCK_ALONE = [
    *BY_LANDLOCK,
    "write to a file",
    "create a file",
    "remove a file",
    "make a directory",
    "make a pipe with a name",
    "trace the launcher",
]
"""Some of what Landlock refuses to a plain user without the filter's help."""
BY_FILTER = [
    "change a mode",
    "change times",
    "create a file in memory",
    "limit the launcher",
    "lock a file",
    "make shared memory",
    "open a UDP socket",
    "pin the launcher",
    "resize the terminal",
    "slow the launcher",
]
"""Some of what only the filter refuses to a plain user, on every kernel."""


@pytest.fixture(scope="module")
def outcomes(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Try everything in the mode that is the parameter; skip where it cannot be had."""
    mode = request.param
    if not ROOT and mode in (ANOTHER_USER, ROOT_STAYS):
        pytest.skip("needs root")

    def launcher(directory: str, secret: str, **settings: Any) -> Any:
        def state() -> Any:
            entries = {each.name: each.stat() for each in os.scandir(directory)}
            files = [(name, s.st_mode, s.st_uid, s.st_size, s.st_mtime_ns) for name, s in entries.items()]
            limits = [resource.getrlimit(number) for number in range(10)]
            return files, limits, os.sched_getaffinity(0), os.getpriority(os.PRIO_PROCESS, 0), memory.value

        memory = ctypes.create_string_buffer(b"untouched")
        file = directory + "/file"
        with open(file, "w") as stream:
            stream.write("content")
        os.chmod(file, 0o666)
        name = f"lockdown-test-{os.getpid()}"
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        listener.bind("\0" + name)
        listener.setblocking(False)
        world = SimpleNamespace(
            name=name,
            launcher=os.getpid(),
            directory=directory,
            file=file,
            descriptor=os.open(directory, os.O_RDONLY),
            secret=secret,
            memory=struct.pack("PN", ctypes.addressof(memory), 8),
            handle=os.pidfd_open(os.getpid()),
            datagram=socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM),
            address=listener.getsockname(),
            terminal=os.openpty()[1],
            limit=resource.getrlimit(resource.RLIMIT_NOFILE),
            cores=os.sched_getaffinity(0),
            priority=os.getpriority(os.PRIO_PROCESS, 0),
        )
        before = state()
        worker = in_worker(
            lambda report: {"report": report, **{name: tried(each) for name, each in attempts(world).items()}},
            readable=[directory],
            **settings,
        )
        return {**worker.result, "untouched": state() == before, "received": tried(listener.recv, 100)}

    playground = Path(tempfile.mkdtemp(prefix="lockdown-"))
    try:
        playground.chmod(0o755)
        directory, secret = playground / "readable", playground / "secrets" / "secret"
        for each in (directory, secret.parent):
            each.mkdir()
            each.chmod(0o777)
        secret.write_text("expected values")
        secret.chmod(0o644)
        result: dict[str, Any] = run(launcher, directory=str(directory), secret=str(secret), **MODES[mode])
    finally:
        shutil.rmtree(playground)
    for layer in ("landlock", "seccomp"):
        if MODES[mode].get(layer, True) and result["report"][layer] != "on":
            pytest.skip(f"no {layer} here: {result['report'][layer]}")
    return {"mode": mode, **result}


def in_mode(*modes: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("outcomes", modes, indirect=True)


@in_mode(*CONFINED)
@pytest.mark.parametrize("name", NAMES)
def test_is_refused(outcomes, name):
    if outcomes["mode"] == NO_LANDLOCK and name in BY_LANDLOCK:
        assert outcomes[name] == "did it"  # the reason why there is Landlock
    else:
        assert outcomes[name] in REFUSALS


@in_mode(*CONFINED)
def test_nothing_outside_has_changed(outcomes):
    assert outcomes["untouched"]
    assert outcomes["received"] == "EAGAIN"


@in_mode(NO_SECCOMP)
@pytest.mark.parametrize("name", BY_FILTER)
def test_nothing_but_the_filter_refuses(outcomes, name):
    assert outcomes[name] == "did it"


@in_mode(NO_SECCOMP)
@pytest.mark.parametrize("name", BY_LANDLOCK_ALONE)
def test_landlock_alone_refuses(outcomes, name):
    assert outcomes[name] in REFUSALS


@in_mode(NO_SECCOMP)
@pytest.mark.parametrize(
    ("version", "name"),
    [
        (3, "empty a file"),
        (4, "bind a TCP port"),
        (6, "connect to an abstract socket"),
        (6, "signal the launcher"),
    ],
)
def test_newer_landlock_alone_refuses(outcomes, version, name):
    if landlock.version() < version:
        pytest.skip(f"this is Landlock {landlock.version()}")
    assert outcomes[name] in REFUSALS


@in_mode(PLAIN)
@pytest.mark.usefixtures("outcomes")
def test_landlock_lets_a_single_file_be_read(tmp_path):
    def launcher(directory: str) -> Any:
        def look(report: dict[str, str]) -> Any:
            return report["landlock"], tried(open, directory + "/this"), tried(open, directory + "/that")

        for name in ("this", "that"):
            open(f"{directory}/{name}", "w").close()
        return in_worker(look, readable=[directory + "/this"], seccomp=False).result

    assert run(launcher, directory=str(tmp_path)) == ["on", "did it", "EACCES"]


@in_mode(PLAIN)
@pytest.mark.parametrize("name", ["clone3", "create a file by openat2"])
def test_newer_calls_look_unknown(outcomes, name):
    assert outcomes[name] == "ENOSYS"


# --- the report ------------------------------------------------------------------------------------------------------

LAYERS = [
    "oom_score_adj",
    "rlimits",
    "no_new_privs",
    "uid",
    "capabilities",
    "dumpable",
    "parent_death",
    "landlock",
    "seccomp",
]


@in_mode(PLAIN)
def test_report_names_every_layer_in_order(outcomes):
    report = outcomes["report"]
    assert list(report) == LAYERS
    assert {name: held for name, held in report.items() if held != "on"} == {"uid": "no other user to become"}


@in_mode(ANOTHER_USER)
def test_report_of_another_user_is_on_throughout(outcomes):
    assert set(outcomes["report"].values()) == {"on"}


@in_mode(NO_LANDLOCK, NO_SECCOMP)
def test_report_says_what_is_switched_off(outcomes):
    layer = "landlock" if outcomes["mode"] == NO_LANDLOCK else "seccomp"
    assert outcomes["report"][layer] == "switched off"


@in_mode(PLAIN)
@pytest.mark.usefixtures("outcomes")
def test_report_says_why_a_layer_does_not_hold():
    def launcher() -> Any:
        again = lockdown.Confinement(memory_mib=2048, cpu_seconds=30, uid=12345, readable=["/"])
        return in_worker(lambda report: lockdown.apply(again), landlock=False).result  # the first time forbids it all

    report = run(launcher)
    assert report["uid"] == "Operation not permitted"
    assert report["seccomp"] == "Operation not permitted"
    assert report["landlock"] == "Function not implemented"
    assert report["rlimits"].startswith("RLIMIT_FSIZE: ")


def test_no_directory_to_read_leaves_landlock_off():
    def launcher() -> Any:
        return in_worker(lambda report: report["landlock"], readable=[]).result

    assert run(launcher) == "nothing was named that the worker may read"


@needs_root
@pytest.mark.parametrize("uid", [0, -1])
def test_root_is_no_user_to_become(uid):
    def launcher(uid: int) -> Any:
        return in_worker(lambda report: [report["uid"], os.getuid()], uid=uid).result

    assert run(launcher, uid=uid) == [f"user {uid} is no user to become", 0]


def test_confinement_survives_json():
    confinement = lockdown.Confinement(memory_mib=512, cpu_seconds=60, uid=SLOT, readable=["/usr/lib"], landlock=False)
    assert lockdown.Confinement.from_json(json.loads(json.dumps(confinement.to_json()))) == confinement


# --- the single layers -----------------------------------------------------------------------------------------------


@needs_root
def test_another_user_is_another_user():
    def launcher(uid: int, gid: int) -> Any:
        def status(pid: int) -> Any:
            with open(f"/proc/{pid}/status") as stream:
                lines = dict(line.split(":", 1) for line in stream)
            return [lines[key].split() for key in ("Uid", "Gid", "Groups", "CapPrm", "CapEff", "NoNewPrivs")]

        os.setgroups([gid])
        return in_worker(lambda report: None, outside=status, uid=uid, gid=gid).seen

    expected = [[str(SLOT)] * 4, [str(SLOT + 1)] * 4, [], ["0" * 16], ["0" * 16], ["1"]]
    assert run(launcher, uid=SLOT, gid=SLOT + 1) == expected


@needs_root
def test_root_without_another_user_loses_its_capabilities():
    def launcher() -> Any:
        def capabilities(pid: int) -> Any:
            with open(f"/proc/{pid}/status") as stream:
                return {line.split()[1] for line in stream if line.startswith(("CapPrm", "CapEff", "CapInh"))}

        return list(in_worker(lambda report: None, outside=capabilities).seen)

    assert run(launcher) == ["0" * 16]


def test_limits():
    def launcher(hard: int) -> Any:
        def limits(pid: int) -> Any:
            names = ("FSIZE", "CORE", "NPROC", "NOFILE", "AS", "CPU")
            found = {name: resource.prlimit(pid, getattr(resource, f"RLIMIT_{name}")) for name in names}
            with open(f"/proc/{pid}/oom_score_adj") as stream:
                return found, stream.read().strip()

        resource.setrlimit(resource.RLIMIT_CPU, (hard, hard))
        worker = in_worker(lambda report: report["rlimits"], outside=limits, memory_mib=512, cpu_seconds=60)
        return worker.result, *worker.seen

    report, limits, oom_score_adj = run(launcher, hard=1000)
    assert report == "on"
    assert limits == {
        "FSIZE": [0, 0],
        "CORE": [0, 0],
        "NPROC": [0, 0],
        "NOFILE": [64, 64],
        "AS": [512 * 2**20, 512 * 2**20],
        "CPU": [60, 61],
    }
    assert oom_score_adj == "1000"
    report, limits, _ = run(launcher, hard=30)
    assert report == "on"
    assert limits["CPU"] == [30, 30]  # what is stricter already stays


def test_memory_runs_out_as_an_exception():
    def launcher() -> Any:
        return in_worker(lambda report: tried(bytearray, 2**29), memory_mib=512).result

    assert run(launcher) == "MemoryError()"


def test_processor_time_runs_out_with_its_own_signal():
    def launcher() -> Any:
        def spin(report: dict[str, str]) -> None:
            while True:
                pass

        return in_worker(spin, cpu_seconds=1).signal

    assert run(launcher) == signal.SIGXCPU


def test_file_stays_empty_when_only_the_limits_hold():
    def launcher() -> Any:
        file = os.memfd_create("results.json")
        written = in_worker(lambda report: tried(os.write, file, b"100 points"), seccomp=False, landlock=False).result
        return written, os.fstat(file).st_size

    assert run(launcher) == ["EFBIG", 0]


def test_worker_cannot_be_traced_by_its_user():
    def launcher() -> Any:
        def look(pid: int) -> Any:
            return [tried(open, f"/proc/{pid}/{name}") for name in ("environ", "mem", "maps")]

        return in_worker(lambda report: None, outside=look).seen

    assert run(launcher, start_as=NOBODY) == ["EACCES"] * 3


def test_protected_process_cannot_be_traced_by_its_user():
    def launcher() -> Any:
        parent = os.getpid()
        settings: dict[str, Any] = {"seccomp": False, "landlock": False}
        lockdown._prctl(4, 1)  # PR_SET_DUMPABLE: as a process is that never changed its user
        lockdown.protect()
        return in_worker(lambda report: tried(open, f"/proc/{parent}/environ"), **settings).result

    assert run(launcher, start_as=NOBODY) == "EACCES"


def test_processor_clock_is_read_from_outside():
    def launcher(**settings: Any) -> Any:
        return in_worker(lambda report: None, outside=lambda pid: time.clock_gettime((~pid << 3) | 2), **settings).seen

    modes: list[dict[str, Any]] = [{"start_as": NOBODY}, *([{"uid": SLOT}] if ROOT else [])]
    for settings in modes:
        assert 0 < run(launcher, **settings) < 1


def test_worker_dies_with_its_launcher():
    def launcher(**settings: Any) -> Any:
        reader, writer = os.pipe()
        if os.fork() == 0:  # a second launcher, which dies

            def die(pid: int) -> None:
                os.write(writer, str(pid).encode())
                os.kill(os.getpid(), signal.SIGKILL)

            in_worker(lambda report: time.sleep(20), outside=die, **settings)
        os.close(writer)
        pid = int(os.read(reader, 100))
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:  # the launcher is their subreaper, so all its children are waited for here
            if os.waitpid(-1, 0)[0] == pid:
                return "died"
        return "lives"

    modes: list[dict[str, Any]] = [{"start_as": NOBODY}, *([{"uid": SLOT}] if ROOT else [])]
    for settings in modes:
        assert run(launcher, **settings) == "died"


def test_worker_without_its_launcher_does_not_start():
    def launcher() -> Any:
        return in_worker(lambda report: "started", parent=os.getppid()).signal

    assert run(launcher) == signal.SIGKILL


@in_mode(PLAIN)
@pytest.mark.usefixtures("outcomes")
@pytest.mark.skipif(MACHINE != "x86_64", reason="only x86-64 has 32-bit calls by interrupt")
def test_32_bit_call_kills():
    def launcher(**settings: Any) -> Any:
        def call(report: dict[str, str]) -> Any:
            code = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
            code.write(b"\xb8\x14\x00\x00\x00\xcd\x80\xc3")  # mov eax, 20 (getpid); int 0x80; ret
            function = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(code)))
            return function() == os.getpid()

        worker = in_worker(call, **settings)
        return worker.result, worker.signal

    if run(launcher, seccomp=False) != [True, None]:
        pytest.skip("this kernel has no 32-bit calls")
    assert run(launcher) == [None, signal.SIGSYS]


@in_mode(PLAIN)
@pytest.mark.usefixtures("outcomes")
@pytest.mark.skipif(MACHINE != "x86_64", reason="only x86-64 has x32")
def test_x32_call_is_refused():
    def launcher() -> Any:
        return in_worker(lambda report: tried(raw, 0x40000000 + 39, 0)).result

    assert run(launcher) == "EPERM"


@in_mode(PLAIN)
@pytest.mark.usefixtures("outcomes")
def test_every_other_call_is_refused():
    """All numbers that the kernel may know, with arguments that make no sense."""

    def launcher() -> Any:
        machine = os.uname().machine
        left_out = {getattr(call, machine) for call in (*seccomp.CALLS, *seccomp._signals(0))}
        if machine == "x86_64":
            left_out |= {57, 58}  # fork and vfork, which take no arguments
            left_out |= {335, 336}  # uretprobe and uprobe: no filter sees them, and they kill whoever has no probe
        numbers = sorted(set(range(480)) - left_out)
        return in_worker(lambda report: [(each, tried(raw, each, each, *[-1] * 6)) for each in numbers]).result

    result = run(launcher, start_as=NOBODY)
    assert len(result) > 390
    assert [pair for pair in result if pair[1] != ("EPERM" if pair[0] < 435 else "ENOSYS")] == []


@needs_root
def test_sweep_kills_one_user_and_nobody_else():
    def launcher(swept: int, spared: int) -> Any:
        def sleeper(uid: int) -> int:
            pid = os.fork()
            if pid == 0:
                become(uid)
                ready.send(b"!")
                time.sleep(20)
                os._exit(0)
            here.recv(1)
            return pid

        def sweeper(uid: int) -> int:
            pid = os.fork()
            if pid == 0:
                lockdown.sweep(uid)
            return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

        here, ready = socket.socketpair()
        victims, bystander = [sleeper(swept), sleeper(swept)], sleeper(spared)
        statuses = [sweeper(swept)]
        ends = [os.WTERMSIG(os.waitpid(victim, 0)[1]) for victim in victims]
        statuses += [sweeper(swept), sweeper(0)]  # nobody is left; root is never swept
        alive = os.waitpid(bystander, os.WNOHANG)[0] == 0
        os.kill(bystander, signal.SIGKILL)
        return statuses, ends, alive

    assert run(launcher, swept=SLOT, spared=SLOT + 1) == [[0, 0, 1], [signal.SIGKILL, signal.SIGKILL], True]


def test_sweep_without_root_kills_nobody():
    def launcher() -> Any:
        pid = os.fork()
        if pid == 0:
            lockdown.sweep(12345)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

    assert run(launcher, start_as=NOBODY) == 1


# --- what a worker needs ---------------------------------------------------------------------------------------------


def everybody_can_read(path: str) -> bool:
    resolved = Path(path).resolve()
    return bool(resolved.stat().st_mode & 0o004) and all(p.stat().st_mode & 0o001 for p in resolved.parents)


def interpreters() -> Iterator[str]:
    """Find Pythons of this version, this one first."""
    yield sys.executable
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for directory in os.get_exec_path():
        if os.access(os.path.join(directory, name), os.X_OK):
            yield os.path.join(directory, name)


@in_mode(*CONFINED)
def test_numpy_and_the_standard_library_work(outcomes):
    mode = outcomes["mode"]

    def launcher(modules: str, file: str, **settings: Any) -> Any:
        sys.path.append(modules)
        import numpy as np

        def work(report: dict[str, str]) -> Any:
            import asyncio
            import decimal
            import inspect
            import linecache
            import logging
            import platform
            import random
            import traceback
            import unittest

            from numpy.testing import assert_allclose

            x = np.random.default_rng(0).normal(size=(300, 300))
            checks = {
                "matmul": tried(assert_allclose, (x @ x).sum(axis=0), x.sum(axis=0) @ x, 1e-6) == "did it",
                "solve": np.allclose(x @ np.linalg.solve(x, x), x),
                "svd": len(np.linalg.svd(x)[1]) == 300,
                "fft": np.allclose(np.fft.ifft2(np.fft.fft2(x)).real, x),
                "einsum": np.allclose(np.einsum("ij,jk->ik", x, x, optimize=True), x @ x),
                "large": np.ones((4000, 4000)).sum() == 16e6,
                "seed": np.random.default_rng().random() != np.random.default_rng().random(),
                "load": (np.load(file) == np.arange(6.0)).all(),
                "map": np.load(file, mmap_mode="r")[2] == 2,
                "fromfile": np.fromfile(file, np.uint8).size > 48,
                "sleep": tried(time.sleep, 0.001) == "did it",
                "clocks": time.process_time() > 0 and time.thread_time() > 0 and time.time() > 0,
                "localtime": time.localtime().tm_year > 2000,
                "source": "def run" in inspect.getsource(asyncio.runners),
                "line": linecache.getline(decimal.__file__, 1) != "",
                "traceback": "ZeroDivisionError" in divide(traceback),
                "cores": (os.cpu_count() or 1) >= 1,
                "directory": os.path.basename(file) in os.listdir(os.path.dirname(file)),
                "chdir": tried(os.chdir, os.path.dirname(file)) == "did it" and os.path.exists(os.path.basename(file)),
                "urandom": len(os.urandom(16)) == 16 and random.SystemRandom().random() < 1,
                "callback": ctypes.CFUNCTYPE(ctypes.c_int)(lambda: 3)() == 3,
                "platform": "Linux" in platform.platform(),
                "own signal": handled(),
                "log": logging.getLogger("x").isEnabledFor(logging.ERROR) and unittest.TestCase is not None,
                "thread": tried(threading.Thread(target=print).start) == repr(RuntimeError("can't start new thread")),
                "program": tried(os.system, "true") == "did it",  # says 127, as where there is no shell
                "print": tried(print, "unseen", file) == "did it",
                "socket": echoes(),
            }
            return [name for name, holds in checks.items() if not holds]

        def divide(traceback: Any) -> str:
            try:
                return str(1 / 0)
            except ZeroDivisionError:
                return str(traceback.format_exc())

        def handled() -> bool:
            seen = []
            signal.signal(signal.SIGUSR1, lambda number, frame: seen.append(number))
            os.kill(os.getpid(), signal.SIGUSR1)
            signal.raise_signal(signal.SIGUSR1)
            return len(seen) == 2

        def echoes() -> bool:
            here.settimeout(5)
            here.sendall(b"ping")
            return here.recv(4) == b"pong"

        def pong(pid: int) -> None:
            there.sendall(b"pong")

        here, there = socket.socketpair()
        np.save(file, np.arange(6.0))
        os.chmod(file, 0o644)
        readable = [os.path.dirname(os.__file__), modules, os.path.dirname(file), *libraries()]
        return in_worker(work, outside=pong, readable=readable, **settings).result

    modules = str(Path(numpy.__file__).parent.parent)
    others_too = ROOT and mode != ROOT_STAYS
    found = [each for each in interpreters() if not others_too or everybody_can_read(each)]
    if not found or (others_too and not everybody_can_read(modules)):
        pytest.skip(f"no other user can run {sys.executable} with the NumPy in {modules}")
    playground = Path(tempfile.mkdtemp(prefix="lockdown-"))
    try:
        playground.chmod(0o777)
        failures = run(launcher, python=found[0], modules=modules, file=str(playground / "x.npy"), **MODES[mode])
    finally:
        shutil.rmtree(playground)
    assert failures == []


def test_abort_ends_in_its_own_signal():
    def launcher() -> Any:
        return in_worker(lambda report: os.abort()).signal

    assert run(launcher) == signal.SIGABRT


def test_lockdown_is_quick():
    def launcher() -> Any:
        def timed() -> float:
            settings = lockdown.Confinement(memory_mib=1024, cpu_seconds=20, readable=libraries())
            reader, writer = os.pipe()
            pid = os.fork()
            if pid == 0:
                start = time.perf_counter()
                lockdown.apply(settings)
                os.write(writer, struct.pack("d", time.perf_counter() - start))
                os._exit(0)
            os.waitpid(pid, 0)
            os.close(writer)
            with os.fdopen(reader, "rb") as stream:
                return float(struct.unpack("d", stream.read())[0])

        return min(timed() for _ in range(20))

    assert run(launcher) < 0.005


# --- the filter as a program, for every machine there is a list for ---------------------------------------------------

NEVER = """\
    fork vfork clone clone3 execve execveat ptrace process_vm_readv process_vm_writev kcmp process_madvise
    socket socketpair connect bind listen accept accept4 sendmsg sendmmsg setsockopt
    creat truncate ftruncate unlink unlinkat rename renameat renameat2 mkdir mkdirat rmdir link linkat symlink symlinkat
    mknod mknodat chmod fchmod fchmodat fchmodat2 chown fchown lchown fchownat utime utimes utimensat futimesat setxattr
    lsetxattr fsetxattr removexattr fallocate copy_file_range sendfile splice tee vmsplice pwrite64 pwritev pwritev2
    flock rt_sigqueueinfo rt_tgsigqueueinfo pidfd_open pidfd_send_signal pidfd_getfd timer_create
    setrlimit sched_setaffinity sched_setscheduler sched_setparam sched_setattr setpriority ioprio_set
    io_uring_setup io_uring_enter io_uring_register io_setup unshare setns mount umount2 pivot_root chroot open_tree
    move_mount fsopen fsconfig fsmount fspick mount_setattr openat2 open_by_handle_at name_to_handle_at
    keyctl add_key request_key bpf perf_event_open userfaultfd memfd_create memfd_secret personality
    shmget shmat shmctl semget semop msgget msgsnd mq_open mq_notify inotify_init inotify_init1 fanotify_init
    prctl seccomp arch_prctl modify_ldt setuid setgid setreuid setregid setresuid setresgid setgroups setfsuid setfsgid
    capset setsid setpgid umask init_module finit_module delete_module kexec_load reboot swapon swapoff settimeofday
    clock_settime clock_adjtime adjtimex sethostname setdomainname quotactl acct syslog vhangup iopl ioperm mlockall
"""
ALLOW, KILL, EPERM, ENOSYS = 0x7FFF0000, 0x80000000, 0x00050001, 0x00050026
ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7, "i386": 0x40000003, "arm": 0x40000028}
PID = 4242
both_machines = pytest.mark.parametrize("machine", ["x86_64", "aarch64"])


def verdict(machine: str, number: int, *arguments: int, architecture: int | None = None) -> int:
    """Run the filter as the kernel would."""
    data = struct.pack(
        "<iIQ6Q",
        number,
        ARCHITECTURES[machine] if architecture is None else architecture,
        0,
        *(each & (2**64 - 1) for each in (*arguments, *[0] * (6 - len(arguments)))),
    )
    program = seccomp.program(machine, PID)
    at = accumulator = 0
    while True:
        code, yes, no, constant = program[at]
        assert 0 <= yes < 256 and 0 <= no < 256, "the kernel has one byte for a jump"
        at += 1
        if code == 0x20:
            accumulator = struct.unpack_from("<I", data, constant)[0]
        elif code == 0x06:
            return constant
        else:
            holds = {0x15: accumulator == constant, 0x25: accumulator > constant, 0x45: bool(accumulator & constant)}
            at += yes if holds[code] else no


def numbers(machine: str) -> dict[str, int]:
    calls = (*seccomp.CALLS, *seccomp._signals(PID))
    return {call.name: getattr(call, machine) for call in calls if getattr(call, machine) is not None}


def test_nothing_dangerous_is_on_the_list():
    assert not set(NEVER.split()) & {call.name for call in (*seccomp.CALLS, *seccomp._signals(PID))}


@both_machines
def test_names_and_numbers_are_listed_once(machine):
    listed = numbers(machine)
    assert len(set(listed.values())) == len(listed)


@both_machines
def test_whatever_is_not_on_the_list_is_refused(machine):
    allowed = set(numbers(machine).values())
    for number in set(range(600)) - allowed:
        assert verdict(machine, number) == (EPERM if number < 435 else ENOSYS), number


@both_machines
@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("read", (), ALLOW),
        ("openat", (-100, 0, os.O_RDONLY | os.O_CLOEXEC), ALLOW),
        ("openat", (-100, 0, os.O_WRONLY), EPERM),
        ("openat", (-100, 0, os.O_RDWR), EPERM),
        ("openat", (-100, 0, os.O_CREAT), EPERM),
        ("openat", (-100, 0, os.O_TRUNC), EPERM),
        ("openat", (-100, 0, os.O_APPEND), EPERM),
        ("openat", (-100, 0, 0o20000000), EPERM),  # O_TMPFILE's own bit
        ("openat", (-100, 0, os.O_RDONLY | 1 << 32), ALLOW),  # the kernel does not look at the upper half
        ("kill", (PID, 9), ALLOW),
        ("kill", (PID | 7 << 32, 9), ALLOW),
        ("kill", (PID + 1, 9), EPERM),
        ("kill", (0, 9), EPERM),
        ("kill", (-1, 9), EPERM),
        ("kill", (-PID, 9), EPERM),
        ("tgkill", (PID, PID, 6), ALLOW),
        ("tgkill", (1, 1, 6), EPERM),
        ("prlimit64", (0, 7, 0, 1), ALLOW),
        ("prlimit64", (0, 7, 1, 1), EPERM),
        ("prlimit64", (0, 7, 1 << 32, 1), EPERM),  # a pointer has two halves
        ("sendto", (3, 1, 1, 0, 0, 0), ALLOW),
        ("sendto", (3, 1, 1, 0, 1, 16), EPERM),
        ("sendto", (3, 1, 1, 0, 1 << 40, 16), EPERM),
        ("fcntl", (3, fcntl.F_DUPFD_CLOEXEC, 0), ALLOW),
        ("fcntl", (3, fcntl.F_SETFL, os.O_NONBLOCK), ALLOW),
        ("fcntl", (3, fcntl.F_SETOWN, 1), EPERM),
        ("fcntl", (3, 15, 0), EPERM),  # F_SETOWN_EX
        ("fcntl", (3, fcntl.F_SETSIG, 9), EPERM),
        ("fcntl", (3, fcntl.F_SETLK, 0), EPERM),
        ("fcntl", (3, fcntl.F_SETLEASE, 0), EPERM),
        ("fcntl", (3, fcntl.F_NOTIFY, 0), EPERM),
        ("ioctl", (0, termios.TCGETS, 0), ALLOW),
        ("ioctl", (0, termios.TIOCSTI, 0), EPERM),
        ("ioctl", (0, 0x541C, 0), EPERM),  # TIOCLINUX
        ("ioctl", (0, termios.TIOCSTI | 1 << 32, 0), EPERM),
        ("ioctl", (0, termios.FIOASYNC, 0), EPERM),
        ("clock_gettime", (time.CLOCK_PROCESS_CPUTIME_ID,), ALLOW),
        ("clock_gettime", ((~PID << 3) | 2,), EPERM),
    ],
)
def test_rules(machine, name, arguments, expected):
    assert verdict(machine, numbers(machine)[name], *arguments) == expected


@both_machines
@pytest.mark.parametrize("architecture", list(ARCHITECTURES))
def test_other_calling_conventions_kill(machine, architecture):
    expected = ALLOW if architecture == machine else KILL
    assert verdict(machine, numbers(machine)["read"], architecture=ARCHITECTURES[architecture]) == expected


@both_machines
@pytest.mark.parametrize("number", [0x40000000, 0x40000000 + 59, -1, -2])
def test_numbers_beyond_the_table_are_refused(machine, number):
    assert verdict(machine, number) == EPERM


@pytest.mark.parametrize(("machine", "header"), [("x86_64", "*/asm/unistd_64.h"), ("aarch64", "asm-generic/unistd.h")])
def test_numbers_are_those_of_the_kernel(machine, header):
    """Compare with the kernel's own headers, where they are installed."""
    found = sorted(Path("/usr/include").glob(header))
    if not found or (machine == "x86_64" and MACHINE != "x86_64"):
        pytest.skip("no kernel headers here")
    text = found[0].read_text()
    theirs = {name: int(number) for name, number in re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)", text)}
    for name, same_as in re.findall(r"#define __NR_(\w+)\s+__NR3264_(\w+)", text):
        theirs[name] = theirs.get(same_as, -1)
    ours = numbers(machine)
    assert ours == {name: theirs[name] for name in ours}
