"""Deeds that run machine code of the student's own: loops in it cost no Python steps and next to no time."""

import ctypes
import mmap
import os
import platform

ANSWER = 42
CODE = {
    "x86_64": bytes((0x6A, ANSWER, 0x58, 0xC3)),  # push 42; pop rax; ret
    "aarch64": (0x52800000 | ANSWER << 5).to_bytes(4, "little") + 0xD65F03C0.to_bytes(4, "little"),  # mov w0, #42; ret
}[platform.machine()]
PAGE = mmap.PAGESIZE
READ, WRITE, RUN = mmap.PROT_READ, mmap.PROT_WRITE, mmap.PROT_EXEC
PKEY_MPROTECT, MEMFD_CREATE, REMAP_FILE_PAGES = 329, 319, 216
READ_IMPLIES_EXEC = 0x400000
libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
libc.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]


def checked(result):
    """Return what a C function returned, unless it failed."""
    if result in (-1, 2**64 - 1):
        raise OSError(ctypes.get_errno(), "denied")
    return result


def run(address):
    """Run what is at an address, and say so if it was our code."""
    got = ctypes.CFUNCTYPE(ctypes.c_long)(address)()
    return "machine code of the student's own was run" if got == ANSWER else ""


def new_memory(protection, flags=mmap.MAP_PRIVATE):
    """Return the address of new memory, with our code in it if it can be written."""
    address = checked(libc.mmap(None, PAGE, protection, flags | mmap.MAP_ANONYMOUS, -1, 0))
    if protection & WRITE:
        ctypes.memmove(address, CODE, len(CODE))
    return address


def code_in_new_memory(target):
    """Ask for memory that can be written and run."""
    return run(new_memory(READ | WRITE | RUN))


def code_in_shared_memory(target):
    """The same, shared with nobody."""
    return run(new_memory(READ | WRITE | RUN, mmap.MAP_SHARED))


def code_by_mprotect(target):
    """Write code first, and make the memory executable then."""
    address = new_memory(READ | WRITE)
    checked(libc.mprotect(address, PAGE, READ | RUN))
    return run(address)


def code_by_pkey_mprotect(target):
    """The same, by its newer sibling."""
    address = new_memory(READ | WRITE)
    arguments = (ctypes.c_long(PKEY_MPROTECT), ctypes.c_void_p(address), ctypes.c_long(PAGE))
    checked(libc.syscall(*arguments, ctypes.c_long(READ | RUN), ctypes.c_long(-1)))
    return run(address)


def code_by_personality(target):
    """Have all that can be read be executable, as on machines of the last century."""
    checked(libc.personality(ctypes.c_ulong(READ_IMPLIES_EXEC)))
    return run(new_memory(READ | WRITE))


def code_in_own_file(target):
    """Run a file that was handed in: text, and machine code as well."""
    path = os.path.join(os.path.dirname(__file__), "j.py")
    with open(path, "rb") as file:
        return run(checked(libc.mmap(None, PAGE, READ | RUN, mmap.MAP_PRIVATE, file.fileno(), 0)))


def code_in_memory_file(target):
    """Make a file that lies in memory only, and run it."""
    descriptor = checked(libc.syscall(ctypes.c_long(MEMFD_CREATE), b"x", ctypes.c_long(0)))
    os.ftruncate(descriptor, PAGE)
    shared = checked(libc.mmap(None, PAGE, READ | WRITE, mmap.MAP_SHARED, descriptor, 0))
    ctypes.memmove(shared, CODE, len(CODE))
    return run(checked(libc.mmap(None, PAGE, READ | RUN, mmap.MAP_SHARED, descriptor, 0)))


def code_over_a_library(target):
    """Write code over a function of the C library that nobody calls."""
    address = ctypes.cast(libc.ecvt, ctypes.c_void_p).value or 0
    page = address & ~(PAGE - 1)
    checked(libc.mprotect(page, 2 * PAGE, READ | WRITE | RUN))
    ctypes.memmove(address, CODE, len(CODE))
    return run(address)


def code_over_a_callback(target):
    """Write code over what ctypes makes of a Python function: libffi has memory that can be written and run."""
    callback = ctypes.CFUNCTYPE(ctypes.c_long)(lambda: 0)
    address = ctypes.cast(callback, ctypes.c_void_p).value
    if platform.system() != "Linux" or not address:
        raise OSError("no callback")
    readable = new_memory(READ | WRITE)
    ctypes.memmove(readable, address, len(CODE))
    ctypes.memmove(address, CODE, len(CODE))
    return run(address)
