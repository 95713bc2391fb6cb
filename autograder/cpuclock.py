"""Processor time of another process, as the kernel counts it: nothing inside that process can turn this clock back.

This room knows process ids and two kernels. It must not know: whose process it is, what is done with the time.
"""

from __future__ import annotations

import ctypes
import sys
import time
from typing import Any

_MAC_USAGE_BYTES = 96  # struct rusage_info_v0
_MAC_USER, _MAC_SYSTEM = 16, 24  # offsets into it, behind a UUID


def seconds(pid: int) -> float:
    """Return the processor time, of user and system together, that the process `pid` has used up to now.

    Raises
    ------
    NotImplementedError
        This system does not tell it; the message says which system.
    ProcessLookupError
        There is no such process any more.
    """
    if sys.platform == "linux":
        return _on_linux(pid)
    if sys.platform == "darwin":
        return _on_mac(pid, ctypes.CDLL("/usr/lib/libSystem.dylib"))
    raise NotImplementedError(f"{sys.platform} does not tell the processor time of another process")


def _on_linux(pid: int) -> float:
    clock = (~pid << 3) | 2  # what clock_getcpuclockid(3) returns, which Python has only for threads
    try:
        return time.clock_gettime(clock)
    except OSError as error:
        raise ProcessLookupError(f"no process {pid}") from error


def _on_mac(pid: int, system: Any) -> float:
    usage = ctypes.create_string_buffer(_MAC_USAGE_BYTES)
    if system.proc_pid_rusage(pid, 0, usage) != 0:
        raise ProcessLookupError(f"no process {pid}")
    timebase = (ctypes.c_uint32 * 2)()
    system.mach_timebase_info(timebase)  # nanoseconds in a tick: a fraction, 1 on Intel and 125/3 on Apple's processors
    ticks = sum(int.from_bytes(usage.raw[at : at + 8], sys.byteorder) for at in (_MAC_USER, _MAC_SYSTEM))
    return ticks * timebase[0] / timebase[1] / 1e9
