"""The filter of system calls as a program, for every machine there is a list for."""

from __future__ import annotations

import fcntl
import os
import re
import struct
import termios
import time
from pathlib import Path

import pytest

from autograder.sandbox.worker import seccomp
from tests.grader.support.jail import MACHINE

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
    pkey_mprotect remap_file_pages
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
    return {call.name: getattr(call, machine) for call in seccomp.calls(PID) if getattr(call, machine) is not None}


def test_nothing_dangerous_is_on_the_list():
    assert not set(NEVER.split()) & {call.name for call in seccomp.calls(PID)}


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
        ("mmap", (0, 4096, 3, 0x22, -1, 0), ALLOW),
        ("mmap", (0, 4096, 7, 0x22, -1, 0), EPERM),  # memory to write machine code to
        ("mmap", (0, 4096, 5, 2, 3, 0), EPERM),  # a file, which may be the student's
        ("mprotect", (4096, 4096, 1), ALLOW),
        ("mprotect", (4096, 4096, 5), EPERM),
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
