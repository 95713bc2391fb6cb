"""How a command prints and how it ends: its standard streams, and the signals that ask it to stop."""

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
"""How long a second Ctrl-C is ignored, while processes are being ended; a later one ends the command at once."""

INTERRUPTED = 130
"""The status of a command that was asked to end."""

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_RETRY_SECONDS = 0.02
_asked: float | None = None
_shields = 0


def prepare() -> None:
    """Make the standard streams usable, even if this process was started with some of them closed."""
    for descriptor in (0, 1, 2):  # else the next file we open would get the number of a closed stream
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
            # a grade must not depend on which characters this terminal can show
            stream.reconfigure(errors="backslashreplace")


def complain(text: str) -> None:
    """Print to standard error, if that is possible."""
    with contextlib.suppress(OSError):
        print(text, file=sys.stderr, flush=True)


def let_go(*streams: TextIO) -> None:
    """Drop what a stream cannot take: Python would try again at exit, and change the exit status."""
    for stream in streams:
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def listen() -> None:
    """Turn the signals that ask a command to end into one KeyboardInterrupt, so that it can clean up."""
    for number in _SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup and background jobs ignore some
            signal.signal(number, _interrupt)
    signal.signal(signal.SIGALRM, _interrupt)


def stop_listening() -> None:
    """Ignore further signals: this command is ending already."""
    for number in (*_SIGNALS, signal.SIGALRM):
        signal.signal(number, signal.SIG_IGN)


@contextlib.contextmanager
def shielded() -> Iterator[None]:
    """Delay the signals that ask a command to end until this block is done; the block must be short."""
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
    # an import would report a missing module instead: the signal is sent again in a moment
    elif _shields or _is_importing(frame):
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
