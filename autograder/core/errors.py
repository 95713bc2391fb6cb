"""The error tree, by whose fault it is. Everything else imports this module; it imports nothing of ours.

::

    AutograderError
    ├── StudentError          the submission's fault: costs its own points, nobody else's
    │   ├── Wrong             shape, dtype or values differ
    │   ├── Raised            the student's code raised an exception
    │   ├── Crashed           the student's code ended its process
    │   ├── TimedOut          the student's code did not return in time
    │   ├── OutOfMemory       the student's code asked for more memory than it may have
    │   │   └── Killed        something outside killed the worker; the test is run once more
    │   ├── MalformedReply    the worker answered something that is not an answer
    │   ├── TooSlow           right, but far from the speed it should have
    │   ├── NotRun            could not be tried because something before it failed; not a mistake itself
    │   └── BadSubmission     the submission cannot be read
    ├── ConfigurationError    the instructor's fault: names file, key and remedy; nothing is graded
    └── GraderFault           our fault: no grade is published
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypedDict


class Detail(TypedDict, total=False):
    """Details of a case for staff and scripts; ``extra.CaseExtra`` says what each key means."""

    exception: str
    line: str
    kind: str
    result: str
    ratio: float
    reason: str
    cpu_ms: float
    model_cpu_ms: float
    rounds: int


class AutograderError(Exception):
    """Base of everything this project raises on purpose."""


class StudentError(AutograderError):
    """A failure that is the submission's own.

    Parameters
    ----------
    message : str
        What a student reads: what was got and what was expected. It must be safe to show (see ``text.clean``).
    function : str or None
        The student's function it concerns, or None when it concerns the submission as a whole.
    detail : Detail, optional
        For staff and scripts only (``extra_data``).
    quoted : str, optional
        The part of the message that the student's code wrote. It may contain the hidden inputs.
    values : str, optional
        Got and expected, for tests that may show them.
    """

    outcome = "wrong"

    def __init__(
        self,
        message: str,
        function: str | None = None,
        detail: Detail | None = None,
        quoted: str = "",
        values: str = "",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.function = function
        self.detail: Detail = detail or {}
        self.quoted = quoted
        self.values = values


class Wrong(StudentError):
    """Shape, dtype or values differ from what was expected."""

    outcome = "wrong"
    evidence: object = None
    """What the diagnosis needs to know about the wrong result."""


class Raised(StudentError):
    """The student's code raised; the message names type, file and line."""

    outcome = "raised"


class Crashed(StudentError):
    """The student's code ended the worker process."""

    outcome = "crashed"


class TimedOut(StudentError):
    """The student's code did not return before its deadline."""

    outcome = "timed out"


class OutOfMemory(StudentError):
    """The student's code ran out of the memory it may use."""

    outcome = "out of memory"


class Killed(OutOfMemory):
    """Somebody ended the worker process: the kernel, for its memory, or another program by mistake. Worth a retry."""


class MalformedReply(StudentError):
    """The bytes that came back are not a reply to the request."""

    outcome = "malformed reply"


class TooSlow(StudentError):
    """Right, but far from the speed it should have."""

    outcome = "too slow"


class NotRun(StudentError):
    """Could not be tried because something before it failed, or time ran out."""

    outcome = "not run"


class BadSubmission(StudentError):
    """The submission cannot be read; the message says what was found and what was expected."""

    outcome = "bad submission"


class ConfigurationError(AutograderError):
    """A file of the instructor is wrong.

    Parameters
    ----------
    file, key : str
        Where: the file's name, and the dotted key inside it (may be empty for the whole file).
    problem, remedy : str
        What is wrong there, and what to do about it.
    """

    def __init__(self, file: str, key: str, problem: str, remedy: str) -> None:
        where = f"{file}: {key}" if key else file
        super().__init__(f"{where}: {problem}. {remedy}")
        self.file, self.key, self.problem, self.remedy = file, key, problem, remedy


def together(problems: Iterable[ConfigurationError]) -> ConfigurationError:
    """Return one error for several: the first problem, and the others below its remedy, one per line."""
    first, *others = problems
    return ConfigurationError(first.file, first.key, first.problem, "\n".join([first.remedy, *map(str, others)]))


class GraderFault(AutograderError):
    """A bug in the grader or a broken machine. It must never lead to a grade."""


def forget_frames(error: BaseException | None) -> None:
    """Free what the frames of an exception hold, such as arrays; for one that nobody looks into any more.

    A frame often holds the exception that holds it. Without this, such arrays stay until Python looks for cycles, which
    can be a gigabyte later.
    """
    seen: set[int] = set()
    while error is not None and id(error) not in seen:  # an exception may be its own cause
        seen.add(id(error))
        error.__traceback__ = None
        error = error.__cause__ or error.__context__
