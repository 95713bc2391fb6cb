"""Deeds that end the worker, or never end."""

import contextlib
import ctypes
import os
import signal
import sys
import threading
import time

import numpy as np

MIB = 1024 * 1024
ENOUGH_MIB = 3 * 1024
"""Where a hoarder stops if nobody stops it."""


def os_exit_0(target, honest):
    """End as if all were well."""
    os._exit(0)


def evil_exception_str(target, honest):
    """Raise something that ends the process when it is looked at."""

    class Evil(Exception):
        def __str__(self):
            os._exit(0)

    raise Evil


def segfault(target, honest):
    """Read where there is no memory."""
    ctypes.string_at(0)


def abort(target, honest):
    """Call abort."""
    os.abort()


def terminate_itself(target, honest):
    """Send oneself a signal."""
    os.kill(os.getpid(), signal.SIGTERM)


def strange_signal(target, honest):
    """Send oneself a signal without a name."""
    os.kill(os.getpid(), signal.SIGRTMIN + 6)


def kill_itself(target, honest):
    """Die as the kernel kills those who use too much memory."""
    os.kill(os.getpid(), signal.SIGKILL)


def fake_cpu_limit(target, honest):
    """Die as the kernel kills those who use too much processor time."""
    os.kill(os.getpid(), signal.SIGXCPU)


def deep_recursion(target, honest):
    """Recurse without end, the interpreter's limit lifted."""
    sys.setrecursionlimit(2**30)

    class Deep:
        def __repr__(self):
            return repr([self])

    repr(Deep())


def sys_exit(target, honest):
    """Exit politely."""
    sys.exit("goodbye")


def keyboard_interrupt(target, honest):
    """Pretend that somebody pressed Ctrl-C."""
    raise KeyboardInterrupt("nobody did")


def ansi_html_surrogate_message(target, honest):
    """Raise an exception with a message for the terminal and the browser."""
    raise ValueError("\x1b[31mred\x1b[0m <script>alert(1)</script> \ud800 \u202e \r\n\x9b2J " + "x" * 100_000)


def long_type_name(target, honest):
    """Raise an exception whose name has a million characters."""
    raise type("E" * 1_000_000, (Exception,), {})


def infinite_loop_ignore_signals(target, honest):
    """Never return, and let no signal interrupt it."""
    for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
        signal.signal(number, signal.SIG_IGN)
    while True:
        pass


def sigstop_self(target, honest):
    """Stop, so that no clock of one's own runs."""
    os.kill(os.getpid(), signal.SIGSTOP)
    return honest()


def memory_bomb(target, honest):
    """Hold more and more."""
    hoard: list[object] = []
    while len(hoard) < ENOUGH_MIB // 16:
        hoard.append(np.ones(2 * MIB))
    return honest()


def memory_bomb_at_once(target, honest):
    """Ask for 16 TiB."""
    return np.zeros(2**41)


def memory_bomb_then_recover(target, honest):
    """Use up all memory, let go, and be right."""
    hoard: list[object] = []
    with contextlib.suppress(MemoryError):
        while len(hoard) < ENOUGH_MIB // 16:
            hoard.append(np.ones(2 * MIB))
    hoard.clear()
    return honest()


def thread_bomb(target, honest):
    """Start threads without end, up to a bound."""
    for _ in range(1000):
        threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()
    return honest()


def exit_at_import(target):
    """End before there is a function to call."""
    os._exit(0)


def loop_at_import(target):
    """Never come to the first function."""
    while True:
        pass


def hoard_at_import(target):
    """Hold all memory before the first call."""
    hoard: list[object] = []
    while len(hoard) < ENOUGH_MIB // 16:
        hoard.append(np.ones(2 * MIB))
