"""The processor time of another process: what the kernel says of it, and what happens where no kernel says anything."""

import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from autograder.sandbox import cpuclock

linux = pytest.mark.skipif(sys.platform != "linux", reason="asks this kernel")


@pytest.fixture
def child():
    """A process that first works for a while, then waits for lines, and answers each with its own processor time."""
    work = "import time\nwhile time.process_time() < 0.2: pass\nprint('done', flush=True)\n"
    work += "while input() == '?': print(time.process_time(), flush=True)"
    with subprocess.Popen([sys.executable, "-c", work], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"done\n"
        yield process
        process.kill()


def told(child):
    """Ask the process for its processor time."""
    child.stdin.write(b"?\n")
    child.stdin.flush()
    return float(child.stdout.readline())


@linux
def test_it_counts_work_and_not_waiting(child, monkeypatch):
    """It lies between what the process says of itself before and after, however busy the machine is."""
    monkeypatch.setattr(cpuclock, "SETTLE_SECONDS", 10)
    before = told(child)
    time.sleep(0.1)
    counted = cpuclock.seconds(child.pid)
    assert 0.2 <= before <= counted <= told(child)


@linux
def test_a_process_that_has_ended_and_is_not_reaped_still_has_its_time(child):
    child.kill()
    time.sleep(0.1)
    assert cpuclock.seconds(child.pid) >= 0.2


ANSWER_BYTES = 1_000_000
ANSWERING = f"""
import socket, sys, time
connection = socket.socket(fileno=int(sys.argv[1]))
while connection.recv(1):
    end = time.perf_counter() + 0.0002
    while time.perf_counter() < end:
        pass
    connection.sendall(bytes({ANSWER_BYTES}))
"""


@linux
def test_nothing_is_missing_of_what_was_done_before_the_answer(monkeypatch):
    """A process that has answered and sleeps has no time to come; one look too early would miss some now and then."""
    monkeypatch.setattr(cpuclock, "SETTLE_SECONDS", 10)
    ours, theirs = socket.socketpair()
    program = [sys.executable, "-c", ANSWERING, str(theirs.fileno())]
    with subprocess.Popen(program, pass_fds=[theirs.fileno()]) as process, ours:
        theirs.close()
        for _ in range(200):
            ours.send(b"?")
            left = ANSWER_BYTES
            while left:
                left -= len(ours.recv(left))
            first = cpuclock.seconds(process.pid)
            time.sleep(0.002)
            assert cpuclock.seconds(process.pid) == first


@pytest.mark.parametrize(("running", "looks"), [("ss", 2), ("rss", 3), ("srss", 4), ("srsrrss", 7)])
def test_asleep_is_what_sleeps_twice(monkeypatch, child, running, looks):
    """It is called sleeping a moment before that is so."""
    answers = list(running)
    monkeypatch.setattr(cpuclock, "SETTLE_SECONDS", 10)
    monkeypatch.setattr(Path, "read_bytes", lambda path: f"7 (a) R) {answers.pop(0).upper()} 1".encode())
    cpuclock.seconds(child.pid)
    assert len(running) - len(answers) == looks


@linux
def test_one_that_never_sleeps_is_not_waited_for(busy_child):
    assert cpuclock.seconds(busy_child.pid) > 0


@pytest.fixture
def busy_child():
    """A process that works until it is killed."""
    with subprocess.Popen(
        [sys.executable, "-c", "print(flush=True)\nwhile True: pass"], stdout=subprocess.PIPE
    ) as busy:
        assert busy.stdout is not None
        busy.stdout.readline()
        yield busy
        busy.kill()


@linux
def test_where_other_processes_are_hidden_nothing_is_waited_for(monkeypatch, busy_child):
    def refuse(path):
        raise PermissionError(path)

    def never(seconds):
        raise AssertionError("it waits")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    monkeypatch.setattr(time, "sleep", never)
    assert cpuclock.seconds(busy_child.pid) > 0


@linux
def test_no_such_process(child):
    child.kill()
    child.wait()
    with pytest.raises(ProcessLookupError, match=f"no process {child.pid}"):
        cpuclock.seconds(child.pid)


class LibSystem:
    """What libSystem answers: 3 s of user time and 1.5 s of system time, in ticks of 125/3 ns."""

    def __init__(self, status: int) -> None:
        self.status = status

    def proc_pid_rusage(self, pid, flavor, usage):
        assert (pid, flavor) == (7, 0)
        for at, nanoseconds in ((16, 3_000_000_000), (24, 1_500_000_000)):
            usage[at : at + 8] = (nanoseconds * 3 // 125).to_bytes(8, sys.byteorder)
        return self.status

    def mach_timebase_info(self, timebase):
        timebase[:] = 125, 3
        return 0


@pytest.fixture
def mac(monkeypatch):
    """Make this machine a Mac whose libSystem answers with a status."""

    def mac(status):
        monkeypatch.setattr(sys, "platform", "darwin")
        monkeypatch.setattr("ctypes.CDLL", lambda path: LibSystem(status))

    return mac


def test_on_a_mac(mac):
    mac(status=0)
    assert cpuclock.seconds(7) == pytest.approx(4.5)


def test_no_such_process_on_a_mac(mac):
    mac(status=-1)
    with pytest.raises(ProcessLookupError, match="no process 7"):
        cpuclock.seconds(7)


def test_elsewhere_it_says_so(monkeypatch):
    monkeypatch.setattr(sys, "platform", "freebsd14")
    with pytest.raises(NotImplementedError, match="freebsd14 does not tell the processor time of another process"):
        cpuclock.seconds(1)
