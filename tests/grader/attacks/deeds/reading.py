"""Deeds that look for secrets. What is found is returned, and leaves the worker in the message of an exception."""

import ctypes
import errno
import gc
import importlib
import os
import sys
import time

libc = ctypes.CDLL(None, use_errno=True)
PTRACE_PEEKDATA, PTRACE_ATTACH, PTRACE_DETACH = 2, 16, 17
WALL = 0x40000000
PIDFD_GETFD = 438
SECRET_BYTES = 32


class Stretch(ctypes.Structure):
    """``struct iovec``."""

    _fields_ = (("base", ctypes.c_void_p), ("length", ctypes.c_size_t))


def checked(result):
    """Return what a C function returned, unless it failed."""
    if result < 0:
        raise OSError(ctypes.get_errno(), "denied")
    return result


def contents(path):
    """Return the text of a file."""
    with open(path, "rb") as file:
        return file.read().decode(errors="replace").replace("\0", " ")


def memory_file(pid, address):
    """Read a secret from the memory of a process, by its file."""
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        memory.seek(address)
        return memory.read(SECRET_BYTES).decode()


def memory_call(pid, address):
    """Read a secret from the memory of a process, by its system call."""
    found = ctypes.create_string_buffer(SECRET_BYTES)
    here, there = Stretch(ctypes.addressof(found), SECRET_BYTES), Stretch(address, SECRET_BYTES)
    checked(libc.process_vm_readv(pid, ctypes.byref(here), 1, ctypes.byref(there), 1, 0))
    return found.raw.decode()


# --- files ---


def read_hidden_tests(target):
    """Read a hidden test, below a private folder."""
    return contents(target.hidden_test)


def read_reference(target):
    """Read the model answer, which anybody may."""
    return contents(target.reference)


def import_solution(target):
    """Let the import system do the reading."""
    folder, file = os.path.split(target.reference)
    sys.path.insert(0, folder)
    try:
        return importlib.import_module(os.path.splitext(file)[0]).SECRET
    finally:
        sys.path.remove(folder)


def list_folder(target):
    """Read the names of files."""
    return " ".join(os.listdir(os.path.dirname(target.reference)))


def read_neighbour_submission(target):
    """Read the submission that is graded beside this one."""
    return contents(target.neighbour)


def read_model_answer(target):
    """Read the model answer that runs beside this submission, for the time it takes."""
    return contents(target.model_answer)


def read_slots(target):
    """See which users run student code on this machine."""
    return " ".join(os.listdir(target.slots))


def watch_folder(target):
    """Be told whenever the grader opens a file."""
    watcher = checked(libc.inotify_init1(0))
    everything = 0xFFF
    checked(libc.inotify_add_watch(watcher, os.path.dirname(target.reference).encode(), everything))
    return "watching a folder"


# --- processes ---


def proc_scan_other_cmdlines(target):
    """Read the command line of another process."""
    return contents(f"/proc/{target.victim}/cmdline")[-100:]


def read_environ_token(target):
    """Read the grader's environment."""
    return contents(f"/proc/{target.grader}/environ")


def parent_memory_read(target):
    """Read the grader's memory, where the expected values are."""
    return memory_file(target.grader, target.grader_address)


def parent_process_vm_readv(target):
    """The same without a file."""
    return memory_call(target.grader, target.grader_address)


def victim_memory_read(target):
    """Read the memory of a program that does not protect itself."""
    return memory_file(target.victim, target.victim_address)


def victim_process_vm_readv(target):
    """The same without a file."""
    return memory_call(target.victim, target.victim_address)


def victim_ptrace(target):
    """The same as a debugger."""
    libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
    libc.ptrace.restype = ctypes.c_long
    checked(libc.ptrace(PTRACE_ATTACH, target.victim, None, None))
    os.waitpid(target.victim, WALL)
    try:
        words = range(0, SECRET_BYTES, 8)
        peek = (libc.ptrace(PTRACE_PEEKDATA, target.victim, target.victim_address + word, None) for word in words)
        return b"".join(word.to_bytes(8, "little", signed=True) for word in peek).decode()
    finally:
        libc.ptrace(PTRACE_DETACH, target.victim, None, None)


def steal_control_socket(target):
    """Take the launcher's end of its talk with the grader: whoever holds it starts and ends workers."""
    launcher = os.pidfd_open(target.launcher)
    for number in range(3, 16):
        descriptor = libc.syscall(PIDFD_GETFD, launcher, number, 0)
        if descriptor < 0 and ctypes.get_errno() != errno.EBADF:
            raise PermissionError
        if descriptor >= 0 and os.readlink(f"/proc/self/fd/{descriptor}").startswith("socket:"):
            return "holding the launcher's socket"
    return None


def read_grader_cpu_clock(target):
    """Read how much processor time the grader has used: a clock to tell its comparisons apart."""
    return f"the grader has used {time.clock_gettime((~target.grader << 3) | 2)} s"


def wait_for_grader_cpu_clock(target):
    """The same by waiting until it shows a time long past."""
    timespec = (ctypes.c_long * 2)(0, 1)
    absolute = 1
    clock = ctypes.c_int((~target.grader << 3) | 2)
    if libc.clock_nanosleep(clock, absolute, ctypes.byref(timespec), None) == 0:
        return "the grader has used more than 1 ns"
    return None


# --- oneself ---


def read_open_descriptors(target):
    """Read whatever the grader forgot to close."""
    for number in range(3, 64):
        try:
            found = os.pread(number, 200, 0)
        except OSError:
            continue
        if found:
            return found.decode(errors="replace")
    return None


def frame_gc_introspection(target):
    """Search every object and every caller's variables for anything that looks like a secret."""
    seen = [repr(each) for each in gc.get_objects() if isinstance(each, (dict, list, tuple)) and len(each) < 1000]
    caller = sys._getframe().f_back
    while caller is not None:
        seen.append(repr(caller.f_locals))
        caller = caller.f_back
    seen += [f"{name}={value}" for name, value in os.environ.items()]
    mark = target.mark_backwards[::-1]  # what every secret begins with; told like this so as not to find the question
    return next((text[text.index(mark) :][:100] for text in seen if mark in text), None)


def forbidden_import_torch_scipy(target):
    """Import what is not NumPy, from wherever somebody installed it."""
    for module in (os, sys.modules["numpy"]):
        folder = os.path.dirname(os.path.dirname(os.path.realpath(module.__file__ or "")))
        for below in ("", "site-packages", "dist-packages", os.path.basename(os.path.dirname(os.__file__))):
            sys.path.append(os.path.join(folder, below))
    sys.path += [os.path.join(os.path.dirname(os.__file__), "site-packages"), "/usr/lib/python3/dist-packages"]
    for name in ("torch", "scipy", "pip", "pluggy", "yaml", "autograder", "solutions"):
        try:
            importlib.import_module(name)
        except ImportError:
            continue
        return f"imported {name}"
    return None
