"""The system-call filter of a worker: which calls to the kernel a NumPy program needs, and no other.

Theory of operation
-------------------
The kernel runs a small program (classic BPF, assembled here) before every system call of the worker and of whatever
the worker could start. The program sees the number of the call, the processor mode it came from and the six arguments
as plain numbers. It cannot follow a pointer, so it cannot know *which* file is opened, only *how*: which files is
Landlock's part.

It lists what is allowed. A list of what is forbidden has to know every way to do harm, and the next kernel brings a
new one; a call forgotten there stays open and nobody notices. A call forgotten here fails with ``PermissionError``,
which a test or a student notices. A call newer than this list fails with "not implemented" instead, as it would on an
older kernel. The C library can handle that: if ``clone3`` fails so, it tries ``clone``, which is refused.

Nothing is killed for a forbidden call, so that one odd line costs a student one case and not the worker. The exception
is a call in the manner of another processor mode (32-bit code on a 64-bit kernel): the same numbers mean
other calls there, and no honest program does it.

A rule compares what the kernel uses: the low half of an ``int``, both halves of a pointer.
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys
from typing import NamedTuple

Instruction = tuple[int, int, int, int]
"""Opcode, how far to jump when a test holds, how far when not, constant."""
Rule = list[Instruction]
"""The instructions that decide about one system call; every way through them ends in a return."""
_ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
"""For every machine there is a column for below, the kernel's name for its manner of calling (AUDIT_ARCH_*)."""
_X32 = 0x40000000
"""Added to the number of a call in x86-64's second, half-forgotten manner of calling; goes by the same architecture."""
_NEWEST = 434
"""Every call numbered above this one came after Linux 5.2, on every architecture."""

_LOAD, _EQUAL, _ABOVE, _ANY_BIT, _RETURN = 0x20, 0x15, 0x25, 0x45, 0x06
_NUMBER_AT, _ARCHITECTURE_AT, _ARGUMENTS_AT = 0, 4, 16  # offsets into struct seccomp_data

_ALLOW: Instruction = (_RETURN, 0, 0, 0x7FFF0000)
_KILL: Instruction = (_RETURN, 0, 0, 0x80000000)
_FORBIDDEN: Instruction = (_RETURN, 0, 0, 0x00050000 | 1)  # EPERM
_UNKNOWN: Instruction = (_RETURN, 0, 0, 0x00050000 | 38)  # ENOSYS


class Call(NamedTuple):
    """A system call that is allowed: its number on each machine (None where there is no such call), and how far."""

    name: str
    x86_64: int | None
    aarch64: int | None
    rule: Rule


# --- rules -----------------------------------------------------------------------------------------------------------

_FREE: Rule = [_ALLOW]


def _low(argument: int) -> Instruction:
    return (_LOAD, 0, 0, _ARGUMENTS_AT + 8 * argument)


def _high(argument: int) -> Instruction:
    return (_LOAD, 0, 0, _ARGUMENTS_AT + 8 * argument + 4)


def _is(argument: int, value: int) -> Rule:
    return _one_of(argument, (value,))


def _one_of(argument: int, values: tuple[int, ...]) -> Rule:
    rule = [_low(argument)]
    for value in values:
        rule += [(_EQUAL, 0, 1, value), _ALLOW]
    return [*rule, _FORBIDDEN]


def _no_bit(argument: int, bits: int) -> Rule:
    return [_low(argument), (_ANY_BIT, 0, 1, bits), _FORBIDDEN, _ALLOW]


def _only_bits(argument: int, bits: int) -> Rule:
    return _no_bit(argument, ~bits & 0xFFFFFFFF)


def _is_null(argument: int) -> Rule:
    return [_low(argument), (_EQUAL, 0, 3, 0), _high(argument), (_EQUAL, 0, 1, 0), _ALLOW, _FORBIDDEN]


# --- the list --------------------------------------------------------------------------------------------------------

# O_RDONLY and whatever changes nothing: NOCTTY, NONBLOCK, CLOEXEC; DIRECTORY, NOFOLLOW, DIRECT and LARGEFILE are the
# same four bits on both architectures, in another order. Not among them: WRONLY, RDWR, CREAT, TRUNC, APPEND, TMPFILE,
# ASYNC (a signal to a process of one's choice), PATH.
_READING = 0o400 | 0o4000 | 0o2000000 | 0o740000
# F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_DUPFD_CLOEXEC. Not: F_SETOWN and F_SETSIG, which together send any
# signal to any process of the same user; locks, leases and F_NOTIFY.
_FCNTL = (0, 1, 2, 3, 4, 1030)
# TCGETS and TCGETS2 (isatty, at every open), TIOCGWINSZ, FIONREAD, FIONBIO, FIONCLEX, FIOCLEX. Not: TIOCSTI and
# TIOCLINUX, which type into the terminal; FIOASYNC and FIOSETOWN.
_IOCTL = (0x5401, 0x802C542A, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)
# No memory becomes executable: not a file's either, because a student's own file may hold machine code as text.
_PROT_EXEC = 4

CALLS = (
    # Memory: NumPy's arrays and malloc. RLIMIT_AS bounds it.
    Call("mmap", 9, 222, _no_bit(2, _PROT_EXEC)),  # large arrays; dlopen of what the launcher has not loaded fails
    Call("munmap", 11, 215, _FREE),
    Call("madvise", 28, 233, _FREE),  # NumPy asks for huge pages
    Call("brk", 12, 214, _FREE),  # malloc
    Call("mremap", 25, 216, _FREE),  # realloc of large blocks
    Call("mprotect", 10, 226, _no_bit(2, _PROT_EXEC)),  # malloc's arenas
    # Talking to the grader. The socket is there already and nothing can make another.
    Call("read", 0, 63, _FREE),
    Call("write", 1, 64, _FREE),  # there is no descriptor to write to but the socket and /dev/null
    Call("recvfrom", 45, 207, _FREE),
    Call("sendto", 44, 206, _is_null(4)),  # an address would name another receiver; send() gives none
    Call("poll", 7, None, _FREE),  # sockets with a timeout
    Call("ppoll", 271, 73, _FREE),  # poll() where there is only this
    Call("select", 23, None, _FREE),  # time.sleep before Python 3.11
    Call("pselect6", 270, 72, _FREE),  # the same in newer C libraries
    # Locks, the clock, chance.
    Call("futex", 202, 98, _FREE),  # every lock of Python and of the C library
    Call("clock_gettime", 228, 113, _no_bit(0, 0x80000000)),  # negative: the CPU clock of some process
    Call("clock_getres", 229, 114, _no_bit(0, 0x80000000)),  # as above
    Call("clock_nanosleep", 230, 115, _no_bit(0, 0x80000000)),  # as above; time.sleep since
    Call("nanosleep", 35, 101, _FREE),  # the same in older C libraries
    Call("gettimeofday", 96, 169, _FREE),  # where the clock is not read in user space
    Call("time", 201, None, _FREE),
    Call("times", 100, 153, _FREE),  # os.times
    Call("getrusage", 98, 165, _FREE),  # time.process_time's fallback
    Call("getrandom", 318, 278, _FREE),  # numpy.random's seed, hash seeds
    Call("sched_yield", 24, 124, _FREE),  # spin locks of the BLAS
    # Reading files: lazily imported modules, tracebacks. Landlock says which.
    Call("openat", 257, 56, _only_bits(2, _READING)),  # open()
    Call("open", 2, None, _only_bits(1, _READING)),  # the same in older C libraries
    Call("close", 3, 57, _FREE),
    Call("lseek", 8, 62, _FREE),  # open()
    Call("fstat", 5, 80, _FREE),  # open()
    Call("newfstatat", 262, 79, _FREE),  # stat()
    Call("stat", 4, None, _FREE),  # in older C libraries
    Call("lstat", 6, None, _FREE),
    Call("statx", 332, 291, _FREE),  # stat() in newer ones
    Call("getdents64", 217, 61, _FREE),  # os.listdir: how import looks for modules
    Call("pread64", 17, 67, _FREE),  # dlopen
    Call("writev", 20, 66, _FREE),  # the C library's last words
    Call("access", 21, None, _FREE),  # os.access; the dynamic loader
    Call("faccessat", 269, 48, _FREE),
    Call("faccessat2", 439, 439, _FREE),  # os.access in newer C libraries
    Call("readlink", 89, None, _FREE),  # os.path.realpath
    Call("readlinkat", 267, 78, _FREE),
    Call("getcwd", 79, 17, _FREE),  # os.path.abspath
    Call("chdir", 80, 49, _FREE),  # students do it, to find a file beside their own
    Call("statfs", 137, 43, _FREE),  # libffi looks for SELinux
    Call("fcntl", 72, 25, _one_of(1, _FCNTL)),
    Call("ioctl", 16, 29, _one_of(1, _IOCTL)),
    # Who am I, where, with how much: answers, no effects.
    Call("getpid", 39, 172, _FREE),  # abort() too
    Call("gettid", 186, 178, _FREE),
    Call("getppid", 110, 173, _FREE),
    Call("getuid", 102, 174, _FREE),  # os.path.expanduser; libraries that ask whether they run setuid
    Call("geteuid", 107, 175, _FREE),
    Call("getgid", 104, 176, _FREE),
    Call("getegid", 108, 177, _FREE),
    Call("uname", 63, 160, _FREE),  # platform
    Call("sysinfo", 99, 179, _FREE),  # the C library's qsort asks how much memory there is
    Call("sched_getaffinity", 204, 123, _FREE),  # os.cpu_count
    Call("getrlimit", 97, 163, _FREE),
    Call("prlimit64", 302, 261, _is_null(2)),  # getrlimit() in newer C libraries; new limits are refused
    # Signals: handling them. Sending them is below.
    Call("rt_sigaction", 13, 134, _FREE),
    Call("rt_sigprocmask", 14, 135, _FREE),
    Call("rt_sigreturn", 15, 139, _FREE),
    Call("sigaltstack", 131, 132, _FREE),  # faulthandler
    Call("restart_syscall", 219, 128, _FREE),  # the kernel itself makes it, after SIGSTOP and SIGCONT
    # The end.
    Call("exit_group", 231, 94, _FREE),
    Call("exit", 60, 93, _FREE),
)


def _signals(pid: int) -> tuple[Call, ...]:
    """List the calls that send a signal: to oneself, which is how abort() works, and to nobody else."""
    to_itself = _is(0, pid)
    return (
        Call("tgkill", 234, 131, to_itself),  # raise(), abort()
        Call("tkill", 200, 130, to_itself),  # the same in musl
        Call("kill", 62, 129, to_itself),  # os.kill(os.getpid(), ...)
    )


# --- the program -----------------------------------------------------------------------------------------------------


def calls(pid: int) -> tuple[Call, ...]:
    """Return every call that the process `pid` may make, with the rules for its arguments."""
    return (*CALLS, *_signals(pid))


def program(machine: str, pid: int) -> list[Instruction]:
    """Assemble the filter.

    Parameters
    ----------
    machine : str
        ``x86_64`` or ``aarch64``.
    pid : int
        The worker's own process id, the only one it may signal.
    """
    code: list[Instruction] = [
        (_LOAD, 0, 0, _ARCHITECTURE_AT),
        (_EQUAL, 1, 0, _ARCHITECTURES[machine]),
        _KILL,
        (_LOAD, 0, 0, _NUMBER_AT),
    ]
    for call in calls(pid):
        number = call.x86_64 if machine == "x86_64" else call.aarch64
        if number is not None:
            code += [(_EQUAL, 0, len(call.rule), number), *call.rule]
    code += [(_ABOVE, 0, 1, _X32 - 1), _FORBIDDEN, (_ABOVE, 0, 1, _NEWEST), _UNKNOWN, _FORBIDDEN]
    return code


# --- installing it ---------------------------------------------------------------------------------------------------

_PR_SET_SECCOMP, _MODE_FILTER = 22, 2
_libc = ctypes.CDLL(None, use_errno=True)


class _Program(ctypes.Structure):
    """``struct sock_fprog``."""

    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def install() -> None:
    """Put this process under the filter, for good. It must have no_new_privs, and a single thread.

    Raises
    ------
    OSError
        The kernel has no such filters, does not allow them here, or only pretends to.
    """
    machine = os.uname().machine
    if machine not in _ARCHITECTURES or sys.maxsize < 2**32:
        raise OSError(f"there is no list of system calls for {sys.maxsize.bit_length() + 1}-bit Python on {machine}")
    code = b"".join(struct.pack("HBBI", *instruction) for instruction in program(machine, os.getpid()))
    description = _Program(len(code) // 8, code)
    arguments = (ctypes.c_ulong(_MODE_FILTER), ctypes.byref(description), ctypes.c_ulong(0), ctypes.c_ulong(0))
    if _libc.prctl(_PR_SET_SECCOMP, *arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    try:
        os.getpriority(os.PRIO_PROCESS, 0)  # harmless, and not on the list
    except PermissionError:
        return
    raise OSError("the kernel accepted the filter and does not apply it")
