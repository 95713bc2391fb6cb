"""The view: the launcher and its workers see only the files that a worker may read.

Theory of operation
-------------------
Landlock denies reading. It does not hide whether a file exists, its size, and when it was read. So the launcher
moves into a namespace of its own, with a new root directory that is empty but for the standard library, NumPy, a few
single files and the folder of this grading. Everything there is mounted read-only, which also keeps reading from
leaving a trace in a file's time of last access.

Root needs CAP_SYS_ADMIN for that, which Docker takes away; other users need a user namespace. If neither is available,
nothing changes, and the caller gets the reason.
"""

from __future__ import annotations

import ctypes
import os
import stat
import struct
from collections.abc import Mapping

_NEW_MOUNTS, _NEW_USER = 0x00020000, 0x10000000
_BIND, _RECURSIVE, _PRIVATE, _NOSUID, _NODEV = 0x1000, 0x4000, 1 << 18, 2, 4
_DETACH = 2
_SET_ATTRIBUTES, _PIVOT_ROOT = 442, {"x86_64": 155, "aarch64": 41}
_AT_RECURSIVE, _READ_ONLY = 0x8000, 1
_DUMPABLE = 4

_libc = ctypes.CDLL(None, use_errno=True)


def narrow(root: str, shown: Mapping[str, str]) -> None:
    """Change the root directory of this process, for good.

    Parameters
    ----------
    root : str
        An existing directory; the new root is put on top of it.
    shown : mapping of str to str
        What there will be: from each path to the file or directory that is seen there, in this order. What cannot be
        found is left out.

    Raises
    ------
    OSError
        It cannot be done here; nothing has changed.
    """
    if os.geteuid() != 0:
        _try_out(root, shown)
    _narrow(root, shown)


def _try_out(root: str, shown: Mapping[str, str]) -> None:
    """Do it in a child first: a user namespace cannot be left again."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            _narrow(root, shown)
            status = 0
        except OSError as error:
            status = error.errno or 1
        finally:
            os._exit(status)
    number = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if number:
        raise OSError(number, os.strerror(abs(number)))


def _narrow(root: str, shown: Mapping[str, str]) -> None:
    sources: dict[str, int] = {}
    umask = os.umask(0o022)
    try:
        _enter_namespace()
        for path, source in shown.items():  # now: those of another namespace cannot be mounted
            if os.access(source, os.F_OK):
                sources[path] = os.open(source, os.O_PATH | os.O_CLOEXEC)
        _mount(None, "/", None, _RECURSIVE | _PRIVATE)
        _mount("none", root, "tmpfs", _NOSUID | _NODEV, "mode=755")
        try:
            for path, descriptor in sources.items():
                _show(root + path, descriptor)
            attributes = struct.pack("QQQQ", _READ_ONLY | _NOSUID, 0, 0, 0)
            _syscall(_SET_ATTRIBUTES, -100, os.fsencode(root), _AT_RECURSIVE, attributes, len(attributes))
            os.chdir(root)
            _syscall(_PIVOT_ROOT[os.uname().machine], b".", b".")
        except BaseException:
            os.chdir("/")
            _libc.umount2(os.fsencode(root), _DETACH)
            raise
        _check(_libc.umount2(b".", _DETACH))
        os.chdir("/")
    finally:
        os.umask(umask)
        for descriptor in sources.values():
            os.close(descriptor)


def _enter_namespace() -> None:
    user, group = os.geteuid(), os.getegid()
    if user == 0:
        _check(_libc.unshare(_NEW_MOUNTS))
        return
    _check(_libc.unshare(_NEW_MOUNTS | _NEW_USER))
    _check(_libc.prctl(_DUMPABLE, *map(ctypes.c_ulong, (1, 0, 0, 0))))  # else these files are root's
    try:
        for name, text in {"setgroups": "deny", "uid_map": f"{user} {user} 1", "gid_map": f"{group} {group} 1"}.items():
            descriptor = os.open(f"/proc/self/{name}", os.O_WRONLY)
            try:
                os.write(descriptor, text.encode())
            finally:
                os.close(descriptor)
    finally:
        _check(_libc.prctl(_DUMPABLE, *map(ctypes.c_ulong, (0, 0, 0, 0))))


def _show(path: str, source: int) -> None:
    """Put the file or directory that a descriptor stands for at `path`."""
    if stat.S_ISDIR(os.fstat(source).st_mode):
        os.makedirs(path, exist_ok=True)
    else:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o444))
    _mount(f"/proc/self/fd/{source}", path, None, _BIND)


def _mount(source: str | None, target: str, kind: str | None, flags: int, options: str | None = None) -> None:
    *names, last = (None if each is None else os.fsencode(each) for each in (source, target, kind, options))
    _check(_libc.mount(*names, ctypes.c_ulong(flags), last))


def _syscall(number: int, *arguments: int | bytes) -> None:
    whole = (ctypes.c_long(each) if isinstance(each, int) else each for each in arguments)
    _check(_libc.syscall(ctypes.c_long(number), *whole))


def _check(result: int) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
