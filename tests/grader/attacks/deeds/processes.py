"""Deeds on processes: the launcher, the grader, a bystander and the neighbour's worker; and what one may start.

Where a signal would end the grader, one is sent that it notes; where a limit would starve it, a bystander's is changed.
"""

import contextlib
import ctypes
import fcntl
import importlib
import os
import resource
import signal
import socket
import struct
import subprocess
import sys
import threading
import time

libc = ctypes.CDLL(None, use_errno=True)
BOMB = 50
"""Processes or threads that a bomb starts, at most."""
NAP_SECONDS = 20
F_SETSIG = 10
NEW_USER_NAMESPACE = 0x10000000
CAPABILITY_VERSION = 0x20080522


class Stretch(ctypes.Structure):
    """``struct iovec``."""

    _fields_ = (("base", ctypes.c_void_p), ("length", ctypes.c_size_t))


def checked(result):
    """Return what a C function returned, unless it failed."""
    if result < 0:
        raise OSError(ctypes.get_errno(), "denied")
    return result


# --- signals ---


def kill_parent(target):
    """End the launcher, and with it every worker to come."""
    os.kill(target.launcher, signal.SIGKILL)


def signal_parent(target):
    """Send the grader a signal."""
    os.kill(target.grader, signal.SIGUSR1)


def signal_parent_by_pidfd(target):
    """The same through a descriptor."""
    signal.pidfd_send_signal(os.pidfd_open(target.grader), signal.SIGUSR1)


def queue_signal_to_parent(target):
    """The same with a word along."""
    checked(libc.sigqueue(target.grader, signal.SIGUSR1, ctypes.c_void_p(1)))


def sigio_parent(target):
    """Make the kernel send it, whenever a request arrives."""
    connection, _ = importlib.import_module("protocol").seize()
    fcntl.fcntl(connection, F_SETSIG, signal.SIGUSR1)
    fcntl.fcntl(connection, fcntl.F_SETOWN, target.grader)
    connection.settimeout(10)  # whoever sleeps in poll() gets the signal, whoever sleeps in recv() does not
    setattr(socket.socket, "settimeout", lambda *_: None)  # noqa: B010
    fcntl.fcntl(connection, fcntl.F_SETFL, fcntl.fcntl(connection, fcntl.F_GETFL) | os.O_ASYNC)


def kill_minus_one(target):
    """Send everybody a signal; one that nobody minds."""
    os.kill(-1, signal.SIGWINCH)


def kill_neighbour(target):
    """End the worker of the submission that is graded beside this one."""
    os.kill(target.neighbour_worker, signal.SIGKILL)


def kill_reference_worker(target):
    """End the model answer's worker: without it there is no yardstick for time."""
    os.kill(target.reference_worker, signal.SIGKILL)


# --- what a process may use ---


def prlimit_bystander(target):
    """Leave another process fewer descriptors than it needs."""
    _, hard = resource.prlimit(target.victim, resource.RLIMIT_NOFILE)
    resource.prlimit(target.victim, resource.RLIMIT_NOFILE, (20, hard))


def pin_bystander(target):
    """Crowd another process onto one processor."""
    os.sched_setaffinity(target.victim, {min(os.sched_getaffinity(0))})


def pin_parent(target):
    """Crowd the grader onto one processor."""
    os.sched_setaffinity(target.grader, {min(os.sched_getaffinity(0))})


def renice_bystander(target):
    """Make another process yield to everybody."""
    os.setpriority(os.PRIO_PROCESS, target.victim, 5)


def write_bystander_memory(target):
    """Write into another process: what it is about to compare, for instance."""
    text = b"changed by an attack"
    here = Stretch(ctypes.addressof(ctypes.create_string_buffer(text)), len(text))
    there = Stretch(target.victim_address, len(text))
    checked(libc.process_vm_writev(target.victim, ctypes.byref(here), 1, ctypes.byref(there), 1, 0))


def write_bystander_memory_file(target):
    """The same by its file."""
    with open(f"/proc/{target.victim}/mem", "r+b", buffering=0) as memory:
        memory.seek(target.victim_address)
        memory.write(b"changed by an attack")


def write_parent_memory(target):
    """Write into the grader."""
    text = b"changed by an attack"
    here = Stretch(ctypes.addressof(ctypes.create_string_buffer(text)), len(text))
    there = Stretch(target.grader_address, len(text))
    checked(libc.process_vm_writev(target.grader, ctypes.byref(here), 1, ctypes.byref(there), 1, 0))


# --- starting something ---


def fork_bomb(target):
    """Start processes that start processes, up to a bound."""
    for _ in range(BOMB):
        if os.fork() == 0:
            time.sleep(NAP_SECONDS)
            os._exit(0)


def spawn_process(target):
    """Start a process the way subprocess does."""
    process = subprocess.Popen([sys.executable or "/usr/bin/env", "-c", f"import time; time.sleep({NAP_SECONDS})"])
    return f"started process {process.pid}"


def daemon_left_behind(target):
    """Leave a process that nobody waits for, in a session of its own."""
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            time.sleep(NAP_SECONDS)
        os._exit(0)


def exec_shell(target):
    """Become a shell, which writes a file."""
    os.execv("/bin/sh", ["sh", "-c", ': > "$0"', os.path.join(target.shared, "from-a-shell")])


def start_threads(target):
    """Compute on all processors."""
    started = []
    with contextlib.suppress(RuntimeError):
        for _ in range(BOMB):
            started.append(threading.Thread(target=time.sleep, args=(NAP_SECONDS,), daemon=True))
            started[-1].start()
    return f"started {len(started)} threads" if len(started) > 1 else None


# --- getting rights back ---


def raise_rlimits_back(target):
    """Lift the limits."""
    unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
    return "may write files of any size"


def regain_capabilities(target):
    """Take back what root may do."""
    header = struct.pack("Ii", CAPABILITY_VERSION, 0)
    everything = struct.pack("6I", 0xFFFFFFFF, 0xFFFFFFFF, 0, 0xFF, 0xFF, 0)
    checked(libc.capset(header, everything))
    return "has every capability"


def become_root(target):
    """Be another user, or root once more."""
    os.setresuid(target.grader_uid, target.grader_uid, target.grader_uid)
    return "is the grader's user" if target.other_user else None


def new_namespace(target):
    """Be root in a world of one's own, with the whole kernel to try."""
    checked(libc.unshare(NEW_USER_NAMESPACE))
    return "is in a namespace of its own"


def survive_memory_shortage(target):
    """Ask the kernel to kill somebody else when memory runs out."""
    with open("/proc/self/oom_score_adj", "w") as file:
        file.write("-999" if target.grader_uid == 0 else "0")
    return "will not be killed first"


def pin_itself(target):
    """Choose the processor that the grader runs on."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    return "chose its processor"
