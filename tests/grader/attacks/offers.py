"""What this machine has to be attacked with: where it lacks something, an attack fails without being stopped."""

from __future__ import annotations

import ctypes
import os
import platform
import tempfile
from collections.abc import Callable
from pathlib import Path

from autograder.sandbox.slots import Slot

from .modes import PLAIN_USER

IO_URING_SETUP, NEW_USER_NAMESPACE = 425, 0x10000000


def offers(need: str) -> bool:
    """Whether this process has what ``table.NEEDS`` asks for."""
    return _OFFERS[need]()


def _has_attributes() -> bool:
    with tempfile.NamedTemporaryFile() as file:
        try:
            os.setxattr(file.name, "user.attack", b"")
        except OSError:
            return False
        return True


def _may_type_into_terminals() -> bool:
    switch = Path("/proc/sys/dev/tty/legacy_tiocsti")
    return not switch.exists() or switch.read_text().strip() == "1"


def _has_rings() -> bool:
    libc = ctypes.CDLL(None)
    descriptor: int = libc.syscall(ctypes.c_long(IO_URING_SETUP), ctypes.c_long(1), ctypes.create_string_buffer(120))
    if descriptor >= 0:
        os.close(descriptor)
    return descriptor >= 0


def _has_user_namespaces() -> bool:
    child = os.fork()
    if child == 0:
        os._exit(ctypes.CDLL(None).unshare(NEW_USER_NAMESPACE) & 1)
    return os.waitpid(child, 0)[1] == 0


def _has_writable_callbacks() -> bool:
    """Whether libffi makes callbacks in memory that can be written and run."""
    callback = ctypes.CFUNCTYPE(ctypes.c_int)(lambda: 0)
    return callback() == 0 and any("wx" in line.split()[1] for line in Path("/proc/self/maps").read_text().splitlines())


_OFFERS: dict[str, Callable[[], bool]] = {
    "extended attributes": _has_attributes,
    "two processors": lambda: len(os.sched_getaffinity(0)) > 1,
    "TIOCSTI": _may_type_into_terminals,
    "io_uring": _has_rings,
    "user namespaces": _has_user_namespaces,
    "a user with no other processes": lambda: os.getuid() == PLAIN_USER,
    "root": lambda: os.geteuid() == 0,
    "root's slots": lambda: os.geteuid() == 0 and bool(os.listdir(Slot.FOLDER)),
    "x86-64": lambda: platform.machine() == "x86_64",
    "callbacks in memory that can be written": _has_writable_callbacks,
    "/dev/shm": lambda: os.access("/dev/shm", os.W_OK),
}
