"""Workers are started, limited and ended, in both ways of starting them; what a worker may do is test_lockdown's."""

import json
import os
import pwd
import select
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy
import pytest

from autograder.core.errors import GraderFault
from autograder.sandbox import interpreter, launcher
from autograder.sandbox.ending import EXIT_OUT_OF_MEMORY, Ending
from autograder.sandbox.launcher import ENVIRONMENT, Sandbox
from autograder.sandbox.slots import Slot
from autograder.sandbox.worker import __main__ as program
from autograder.sandbox.worker import wire
from tests.grader.support import ROOT

NOBODY = 65534

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
linux = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux")
both_ways = pytest.mark.parametrize("fork", [pytest.param(True, marks=linux), False], ids=["fork", "no fork"])

SOURCE = """\
import importlib.util, os, sys, signal
import numpy as np

NAMES = ("numpy", "pytest", "yaml", "autograder", "wire", "lockdown")

def is_open(number):
    try:
        return os.fstat(number) is not None
    except OSError:
        return False

def tell():
    what = {
        "environment": dict(os.environ),
        "folder": os.getcwd(),
        "arguments": sys.argv,
        "descriptors": [number for number in range(64) if is_open(number)],
        "importable": [name for name in NAMES if importlib.util.find_spec(name) is not None],
        "numpy": np.__version__,
    }
    raise ValueError(repr(what))

def end(how):
    if how >= 0:
        os._exit(how)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.raise_signal(-how)

def count(x=[]):
    x.append(1)
    return len(x)

def hang():
    while True: pass

def reach(pid):
    import ctypes, resource
    libc = ctypes.CDLL(None)
    ways = (
        lambda: os.kill(pid, signal.SIGKILL),
        lambda: os.kill(-1, signal.SIGKILL),
        lambda: os.killpg(pid, signal.SIGSTOP),
        lambda: signal.pidfd_send_signal(os.pidfd_open(pid), signal.SIGKILL),
        lambda: resource.prlimit(pid, resource.RLIMIT_CPU, (0, 0)),
        lambda: os.sched_setaffinity(pid, {0}),
        lambda: os.listdir(f"/proc/{pid}/fd"),
        lambda: None if libc.ptrace(16, pid, None, None) == 0 else {}["denied"],
    )
    done = 0
    for way in ways:
        try:
            way()
            done += 1
        except Exception:
            pass
    return done
"""


def ask(connection, body, seconds=20.0):
    wire.send(connection, {"nonce": "", **body})
    return wire.receive(connection, 0, time.monotonic() + seconds)[0]


def load(worker, directory):
    hello, _ = wire.receive(worker.connection, 0, time.monotonic() + 20)
    functions = ["tell", "end", "count", "hang", "reach"]
    assert ask(worker.connection, {"directory": str(directory), "module": "toy", "functions": functions})["defined"]
    return hello


def request(function, *arguments):
    return {
        "function": function,
        "args": [{"value": value} for value in arguments],
        "kwargs": {},
        "returns": ["y"],
        "opaque": [],
        "inspect": False,
        "count": False,
        "parts": False,
    }


def call(worker, function, *arguments):
    return ask(worker.connection, request(function, *arguments))


class Starter:
    """Starts workers with the code above, in one sandbox for each set of options."""

    def __init__(self):
        self.sandboxes = {}
        self.workers = []

    def __call__(self, reference=False, **options):
        worker, directory = self.begin(reference, **options)
        assert worker.pid
        self.hello = load(worker, directory)
        return worker

    def begin(self, reference=False, **options):
        key = tuple(options.items())
        if key not in self.sandboxes:
            self.sandboxes[key] = Sandbox(memory_mib=512, cpu_seconds=20, **options)
            for name in ("student", "reference"):
                (self.sandboxes[key].directory(name) / "toy.py").write_text(SOURCE)
        directory = self.sandboxes[key]._code / ("reference" if reference else "student")
        worker = self.sandboxes[key].start(directory, reference)
        self.workers.append(worker)
        return worker, directory

    @property
    def sandbox(self):
        (sandbox,) = self.sandboxes.values()
        return sandbox

    def close(self):
        for sandbox in self.sandboxes.values():
            sandbox.close()
        self.sandboxes.clear()
        for worker in self.workers:
            worker.connection.close()


@pytest.fixture
def start():
    starter = Starter()
    yield starter
    starter.close()


def children():
    """Process ids of this process's children."""
    if sys.platform == "linux":
        return {int(pid) for path in Path("/proc/self/task").glob("*/children") for pid in path.read_text().split()}
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid=,comm="], capture_output=True, text=True, check=True).stdout
    rows = [line.split() for line in listed.splitlines()]
    return {int(pid) for pid, parent, name, *_ in rows if int(parent) == os.getpid() and not name.endswith("ps")}


def exists(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


# A life.


@both_ways
def test_a_worker_answers_until_it_is_stopped(start, fork):
    worker = start(fork=fork)
    assert call(worker, "count")["results"] == [{"integer": 1}]
    assert call(worker, "count")["results"] == [{"integer": 2}]
    assert exists(worker.pid)
    ending = worker.stop()
    assert ending in (Ending(), Ending(exit_status=0))  # it may hear first that nobody listens any more
    assert worker.stop() == ending
    assert not exists(worker.pid)


@both_ways
def test_a_worker_never_meets_the_one_that_was_ended_before(start, fork):
    first = start(fork=fork)
    wire.send(first.connection, {"nonce": "", **request("hang")})
    first.end()
    second, directory = start.begin(fork=fork)
    assert second.pid
    assert not exists(first.pid)
    assert first.stop() == Ending()
    load(second, directory)
    assert call(second, "count")["results"] == [{"integer": 1}]


@both_ways
def test_the_next_worker_gets_ready_while_one_runs(start, fork):
    first = start(fork=fork)
    first.can_fork = False  # as if its filter held: nothing is ended with it
    student = start.sandbox._code / "student"
    start.sandbox.start_ahead(student)
    others = start(fork=fork, reference=True)  # not the one that was started ahead for the student
    second, directory = start.begin(fork=fork)
    assert len({first.pid, second.pid, others.pid}) == 3
    assert select.select([second.connection], [], [], 20.0)[0], "it is ready before anybody needs it"
    assert call(first, "count")["results"] == [{"integer": 1}]
    first.stop()
    load(second, directory)
    assert call(second, "count")["results"] == [{"integer": 1}]
    assert start.begin(fork=fork)[0].pid != second.pid, "it is there once"


@linux
def test_a_worker_that_was_started_for_another_folder_is_ended(start):
    """Alone: whoever is in use has the same user."""
    first = start()
    sandbox = start.sandbox
    sandbox.start_ahead(sandbox._code / "student")
    (_, unused) = sandbox._ahead
    assert exists(unused.pid)
    sandbox.start_ahead(sandbox._code / "reference")
    assert unused.stop() in (Ending(), Ending(exit_status=0))
    assert not exists(unused.pid)
    assert call(first, "count")["results"] == [{"integer": 1}]


@linux
def test_after_a_death_the_next_worker_is_a_fresh_one(start):
    """Who killed the one may have killed the other."""
    first = start()
    first.can_fork = False
    sandbox = start.sandbox
    sandbox.start_ahead(sandbox._code / "student")
    (_, ahead) = sandbox._ahead
    for worker in (first, ahead):
        os.kill(worker.pid, signal.SIGKILL)
    assert first.stop(died=True) == Ending(signal_number=signal.SIGKILL)
    second = start()
    assert second.pid not in (first.pid, ahead.pid)
    assert call(second, "count")["results"] == [{"integer": 1}]


@linux
@pytest.mark.parametrize("without", [(), ("uid",)], ids=["as it is", "as the same user"])
def test_a_worker_cannot_reach_the_next_one(start, without):
    first = start(without=without)
    if start.hello["lockdown"]["seccomp"] != "on":
        pytest.skip("where the filter does not hold, none is started ahead")
    start.sandbox.start_ahead(start.sandbox._code / "student")
    second, directory = start.begin(without=without)
    assert call(first, "reach", second.pid)["results"] == [{"integer": 0}]
    load(second, directory)
    assert call(second, "count")["results"] == [{"integer": 1}]


def test_what_is_asked_of_a_launcher_at_once_is_done_one_after_the_other(start):
    """Several requests may reach it in one piece, each with a descriptor of its own."""
    for _ in range(20):
        worker, directory = start.begin()
        worker.end()
    last, directory = start.begin()
    load(last, directory)
    assert call(last, "count")["results"] == [{"integer": 1}]
    assert exists(last.pid)
    assert not any(exists(worker.pid) for worker in start.workers[:-1])


@both_ways
def test_the_reference_is_not_touched_by_what_happens_to_the_student(start, fork):
    first, second = start(fork=fork), start(fork=fork, reference=True)
    assert first.pid != second.pid
    assert call(first, "count") == call(second, "count")
    first.stop()
    assert call(second, "count")["results"] == [{"integer": 2}]


@both_ways
@pytest.mark.parametrize("how", [0, 3, EXIT_OUT_OF_MEMORY, -signal.SIGSEGV, -signal.SIGTERM, -signal.SIGKILL])
def test_how_it_ended_by_itself(start, fork, how):
    worker = start(fork=fork)
    with pytest.raises(wire.ConnectionClosed):
        call(worker, "end", how)
    expected = Ending(exit_status=how) if how >= 0 else Ending(signal_number=-how)
    assert worker.stop(died=True) == expected


@both_ways
def test_a_worker_that_hangs_is_ended_at_once(start, fork):
    worker = start(fork=fork)
    wire.send(worker.connection, {"nonce": "", **request("hang")})
    with pytest.raises(TimeoutError):
        wire.receive(worker.connection, 0, time.monotonic() + 0.1)
    started = time.monotonic()
    assert worker.stop() == Ending()
    assert time.monotonic() - started < 1.0
    assert not exists(worker.pid)


@both_ways
def test_closing_waits_for_no_answer(start, fork):
    """As after Ctrl-C in the middle of it."""
    others = children()
    first = start(fork=fork)
    first.end()
    start.begin(fork=fork)
    scratch = start.sandbox.directory("one more").parents[1]
    started = time.monotonic()
    start.close()
    assert time.monotonic() - started < 4.0
    assert children() == others
    assert not scratch.exists()
    assert not exists(first.pid)


@both_ways
def test_an_interruption_while_an_answer_is_read(start, fork, monkeypatch):
    """An answer may be lost. What would wait for it is interrupted too, and closing still ends everything."""
    others = children()
    worker, _ = start.begin(fork=fork)
    loads = json.loads

    def interrupted(line):
        answer = loads(line)
        if "pid" in answer:
            raise KeyboardInterrupt
        return answer

    monkeypatch.setattr(json, "loads", interrupted)
    with pytest.raises(KeyboardInterrupt):
        assert worker.pid
    monkeypatch.undo()
    scratch = start.sandbox.directory("one more").parents[1]
    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        worker.stop()
    start.close()
    assert time.monotonic() - started < 4.0
    assert children() == others
    assert not scratch.exists()


@both_ways
def test_closing_ends_everything_at_once(start, fork):
    others = children()
    workers = [start(fork=fork), start(fork=fork, reference=True)]
    sandbox = start.sandbox
    launchers = children() - others
    assert launchers
    scratch = sandbox.directory("one more").parents[1]
    started = time.monotonic()
    start.close()
    assert time.monotonic() - started < 4  # far more than it takes, far less than waiting for each
    assert [worker.pid for worker in workers if exists(worker.pid)] == []
    assert not launchers & children()
    assert not scratch.exists()


# What a worker finds around it.


@both_ways
def test_what_a_worker_can_see_of_us(start, fork):
    told = eval(call(start(fork=fork), "tell")["raised"]["message"])  # the message is cut at a thousand characters
    assert told["numpy"] == numpy.__version__
    environment = told["environment"]
    assert environment.pop("LC_CTYPE", "C.UTF-8") == "C.UTF-8"  # Python itself may add it
    assert environment == ENVIRONMENT
    assert told["folder"] == "/"
    assert told["arguments"] == [str(launcher.PROGRAM)]
    assert told["importable"] == ["numpy"]
    assert len(told["descriptors"]) == 4  # three for null, and its socket


@linux
@needs_root
@both_ways
def test_root_gives_workers_a_user_of_their_own(start, fork):
    worker = start(fork=fork)
    if start.hello["lockdown"]["uid"] != "on":
        pytest.skip(start.sandbox.advice)
    status = Path(f"/proc/{worker.pid}/status").read_text()
    uids, gids = (line.split()[1:] for line in status.splitlines() if line.startswith(("Uid", "Gid")))
    assert uids == gids == [uids[0]] * 4
    assert int(uids[0]) >= Slot.FIRST_UID


@both_ways
def test_a_layer_can_be_left_out_to_show_what_it_is_good_for(start, fork):
    start(fork=fork, without=("uid", "landlock", "seccomp"))
    report = start.hello["lockdown"]
    assert report["rlimits"] == "on"
    assert all(report[layer] != "on" for layer in ("uid", "landlock", "seccomp"))


# Slots.


@needs_root
def test_no_two_sandboxes_share_a_user():
    first, second = Slot.take(), Slot.take()
    assert abs(first.uid - second.uid) >= 2  # the second of each is the reference's
    for slot in (first, second):
        with pytest.raises(KeyError):
            pwd.getpwuid(slot.uid)
    first.release()
    third = Slot.take()
    assert third.uid != second.uid
    second.release()
    third.release()


@needs_root
def test_graders_that_see_no_common_folder_hardly_ever_meet(tmp_path, monkeypatch):
    slots = []
    for number in range(20):
        monkeypatch.setattr(Slot, "FOLDER", tmp_path / str(number))
        slots.append(Slot.take())
    for slot in slots:
        slot.release()
    assert len({slot.uid for slot in slots}) > 10


@needs_root
def test_when_all_slots_are_taken(tmp_path, monkeypatch):
    monkeypatch.setattr(Slot, "FOLDER", tmp_path / "slots")
    monkeypatch.setattr(Slot, "COUNT", 1)
    monkeypatch.setattr(Slot, "FIRST_UID", 3_000_000)
    slot = Slot.take()
    with pytest.raises(GraderFault, match=r"^all 1 user ids for student code are in use$"):
        Slot.take()
    slot.release()
    Slot.take().release()


@needs_root
def test_a_folder_for_slots_that_somebody_else_has_made(tmp_path, monkeypatch):
    folder = tmp_path / "slots"
    monkeypatch.setattr(Slot, "FOLDER", folder)
    folder.mkdir(mode=0o700)
    os.chown(folder, NOBODY, NOBODY)
    with pytest.raises(GraderFault) as caught:
        Slot.take()
    somebody_elses = f"{folder} belongs to somebody else, or others can write to it. Remove it"
    assert str(caught.value) == somebody_elses
    os.chown(folder, 0, 0)
    folder.chmod(0o777)
    with pytest.raises(GraderFault) as caught:
        Slot.take()
    assert str(caught.value) == somebody_elses


@needs_root
@pytest.mark.parametrize("squat", [Path.touch, lambda folder: folder.symlink_to("/etc"), os.mkfifo])
def test_something_else_where_slots_should_be(tmp_path, monkeypatch, squat):
    folder = tmp_path / "slots"
    monkeypatch.setattr(Slot, "FOLDER", folder)
    squat(folder)
    with pytest.raises(GraderFault) as caught:
        Slot.take()
    assert str(caught.value) == f"{folder} should be a directory of root's, and something else is there. Remove it"


@needs_root
def test_where_slots_cannot_be(tmp_path, monkeypatch):
    folder = tmp_path / "nowhere" / "slots"
    monkeypatch.setattr(Slot, "FOLDER", folder)
    with pytest.raises(GraderFault) as caught:
        Slot.take()
    assert str(caught.value) == (
        f"{folder}, where graders agree on user ids, cannot be made: No such file or directory"
    )


@needs_root
def test_only_root_can_write_where_slots_are():
    assert Slot.FOLDER.parent.stat().st_mode & 0o022 == 0


@needs_root
def test_a_sandbox_that_cannot_be_made_keeps_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(Slot, "FOLDER", tmp_path / "slots")
    monkeypatch.setattr(Slot, "COUNT", 1)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(launcher, "open_to_others", lambda path: True)

    def broken(*args, **kwargs):
        raise GraderFault("no launcher today")

    for name in ("numpy_alone", "_Launcher"):
        with monkeypatch.context() as patch:
            patch.setattr(launcher, name, broken)
            with pytest.raises(GraderFault, match="today"):
                Sandbox(memory_mib=512, cpu_seconds=10)
        assert [path.name for path in tmp_path.iterdir()] == ["slots"]
        Slot.take().release()


# Which Python.


def test_the_grader_s_own_python_where_nobody_else_needs_it():
    assert interpreter.interpreter(for_others=False) == (os.path.realpath(sys.executable), "")


def test_advice_where_others_have_no_python(monkeypatch):
    monkeypatch.setattr(interpreter, "open_to_others", lambda path: False)
    own = os.path.realpath(sys.executable)
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    advice = f"other users cannot run {own}: install {name} for all users, for instance in /usr/bin"
    assert interpreter.interpreter(for_others=True) == (own, advice)


def test_what_is_open_to_others(tmp_path):
    inner = tmp_path / "closed" / "inner"
    inner.mkdir(parents=True)
    inner.parent.chmod(0o700)
    assert not interpreter.open_to_others(inner)
    assert not interpreter.open_to_others(tmp_path / "nowhere")
    assert interpreter.open_to_others(Path("/usr"))


def test_numpy_is_copied_where_others_cannot_look(tmp_path, monkeypatch):
    monkeypatch.setattr(interpreter, "open_to_others", lambda path: False)
    copy = interpreter.numpy_alone(tmp_path / "modules", for_others=True)
    assert sorted(path.name for path in copy.iterdir())[0] == "numpy"
    assert not (copy / "numpy").is_symlink()
    assert (copy / "numpy/__init__.py").read_bytes() == Path(numpy.__file__).read_bytes()
    assert not list(copy.rglob("tests"))


# How an end is told.


@pytest.mark.parametrize(
    ("ending", "words"),
    [
        (Ending(exit_status=3), "ended the Python process with exit status 3"),
        (
            Ending(signal_number=signal.SIGSEGV),
            "ended the Python process: segmentation fault (endless recursion, or memory used in a way NumPy forbids)",
        ),
        (Ending(signal_number=signal.SIGABRT), "ended the Python process: abort"),
        (Ending(signal_number=signal.SIGBUS), "ended the Python process: bus error"),
        (Ending(signal_number=signal.SIGFPE), "ended the Python process: arithmetic fault"),
        (Ending(signal_number=signal.SIGILL), "ended the Python process: illegal instruction"),
        (Ending(signal_number=signal.SIGTERM), "ended the Python process: SIGTERM"),
        (Ending(signal_number=50), "ended the Python process: signal 50"),
        (Ending(), "closed its connection to the grader"),
    ],
)
def test_an_ending_in_words(ending, words):
    assert ending.describe() == words


def test_every_signal_has_words():
    for number in range(1, 65):
        assert Ending(signal_number=number).describe()


def test_what_an_ending_means():
    assert Ending(exit_status=EXIT_OUT_OF_MEMORY).out_of_memory
    assert Ending(signal_number=signal.SIGKILL).out_of_memory
    assert Ending(signal_number=signal.SIGXCPU).out_of_time
    for ending in (Ending(), Ending(exit_status=0), Ending(signal_number=signal.SIGSEGV)):
        assert not ending.out_of_memory
        assert not ending.out_of_time


def test_both_ends_mean_the_same_by_it():
    assert program.EXIT_OUT_OF_MEMORY == EXIT_OUT_OF_MEMORY


@linux
def test_processor_time_is_bounded():
    with Sandbox(memory_mib=512, cpu_seconds=1) as sandbox:
        directory = sandbox.directory("student")
        (directory / "toy.py").write_text(SOURCE)
        worker = sandbox.start(directory)
        load(worker, directory)
        with pytest.raises(wire.ConnectionClosed):
            call(worker, "hang")
        assert worker.stop(died=True).out_of_time


# A launcher that fails is our fault.


def test_a_launcher_that_ends(start):
    before = children()
    start()
    for pid in children() - before:
        os.kill(pid, signal.SIGKILL)
    with pytest.raises(GraderFault, match=r"^the launcher of workers ended: it said nothing$"):
        start()


def test_a_launcher_that_does_not_answer(monkeypatch):
    monkeypatch.setattr(launcher, "LAUNCH_SECONDS", 0.01)
    before = children()
    with Sandbox(memory_mib=512, cpu_seconds=20) as sandbox:
        (launching,) = children() - before
        os.kill(launching, signal.SIGSTOP)
        with pytest.raises(GraderFault) as caught:
            assert sandbox.start(sandbox.directory("student")).pid
        os.kill(launching, signal.SIGCONT)
    assert str(caught.value) == "the launcher of workers does not answer: timed out"


@pytest.mark.parametrize("before", [True, False], ids=["before it is asked", "afterwards"])
def test_a_launcher_tells_why_it_could_not_start(monkeypatch, before):
    monkeypatch.setattr(launcher, "PROGRAM", Path("/nowhere"))
    others = children()
    with Sandbox(memory_mib=512, cpu_seconds=20) as sandbox:
        if before:
            (launching,) = children() - others
            os.waitid(os.P_PID, launching, os.WEXITED | os.WNOWAIT)
        with pytest.raises(GraderFault) as caught:
            assert sandbox.start(sandbox.directory("student")).pid
    assert str(caught.value).startswith("the launcher of workers ended: ")
    assert "can't open file '/nowhere'" in str(caught.value)


def test_no_numpy_no_sandbox(monkeypatch, tmp_path):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(GraderFault, match=r"^NumPy is not installed beside the grader$"):
        interpreter.numpy_alone(tmp_path / "modules", for_others=False)


# Without root, as on a laptop.


@linux
@needs_root
def test_a_life_as_a_plain_user():
    python, advice = interpreter.interpreter(for_others=True)
    packages = Path(numpy.__file__).parents[1]
    for path in (packages, ROOT / "tests", ROOT / "autograder"):
        if advice or not interpreter.open_to_others(path):
            pytest.skip(advice or f"others cannot read {path}")
    done = subprocess.run(
        [
            python,
            "-B",
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "-k",
            "answers or see_of_us",
            __file__,
        ],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(packages), "PYTHONDONTWRITEBYTECODE": "1"},
        user=NOBODY,
        group=NOBODY,
        extra_groups=[],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 passed" in done.stdout
