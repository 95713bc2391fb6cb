"""A command's way out: the streams that it prints to, and the signals that ask it to end.

It must not know: what a command does.
"""

from __future__ import annotations

import contextlib
import io
import os
import signal
import sys
import time
from collections.abc import Iterator
from types import FrameType
from typing import TextIO

PATIENCE_SECONDS = 5.0
"""How long after Ctrl-C another one is not needed: what has been started is being ended. Then it ends at once."""

INTERRUPTED = 130
"""The status of a command that was asked to end."""

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_RETRY_SECONDS = 0.02
_asked: float | None = None
_shields = 0


def prepare() -> None:
    """Make the standard streams usable, whatever this process has been started with."""
    for descriptor in (0, 1, 2):  # else a file of ours would get the number of one that is closed
        try:
            os.fstat(descriptor)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a grade does not depend on what can be shown here


def complain(text: str) -> None:
    """Print to standard error, if that is possible."""
    with contextlib.suppress(OSError):
        print(text, file=sys.stderr, flush=True)


def let_go(*streams: TextIO) -> None:
    """Give up what a stream cannot take: Python would try again when it exits, and change the status."""
    for stream in streams:
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def listen() -> None:
    """Turn the signals that ask a command to end into one KeyboardInterrupt, so that it can clean up."""
    for number in _SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:  # as after nohup, or for Ctrl-C in the background
            signal.signal(number, _interrupt)
    signal.signal(signal.SIGALRM, _interrupt)


def stop_listening() -> None:
    """Ignore them from now on: it ends anyway."""
    for number in (*_SIGNALS, signal.SIGALRM):
        signal.signal(number, signal.SIG_IGN)


@contextlib.contextmanager
def shielded() -> Iterator[None]:
    """Have the signals that ask a command to end wait until this is done; it must be short."""
    global _shields
    _shields += 1
    try:
        yield
    finally:
        _shields -= 1


def _interrupt(_number: int, frame: FrameType | None) -> None:
    global _asked
    if _asked is not None:
        if time.monotonic() - _asked > PATIENCE_SECONDS:
            os._exit(INTERRUPTED)
    elif _shields or _is_importing(frame):  # an import takes it for a missing module: asked again in a moment
        signal.setitimer(signal.ITIMER_REAL, _RETRY_SECONDS)
    else:
        _asked = time.monotonic()
        raise KeyboardInterrupt


def _is_importing(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False
