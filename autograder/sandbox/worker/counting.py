"""Counts the Python steps and objects of a call. Student code could forge the counts: see docs/performance.md."""

from __future__ import annotations

import gc
import sys
from types import FrameType
from typing import Any

CODE_OF_A_FUNCTION = 0x1
"""``inspect.CO_OPTIMIZED``: set for functions, and not for classes and modules."""
LOOKS = 5000
"""Steps after which objects are counted, which is slower than counting steps. Code with more steps has a loop."""


class Counting:
    """A function whose calls count the Python steps (opcodes), and the Python objects that exist at one time.

    ``steps`` are counted for each of the student's functions; steps in NumPy's Python code count for the function that
    calls it. ``objects`` reveal code that turns arrays into lists and loops over them in C, which takes no steps.
    """

    def __init__(self, function: Any, directory: str) -> None:
        self.steps: dict[str, int] = {}
        self.objects = 0
        self._looks = LOOKS
        self._function = function
        self._directory = directory

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        """Call the function and return what it returns; the counts are those of the last call."""
        gc.collect()
        gc.disable()  # rubbish that is collected meanwhile would be missing from the objects
        with sys.modules["numpy"].printoptions(threshold=0):  # printing an array takes steps for each entry shown
            self._before = sys.getallocatedblocks()
            sys._getframe().f_trace_opcodes = True  # Python 3.12 looks for this when tracing begins
            sys.settrace(self._enter)
            try:
                return self._function(*arguments, **keywords)
            finally:
                if sys.gettrace() != self._enter:  # somebody has switched it off
                    self.steps = {}
                sys.settrace(None)
                gc.enable()

    def _enter(self, frame: FrameType, event: str, argument: Any) -> Any:
        steps, name = self.steps, self._name(frame)
        steps.setdefault(name, 0)

        def count(frame: FrameType, event: str, argument: Any) -> Any:
            if event == "opcode":
                steps[name] += 1
                if self._looks:
                    self._looks -= 1
                    self.objects = max(self.objects, sys.getallocatedblocks() - self._before)
            return count

        frame.f_trace, frame.f_trace_lines = count, False
        frame.f_trace_opcodes = True  # Python 3.13 heeds this only in a frame that has its f_trace already
        return count

    def _name(self, frame: FrameType) -> str:
        """Name the innermost function of the student's that runs a frame; lambdas and comprehensions have no name."""
        named: FrameType | None = frame
        while named is not None:
            code = named.f_code
            is_named = code.co_flags & CODE_OF_A_FUNCTION and not code.co_name.startswith("<")
            if is_named and code.co_filename.startswith(self._directory):
                return code.co_name
            named = named.f_back
        return ""
