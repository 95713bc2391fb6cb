"""Landlock: the worker can read below a few directories and do nothing else with files.

Theory of operation
-------------------
Landlock (Linux 5.13) lets an unprivileged process give up rights for good. What a process declares *handled* is denied
from then on, but for the exceptions it names. Here everything the kernel can handle is handled, and the only exception
is reading below the given directories. Newer kernels handle more: truncation, TCP, device controls, abstract sockets,
signals to processes outside. Reading includes loading a shared library, not executing a program.

It also puts every process outside beyond the reach of ptrace, /proc/<pid>/mem and the like. It stops neither asking for
size and time of a file nor changing its mode or owner: that is the system-call filter's part. It binds only the calling
thread and the processes it starts, so the process must have one thread.
"""

from __future__ import annotations

import ctypes
import os
import stat
import struct
from collections.abc import Iterable

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # the same number on every architecture
_VERSION_FLAG, _PATH_BENEATH = 1, 1

_READ_FILE, _READ_DIR = 1 << 2, 1 << 3
_FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 5: 16}
"""From which version of Landlock on, how many rights on files there are: + REFER, + TRUNCATE, + IOCTL_DEV."""
_NETWORK_RIGHTS = {4: 2}
"""Binding and connecting TCP sockets."""
_SCOPES = {6: 2}
"""Abstract Unix sockets and signals reach only processes under the same restriction."""

_libc = ctypes.CDLL(None, use_errno=True)


def prepare(readable: Iterable[str]) -> int:
    """Return a descriptor of the rules that leave nothing but reading below `readable`: made once, obeyed by many.

    Whoever holds it could add rules to it, so a process that is to obey it must not keep it.

    Parameters
    ----------
    readable : iterable of str
        Directories, or single files. What cannot be reached is left out: it could not be read anyway.

    Raises
    ------
    OSError
        This kernel has no Landlock, has it switched off, or does not allow it here.
    """
    known = version()
    attributes = struct.pack("QQQ", *(_all(rights, known) for rights in (_FILE_RIGHTS, _NETWORK_RIGHTS, _SCOPES)))
    ruleset = _syscall(_CREATE_RULESET, attributes, len(attributes), 0)
    for path in readable:
        _allow_reading(ruleset, path)
    return ruleset


def restrict(ruleset: int) -> None:
    """Give up every right on files and TCP but those of the `ruleset`. The process must have no_new_privs.

    Raises
    ------
    OSError
        This kernel does not allow it here.
    """
    _syscall(_RESTRICT_SELF, ruleset, 0)


def version() -> int:
    """Return the version of Landlock in this kernel; raise OSError where there is none."""
    return _syscall(_CREATE_RULESET, None, 0, _VERSION_FLAG)


def _all(rights: dict[int, int], known: int) -> int:
    """Return the bits of all the rights that version `known` has."""
    return (1 << max((count for since, count in rights.items() if since <= known), default=0)) - 1


def _allow_reading(ruleset: int, path: str) -> None:
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        is_directory = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        rights = _READ_FILE | _READ_DIR if is_directory else _READ_FILE
        _syscall(_ADD_RULE, ruleset, _PATH_BENEATH, struct.pack("=Qi", rights, descriptor), 0)
    finally:
        os.close(descriptor)


def _syscall(number: int, *arguments: int | bytes | None) -> int:
    whole = (ctypes.c_long(each) if isinstance(each, int) else each for each in arguments)  # else ctypes passes 32 bits
    result: int = _libc.syscall(ctypes.c_long(number), *whole)
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result
