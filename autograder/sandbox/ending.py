"""How a worker ended, and what that means to a student."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass

EXIT_OUT_OF_MEMORY = 77
"""The worker's exit status when memory ran out outside the student's function (see ``worker/__main__.py``)."""


@dataclass(frozen=True)
class Ending:
    """How a worker ended.

    Attributes
    ----------
    exit_status : int or None
        What it exited with, if it exited by itself.
    signal_number : int or None
        The signal that ended it, if that was not the grader's own.
    """

    exit_status: int | None = None
    signal_number: int | None = None

    @classmethod
    def of(cls, *, status: int, killed: bool) -> Ending:
        """Return what a wait status means; nothing is known if the grader `killed` it."""
        if killed:
            return cls()
        if os.WIFSIGNALED(status):
            return cls(signal_number=os.WTERMSIG(status))
        return cls(exit_status=os.WEXITSTATUS(status))

    @property
    def out_of_memory(self) -> bool:
        """Whether memory ran out: the worker said so, or the kernel sent SIGKILL."""
        return self.exit_status == EXIT_OUT_OF_MEMORY or self.signal_number == signal.SIGKILL

    @property
    def out_of_time(self) -> bool:
        """Whether the limit on processor time ended it."""
        return self.signal_number == signal.SIGXCPU

    def describe(self) -> str:
        """Say it in words a student knows."""
        if self.signal_number is not None:
            number = self.signal_number
            name = signal.Signals(number).name if number in set(signal.Signals) else f"signal {number}"
            return f"ended the Python process: {_SIGNAL_WORDS.get(number, name)}"
        if self.exit_status is not None:
            return f"ended the Python process with exit status {self.exit_status}"
        return "closed its connection to the grader"


_SIGNAL_WORDS: dict[int, str] = {
    signal.SIGSEGV: "segmentation fault (endless recursion, or memory used in a way NumPy forbids)",
    signal.SIGABRT: "abort",
    signal.SIGBUS: "bus error",
    signal.SIGFPE: "arithmetic fault",
    signal.SIGILL: "illegal instruction",
}
