"""Processor time of another process, as the kernel counts it. That process cannot change this clock."""

from __future__ import annotations

import ctypes
import sys
import time
from pathlib import Path
from typing import Any

SETTLE_SECONDS = 0.1
"""How long a process that has just answered may take to go to sleep. If it does not, the kernel's ticks update its
clock at least every 10 ms."""
LOOK_SECONDS = 0.0001

_MAC_USAGE_BYTES = 96  # struct rusage_info_v0
_MAC_USER, _MAC_SYSTEM = 16, 24  # offsets into it, behind a UUID


def seconds(pid: int) -> float:
    """Return the processor time, of user and system together, that the process `pid` has used up to now.

    The process should be idle: on Linux this function waits a moment if it still runs.

    Raises
    ------
    NotImplementedError
        This system cannot measure it; the message names the system.
    ProcessLookupError
        There is no such process any more.
    """
    if sys.platform == "linux":
        return _on_linux(pid)
    if sys.platform == "darwin":
        return _on_mac(pid, ctypes.CDLL("/usr/lib/libSystem.dylib"))
    raise NotImplementedError(f"{sys.platform} does not tell the processor time of another process")


def waited(pid: int) -> float:
    """Return how long the process `pid` was ready to run while others had the processor; 0 if that is unknown."""
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text().split()[1]) / 1e9
    except (OSError, IndexError, ValueError):
        return 0.0


def _on_linux(pid: int) -> float:
    _wait_until_asleep(pid)
    clock = (~pid << 3) | 2  # what clock_getcpuclockid(3) returns, which Python has only for threads
    try:
        return time.clock_gettime(clock)
    except OSError as error:
        raise ProcessLookupError(f"no process {pid}") from error


def _wait_until_asleep(pid: int) -> None:
    """Wait until `pid` sleeps after its last message, so that its clock is up to date.

    The kernel does that when a process stops running and at every tick, but not when another process asks: a
    millisecond of work may be missing. It reports "sleeping" a moment too early; hence the second look.
    """
    looks = 0
    end = time.monotonic() + SETTLE_SECONDS
    while looks < 2 and time.monotonic() < end:
        if _is_running(pid):
            looks = 0
            time.sleep(LOOK_SECONDS)
        else:
            looks += 1


def _is_running(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:  # it is gone, or this machine hides other users' processes: there is nothing to wait for
        return False
    return stat.rpartition(b")")[2].split()[0] == b"R"  # behind the program's name, which may hold anything


def _on_mac(pid: int, system: Any) -> float:
    usage = ctypes.create_string_buffer(_MAC_USAGE_BYTES)
    if system.proc_pid_rusage(pid, 0, usage) != 0:
        raise ProcessLookupError(f"no process {pid}")
    timebase = (ctypes.c_uint32 * 2)()
    system.mach_timebase_info(timebase)  # nanoseconds in a tick: a fraction, 1 on Intel and 125/3 on Apple's processors
    ticks = sum(int.from_bytes(usage.raw[at : at + 8], sys.byteorder) for at in (_MAC_USER, _MAC_SYSTEM))
    return ticks * timebase[0] / timebase[1] / 1e9
