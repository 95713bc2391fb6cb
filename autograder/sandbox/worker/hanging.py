"""Tells the grader where a call hangs, when the grader asks with a signal: which lines run, in which calls.

One look would find any line of the loop, another one in every run. So the lines are followed for a while: the loop that
hangs is the innermost one that they do not leave. Within NumPy no signal is handled, and then nothing is told.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from types import FrameType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING or __package__:
    from autograder.sandbox.worker import wire
else:  # inside the program, where `-I` leaves only the standard library and this folder to import from
    import wire

MOST_STEPS = 20_000
"""Steps of the interpreter that are followed. Inner loops that end have ended by then."""
MOST_SECONDS = 0.5
"""After this time the lines that were seen have to do."""
MOST_FRAMES, MOST_LINES = 20, 200
"""How many calls, from the outermost on, and how many lines of each are told."""


class Hanging:
    """Answers the signal for the request that is being worked on.

    Attributes
    ----------
    nonce : str
        Of that request.
    """

    def __init__(self, connection: socket.socket, directory: str) -> None:
        self.nonce = ""
        self._connection = connection
        self._directory = directory
        self._frames: list[FrameType] = []
        self._lines: list[set[int]] = []
        self._steps = 0
        self._until = 0.0
        signal.signal(signal.SIGUSR1, self._asked)

    def _asked(self, number: int, frame: FrameType | None) -> None:
        """Begin to follow the calls that the process is in now."""
        frames = []
        while frame is not None:
            if frame.f_code.co_filename.startswith(self._directory):
                frames.append(frame)
            frame = frame.f_back
        self._frames = frames[::-1][:MOST_FRAMES]
        self._lines = [{each.f_lineno or 0} for each in self._frames]
        self._steps, self._until = 0, time.monotonic() + MOST_SECONDS
        for each in self._frames:
            each.f_trace, each.f_trace_opcodes = self._step, True  # `while True: pass` never comes to a new line
        sys.settrace(lambda *event: None)  # calls that begin now are not followed

    def _step(self, frame: FrameType, event: str, argument: Any) -> Any:
        """Note the line of a step, or that a call has ended and so does not hang."""
        if frame not in self._frames:
            return None
        place = self._frames.index(frame)
        if event == "return":
            del self._frames[place:], self._lines[place:]
        else:
            self._lines[place].add(frame.f_lineno or 0)
        self._steps += 1
        if self._steps >= MOST_STEPS or time.monotonic() > self._until or not self._frames:
            sys.settrace(None)
            self._tell()
            self._frames = []
        return self._step

    def _tell(self) -> None:
        inside = [
            (os.path.relpath(frame.f_code.co_filename, self._directory), sorted(lines)[:MOST_LINES])
            for frame, lines in zip(self._frames, self._lines, strict=True)
        ]
        wire.send(self._connection, {"nonce": self.nonce, "inside": inside})
