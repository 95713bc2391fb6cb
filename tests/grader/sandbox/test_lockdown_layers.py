"""Every layer of the lockdown by itself: another user, limits, tracing, the parent's death, the filter, the sweep."""

from __future__ import annotations

import ctypes
import mmap
import os
import resource
import signal
import socket
import sys
import time
from typing import Any

import pytest

from autograder.sandbox.worker import lockdown, seccomp
from tests.grader.support.jail import (
    IS_ROOT,
    MACHINE,
    NOBODY,
    PLAIN,
    SLOT,
    become,
    in_mode,
    in_worker,
    needs_root,
    raw,
    run,
    tried,
)

if sys.platform != "linux":
    pytest.skip("all but the limits needs Linux", allow_module_level=True)


@needs_root
def test_another_user_is_another_user():
    def launcher(uid: int) -> Any:
        def status(pid: int) -> Any:
            with open(f"/proc/{pid}/status") as stream:
                lines = dict(line.split(":", 1) for line in stream)
            return [lines[key].split() for key in ("Uid", "Gid", "Groups", "CapPrm", "CapEff", "NoNewPrivs")]

        os.setgroups([uid])
        return in_worker(lambda report: None, outside=status, uid=uid).seen

    expected = [[str(SLOT)] * 4, [str(SLOT)] * 4, [], ["0" * 16], ["0" * 16], ["1"]]
    assert run(launcher, uid=SLOT) == expected


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
        ctypes.CDLL(None).prctl(4, 1)  # PR_SET_DUMPABLE: as a process is that never changed its user
        lockdown.protect()
        return in_worker(lambda report: tried(open, f"/proc/{parent}/environ"), **settings).result

    assert run(launcher, start_as=NOBODY) == "EACCES"


def test_processor_clock_is_read_from_outside():
    def launcher(**settings: Any) -> Any:
        return in_worker(lambda report: None, outside=lambda pid: time.clock_gettime((~pid << 3) | 2), **settings).seen

    modes: list[dict[str, Any]] = [{"start_as": NOBODY}, *([{"uid": SLOT}] if IS_ROOT else [])]
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

    modes: list[dict[str, Any]] = [{"start_as": NOBODY}, *([{"uid": SLOT}] if IS_ROOT else [])]
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
        code = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
        code.write(b"\xb8\x14\x00\x00\x00\xcd\x80\xc3")  # mov eax, 20 (getpid); int 0x80; ret

        def call(report: dict[str, str]) -> Any:
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
        left_out = {getattr(call, machine) for call in seccomp.calls(0)}
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
