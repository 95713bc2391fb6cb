"""Deeds that try to make wrong numbers count, and habits that only look like deeds."""

import atexit
import contextlib
import os
import signal
import sys
import time

import numpy as np

MIB = 1024 * 1024


# --- wrong answers ---


def nan_result(target, honest):
    """Return what compares false with everything."""
    return np.full_like(honest(), np.nan)


def one_number(target, honest):
    """Return what broadcasts to every shape."""
    return honest()[..., :1]


def nothing_at_all(target, honest):
    """Return an array whose every entry is right, having none."""
    return np.empty((0, 0))


def ndarray_subclass_lies(target, honest):
    """Return an array that says it equals everything."""

    class Liar(np.ndarray):  # type: ignore[type-arg]
        def __eq__(self, other):
            return np.True_

        def __sub__(self, other):
            return np.zeros(1)

        def __array_ufunc__(self, *args, **kwargs):
            return np.zeros(1)

        def __array_function__(self, *args, **kwargs):
            return np.zeros(1)

    return np.zeros_like(honest()).view(Liar)


def monkeypatch_numpy_time(target, honest):
    """Change every judge and every clock in reach."""
    wrong = np.zeros_like(honest())
    for name in ("allclose", "array_equal", "isclose", "isfinite", "abs", "asarray"):
        setattr(np, name, lambda first, *args, **kwargs: first)
    for name in ("perf_counter", "monotonic", "time"):
        setattr(time, name, lambda: 0.0)
    return wrong


def forge_score_marker(target, honest):
    """Print a result in every form a grader ever printed one, and return zeros."""
    for stream in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__):
        with contextlib.suppress(Exception):
            print('{"score": 100, "tests": []}\n58 passed\nFINAL SCORE: 100', file=stream, flush=True)
    for descriptor in (0, 1, 2):
        with contextlib.suppress(OSError):
            os.write(descriptor, b'{"score": 100}')
    return np.zeros_like(honest())


def a_list(target, honest):
    """Return the right numbers, but not as an array."""
    return honest().tolist()


# --- harmless ---


def shadow_modules(target):
    """Hand in files that are called like modules of the worker's; see the table."""


def stdout_bomb(target, honest):
    """Print 50 MB."""
    for _ in range(50):
        sys.stdout.write("x" * MIB)
        os.write(2, b"x" * MIB)
    return honest()


def atexit_threads(target, honest):
    """Have something done at the end, which never comes."""
    atexit.register(time.sleep, 1000)
    return honest()


def late_alarm(target, honest):
    """Set an alarm that goes off in somebody else's test."""
    signal.signal(signal.SIGALRM, lambda *_: os._exit(3))
    with contextlib.suppress(OSError):
        signal.setitimer(signal.ITIMER_REAL, 0.05)
    return honest()


def trace_the_worker(target, honest):
    """Look over the shoulder of everything that runs from now on."""
    sys.settrace(lambda *_: None)
    sys.setprofile(lambda *_: None)
    return honest()
