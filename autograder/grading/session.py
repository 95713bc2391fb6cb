"""What is known about one submission while it is graded, over all its workers."""

from __future__ import annotations

import math
import os
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from autograder.core.errors import NotRun, StudentError, TimedOut, Wrong
from autograder.core.sections import Limits
from autograder.core.text import clean
from autograder.grading import advice
from autograder.intake import sniff
from autograder.sandbox import cpuclock
from autograder.sandbox.launcher import Sandbox

PATIENCE = 3.0
"""Time spent waiting for a processor is given back. But a submission never takes more than this many times its limit
in wall time."""
SLOW_IMPORT_SECONDS = 2.0
"""An import that takes longer than this is mentioned to the student."""
_DEFINITION = re.compile(r"\s*(?:async\s+)?def\s+([^\W\d]\w*)")
"""A line that defines a function."""


@dataclass(frozen=True)
class Interface:
    """The functions a student implements, and the limits on calling them.

    Attributes
    ----------
    module : str
        The module's name, without ``.py``.
    functions : mapping of str to sequence of str
        What each function returns, by name.
    opaque : frozenset of str
        The results that stay in the worker.
    parameters : mapping of str to sequence of str
        The names of each function's parameters, to describe a call. A function may be missing.
    """

    module: str
    functions: Mapping[str, Sequence[str]]
    opaque: frozenset[str]
    limits: Limits
    parameters: Mapping[str, Sequence[str]] = field(default_factory=dict)


class Answers(Protocol):
    """Answers in place of some functions while a worker runs; see ``standins.StandIns``."""

    names: tuple[str, ...]

    def answer(self, question: object, arrays: list[Any], /) -> tuple[dict[str, Any], list[Any]]:
        """Return the body and the arrays of an answer."""


class Session:
    """What is known about one submission while it is being graded, over all its workers.

    A function that hung is not called again, a file that cannot be imported is not imported again and again, and
    the time of the whole submission is bounded.

    Parameters
    ----------
    sandbox : Sandbox
    directory : Path
        The student's files, as the worker sees them.
    files : sequence of str
        Their names, relative to `directory`. They are read now, before any code of the student's has run.
    interface : Interface
    elsewhere : sequence of str
        Python files that were handed in and that the worker does not see, since they are in another folder.
    guard : callable, optional
        Called with the worker's report of its lockdown before any student code runs; raises to prevent that.
    reference : bool
        It is our own model answer, which runs beside a student's.
    """

    def __init__(
        self,
        sandbox: Sandbox,
        directory: Path,
        files: Sequence[str],
        interface: Interface,
        guard: Callable[[Mapping[str, str]], None] = lambda report: None,
        reference: bool = False,
        elsewhere: Sequence[str] = (),
    ) -> None:
        self.sandbox = sandbox
        self.directory = directory
        self.interface = interface
        self.guard = guard
        self.reference = reference
        self.elsewhere = elsewhere
        self.sources = {file: sniff.lines(sniff.text((directory / file).read_bytes())) for file in files}
        self.names = frozenset(
            match[1] for lines in self.sources.values() for line in lines if (match := _DEFINITION.match(line))
        )
        self.defined: tuple[str, ...] = ()
        self.failure: StudentError | None = None
        self.unusable = ""
        self.import_seconds = 0.0
        self.isolation: dict[str, str] = {}
        self.hung: set[str] = set()
        self._started = self._waited_before = 0.0
        self.stand_ins: Answers | None = None
        self._deadline = math.inf

    def start_clock(self) -> None:
        """Start the submission's total time; before this it has not begun."""
        self._started, self._waited_before = time.monotonic(), self._waited()
        self._deadline = self._started + self.interface.limits.submission_seconds

    def deadline(self, seconds: float) -> float:
        """Return when something that may take `seconds` must have ended, on the ``time.monotonic`` clock."""
        self.refuse_when_late()
        end = time.monotonic() + seconds
        if end > self._deadline:
            self._give_back()
        return min(end, self._deadline)

    def refuse_when_late(self) -> None:
        """Raise NotRun when the submission's total time is used up; waiting for a processor does not count."""
        if time.monotonic() >= self._deadline:
            self._give_back()
        if time.monotonic() >= self._deadline:
            raise self.too_late()

    def _give_back(self) -> None:
        """Move the end of the submission's total time by what was spent waiting for a processor."""
        seconds = self.interface.limits.submission_seconds
        waited = self._waited() - self._waited_before
        self._deadline = self._started + min(PATIENCE * seconds, seconds + waited)

    def _waited(self) -> float:
        return cpuclock.waited(os.getpid()) + self.sandbox.waited_seconds()

    def is_last(self, deadline: float) -> bool:
        """Whether the submission's total time ends at a deadline."""
        return deadline >= self._deadline

    def too_late(self) -> NotRun:
        """Return the error that says that the submission's total time is used up."""
        return NotRun(f"the {self.interface.limits.submission_seconds:g} s for the whole submission were used up")

    def give_up(self, failure: StudentError, reason: str) -> None:
        """Prevent all further calls: `failure` says what happened, `reason` is the short text for every test."""
        self.failure, self.unusable = failure, reason

    def require(self, function: str) -> None:
        """Raise the StudentError that makes calling `function` pointless, if there is one."""
        if self.failure is not None:
            raise NotRun(self.unusable)
        if function not in self.defined:
            raise Wrong(f"{function} is not defined in {self.interface.module}.py", function, {"kind": "undefined"})
        if function in self.hung:
            limit = f"{self.interface.limits.call_seconds:g} s"  # not which call: it may be in a hidden test
            raise TimedOut(f"{function} was not called again: before, it did not return within {limit}", function)

    def line(self, file: object, number: object) -> str | None:
        """Return a line of the student's own files; None for any other file or line, whatever the worker says."""
        if not isinstance(file, str) or file not in self.sources or type(number) is not int:
            return None
        lines = self.sources[file]
        if not 0 < number <= len(lines) + 1:  # a syntax error may be on the line after the last
            return None
        return "".join(lines[number - 1 : number])

    def advice(self, kind: str, message: str, file: object, line: object) -> str:
        """Return advice that is added to an exception's own words; empty if they suffice."""
        if kind == "ModuleNotFoundError":
            required = f"{self.interface.module}.py"
            return advice.of_import(message, self.sources, self.elsewhere, required)
        if kind == "ImportError":
            return advice.of_name(message)
        return advice.of_syntax(kind, self.line(file, line) or "") or advice.of_environment(kind, message)

    def where(self, file: object, line: object) -> str:
        """Return a line of the student's own files in words; empty for any other file, whatever the worker says."""
        text = self.line(file, line)
        if text is None:
            return ""
        source = clean(text, 120)
        repeated = source.startswith("raise ")  # the exception has just been named
        return f"{clean(str(file), 60)}, line {line}" + (f": {source}" if source and not repeated else "")
