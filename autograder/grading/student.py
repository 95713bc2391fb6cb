"""The proxy: a student's functions as a test sees them, with the worker behind them.

``student.im2col(x, (2, 2))`` ships the arrays to a worker and brings fresh base-class arrays back. Whatever can go
wrong on the way is the student's fault and ends in a ``StudentError`` that says so in words that a student understands;
what is our fault ends in a ``GraderFault``. It must not know: tests, points, expected values.
"""

from __future__ import annotations

import contextlib
import itertools
import math
import operator
import re
import secrets
import select
import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from autograder.core.errors import (
    Crashed,
    GraderFault,
    MalformedReply,
    NotRun,
    OutOfMemory,
    Raised,
    StudentError,
    TimedOut,
    Wrong,
)
from autograder.core.text import clean
from autograder.grading.compare import Array, Foreign
from autograder.sandbox.launcher import Sandbox, Worker
from autograder.sandbox.worker import wire

HELLO_SECONDS = 30.0
"""How long a worker may take to lock itself down, before any code of the student's runs: our time, not theirs."""
MIB = 1024 * 1024
SLOW_IMPORT_SECONDS = 2.0
"""An import that takes longer than this is mentioned to the student."""

_DEFINITION = re.compile(r"\s*(?:async\s+)?def\s+([^\W\d]\w*)")
"""A line that defines a function."""

IMPORTABLE = "What can be imported is Python's standard library, NumPy, and the files that were handed in"
"""What a student is told about a module that was not found."""


@dataclass(frozen=True)
class Interface:
    """The functions a student implements, and the bounds on calling them.

    Attributes
    ----------
    module : str
        The module's name, without ``.py``.
    functions : mapping of str to sequence of str
        What each function returns, by name.
    opaque : frozenset of str
        The results that stay in the worker.
    parameters : mapping of str to sequence of str
        What each function takes, by name, to say a call in words; positions do where a function is not in it.
    """

    module: str
    functions: Mapping[str, Sequence[str]]
    opaque: frozenset[str]
    call_seconds: float
    import_seconds: float
    submission_seconds: float
    memory_mib: int
    reply_mib: int
    parameters: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Handle:
    """An object that stays in the worker; good for the worker that made it, and for no other."""

    worker: int
    number: int


@dataclass(frozen=True)
class Seconds:
    """The processor time that one call took in the worker, part by part.

    Attributes
    ----------
    receive, call, send : float
        To receive the arguments, to run the function, to send the results.
    """

    receive: float
    call: float
    send: float

    @property
    def copying(self) -> float:
        """What it took to get arrays there and back."""
        return self.receive + self.send


@dataclass(frozen=True)
class Count:
    """What a worker has counted during one call; its word.

    Attributes
    ----------
    steps : dict of str to int
        Python steps, by function of the student's.
    objects : int
        Most Python objects that existed at one time, beside those from before.
    """

    steps: dict[str, int]
    objects: int


@dataclass(frozen=True)
class Call:
    """One call that came back.

    Attributes
    ----------
    function : str
    args : tuple
    kwargs : dict
    names : tuple of str
        What the results are called.
    results : tuple
        An ``ndarray``, an ``int``, a ``Handle`` or a ``Foreign`` each.
    inputs_after : tuple of ndarray
        The input arrays as the call left them; only for an inspected call.
    shares : tuple of tuple of bool
        Whether each array that came back shares memory with each input array; only for an inspected call.
    """

    function: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    names: tuple[str, ...]
    results: tuple[Any, ...]
    inputs_after: tuple[Array, ...] = ()
    shares: tuple[tuple[bool, ...], ...] = ()

    @property
    def inputs(self) -> tuple[Array, ...]:
        """The input arrays, in the order in which they were given."""
        return tuple(value for value in (*self.args, *self.kwargs.values()) if isinstance(value, np.ndarray))


class Submission:
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
    guard : callable, optional
        Told how a worker has locked itself down before it runs any code of the student's; raises to keep it from that.
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
    ) -> None:
        self.sandbox = sandbox
        self.directory = directory
        self.interface = interface
        self.guard = guard
        self.reference = reference
        self.sources = {
            file: (directory / file).read_text(encoding="utf-8", errors="replace").splitlines() for file in files
        }
        self.names = frozenset(
            match[1] for lines in self.sources.values() for line in lines if (match := _DEFINITION.match(line))
        )
        self.defined: tuple[str, ...] = ()
        self.failure: StudentError | None = None
        self.unusable = ""
        self.import_seconds = 0.0
        self.isolation: dict[str, str] = {}
        self.hung: set[str] = set()
        self._deadline = math.inf

    def start_clock(self) -> None:
        """Start the submission's total time; before this it has not begun."""
        self._deadline = time.monotonic() + self.interface.submission_seconds

    def deadline(self, seconds: float) -> float:
        """Return when something that may take `seconds` must have ended, on the ``time.monotonic`` clock."""
        self.refuse_when_late()
        return min(time.monotonic() + seconds, self._deadline)

    def refuse_when_late(self) -> None:
        """Raise NotRun when the submission's total time is used up."""
        if time.monotonic() >= self._deadline:
            raise NotRun(f"the {self.interface.submission_seconds:g} s for the whole submission were used up")

    def preflight(self) -> None:
        """Import the file once and remember what it defines, or why it cannot be imported."""
        student = Student(self)
        try:
            student.connect()
        except StudentError as failure:
            self.give_up(failure, f"{self.interface.module}.py could not be imported")
        finally:
            student.close()

    def give_up(self, failure: StudentError, reason: str) -> None:
        """Let no test call anything: `failure` is the story, `reason` what every test says of it."""
        self.failure, self.unusable = failure, reason

    def require(self, function: str) -> None:
        """Raise the StudentError that makes calling `function` pointless, if there is one."""
        if self.failure is not None:
            raise NotRun(self.unusable)
        if function not in self.defined:
            raise Wrong(f"{function} is not defined in {self.interface.module}.py", function, {"kind": "undefined"})
        if function in self.hung:
            limit = f"{self.interface.call_seconds:g} s"  # and not of which call: its test may be a hidden one
            raise TimedOut(f"{function} was not called again: before, it did not return within {limit}", function)

    def where(self, file: object, line: object) -> str:
        """Return a line of the student's own files in words; empty for any other file, whatever the worker says."""
        if not isinstance(file, str) or file not in self.sources or type(line) is not int:
            return ""
        lines = self.sources[file]
        if not 0 < line <= len(lines) + 1:  # a syntax error may stand just behind the end
            return ""
        source = clean("".join(lines[line - 1 : line]), 120)
        repeated = source.startswith("raise ")  # the exception has just been named
        return f"{clean(file, 60)}, line {line}" + (f": {source}" if source and not repeated else "")


class Student:
    """A student's functions, served by one worker; by a new one after a death.

    Attribute access gives one function of the interface: ``student.im2col(x, (2, 2), stride=1)``.
    """

    def __init__(self, submission: Submission) -> None:
        self._submission = submission
        self._worker: Worker | None = None
        self.calls: list[Call] = []
        self._last_mark: tuple[int, float] | None = None

    @property
    def names(self) -> frozenset[str]:
        """The functions that the student's files define, whatever the worker says."""
        return self._submission.names

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name not in self._submission.interface.functions:
            raise AttributeError(f"the assignment has no function {name!r}")

        def function(*args: Any, **kwargs: Any) -> Any:
            return _unwrapped(self._call(name, args, kwargs)[0])

        return function

    def inspect(self, name: str, *args: Any, **kwargs: Any) -> Call:
        """Call a function, and bring back what the call did to its inputs as well."""
        return self._call(name, args, kwargs, inspect=True)[0]

    def counted(self, name: str, *args: Any, **kwargs: Any) -> tuple[Any, Count]:
        """Call a function; return its results, and what its worker has counted meanwhile."""
        self._submission.hung.discard(name)  # with small inputs it may return
        call, body = self._call(name, args, kwargs, count=True)
        return _unwrapped(call), _count(body)

    def timed(self, name: str, *args: Any, **kwargs: Any) -> tuple[Any, Seconds]:
        """Call a function; return its results, and the processor time of each part of the call."""
        worker = self.connect()
        # What the worker has done since the last timed call, and before it forgot that, was for this one.
        pid, last = self._last_mark or (0, 0.0)
        marks = [last if pid == worker.pid else worker.cpu_seconds()]
        call, _ = self._call(name, args, kwargs, mark=lambda: marks.append(worker.cpu_seconds()))
        try:
            marks.append(worker.cpu_seconds())
        except ProcessLookupError as gone:
            raise Crashed("the Python process ended right after its reply", name) from gone
        self._last_mark = worker.pid, marks[-1]
        receive, called, sent = (after - before for before, after in itertools.pairwise(marks))
        return _unwrapped(call), Seconds(receive, called, sent)

    @contextlib.contextmanager
    def stopped(self) -> Iterator[None]:
        """Keep the worker from running meanwhile: what it did would slow down others, or be for the next call."""
        worker = self._worker
        if worker is not None:
            worker.pause()
        try:
            yield
        finally:
            if worker is not None:
                worker.resume()

    def forget(self) -> None:
        """Have the worker drop the objects that it keeps for handles: the memory of many large calls adds up."""
        self._last_mark = None
        if self._worker is not None:
            deadline = self._submission.deadline(self._submission.interface.call_seconds)
            self._exchange(self._worker, {"forget": True}, [], deadline, 0, None, "freeing the caches")
        self.calls.clear()

    def origin(self, array: object) -> Call | None:
        """Return the call that produced `array`."""
        return next((call for call in reversed(self.calls) if any(array is result for result in call.results)), None)

    def connect(self) -> Worker:
        """Return a worker that has imported the student's file; start one if there is none."""
        if self._worker is None:
            submission = self._submission
            self._worker = submission.sandbox.start(submission.directory, reference=submission.reference)
            self._expect_hello(self._worker)
            self._load(self._worker)
        return self._worker

    def close(self) -> None:
        """End the worker."""
        self._bury(died=False)
        self.calls.clear()

    # --- one call ---

    def _call(
        self,
        name: str,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        inspect: bool = False,
        count: bool = False,
        mark: Callable[[], None] | None = None,
    ) -> tuple[Call, dict[str, Any]]:
        """Make a call; with `mark`, have it called when the arguments are there and when the function has returned."""
        submission = self._submission
        submission.require(name)
        worker = self.connect()
        arrays: list[Array] = []
        returns = tuple(submission.interface.functions[name])
        cap = submission.interface.reply_mib * MIB
        request = {
            "function": name,
            "args": [self._pack(value, arrays) for value in args],
            "kwargs": {key: self._pack(value, arrays) for key, value in kwargs.items()},
            "returns": returns,
            "opaque": [result for result in returns if result in submission.interface.opaque],
            "inspect": inspect,
            "count": count,
            "parts": mark is not None,
        }
        doing = _in_words(name, args, kwargs, submission.interface.parameters.get(name, ()))
        try:
            deadline = submission.deadline(submission.interface.call_seconds)
            body, incoming = self._exchange(worker, request, arrays, deadline, cap, name, doing)
            for next_part in (mark, mark):
                if next_part is not None:
                    next_part()
                    body, incoming = self._exchange(worker, {}, [], deadline, cap, name, doing)
        except TimedOut:
            submission.hung.add(name)
            raise
        except ProcessLookupError as gone:
            raise Crashed("the Python process ended right after its reply", name) from gone
        if "raised" in body:
            raise self._raised(name, body["raised"], doing)
        if "returned" in body:
            wanted, got = f"({', '.join(returns)})", _kind(body["returned"])
            raise Wrong(f"{name} returned {got}, but should return {wanted}", name, {"kind": "results"}, quoted=got)
        call = self._understand(worker, name, args, kwargs, returns, body, incoming, inspect)
        self.calls.append(call)
        return call, body

    def _understand(
        self,
        worker: Worker,
        name: str,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        returns: tuple[str, ...],
        body: dict[str, Any],
        incoming: list[Array],
        inspect: bool,
    ) -> Call:
        """Turn a reply into a Call, believing none of it."""
        try:
            packed = body["results"]
            if type(packed) is not list or len(packed) != len(returns):
                raise ValueError("the number of results")
            count = sum("array" in result for result in packed)
            results = tuple(_unpack(result, incoming[:count], worker.pid) for result in packed)
            kept = [name for name, result in zip(returns, results, strict=True) if isinstance(result, Handle)]
            if kept != [name for name in returns if name in self._submission.interface.opaque]:
                raise ValueError("which results stay in the worker")
            call = Call(name, args, kwargs, returns, results)
            if inspect:
                rows = tuple(tuple(cell is True for cell in row) for row in body["shares"])
                call = Call(name, args, kwargs, returns, results, tuple(incoming[count:]), rows)
                if len(call.inputs_after) != len(call.inputs) or len(rows) != count:
                    raise ValueError("the number of arrays")
        except (AttributeError, KeyError, IndexError, TypeError, ValueError) as error:
            self._bury(died=False)
            raise MalformedReply(f"{name} sent a reply that does not describe its results", name) from error
        return call

    def _pack(self, value: Any, arrays: list[Array]) -> dict[str, Any]:
        """Turn one argument into what travels."""
        if isinstance(value, np.ndarray):
            arrays.append(value)
            return {"array": len(arrays) - 1}
        if isinstance(value, tuple):
            return {"tuple": [int(n) for n in value]}
        if isinstance(value, Handle):
            if self._worker is None or value.worker != self._worker.pid:
                raise NotRun("the cache was lost with the process that held it")
            return {"handle": value.number}
        if isinstance(value, Foreign):
            raise NotRun(f"an argument is {value}, but should be an array")
        return {"value": operator.index(value)}

    # --- the worker behind it ---

    def _expect_hello(self, worker: Worker) -> None:
        """Read how the worker has locked itself down; until it has said so nothing of the student's has run."""
        try:
            body, _ = wire.receive(worker.connection, 0, time.monotonic() + HELLO_SECONDS)
            self._submission.isolation = {**body["lockdown"], "imports": body["imports"]}
        except (wire.WireError, TimeoutError, OSError, KeyError) as error:
            ending = worker.stop(died=True)
            raise GraderFault(f"a worker ended before it was locked down ({error}; it {ending.describe()})") from error
        self._submission.guard(self._submission.isolation)
        worker.can_fork = self._submission.isolation.get("seccomp") != "on"
        if self._submission.isolation["imports"] != "on":
            reason = self._submission.isolation["imports"]
            raise GraderFault(
                f"a locked-down worker cannot import from the standard library ({reason}); try `make doctor`"
            )

    def _load(self, worker: Worker) -> None:
        """Have the worker import the student's file."""
        submission = self._submission
        interface = submission.interface
        request = {
            "directory": str(submission.directory),
            "module": interface.module,
            "functions": list(interface.functions),
        }
        file = f"{interface.module}.py"
        started = time.monotonic()
        deadline = submission.deadline(interface.import_seconds)
        body, _ = self._exchange(worker, request, [], deadline, 0, None, f"importing {file}")
        submission.import_seconds = max(submission.import_seconds, time.monotonic() - started)
        if "raised" in body:
            self._bury(died=False)
            raise self._raised(None, body["raised"])
        defined = body.get("defined")
        if type(defined) is not list:
            self._bury(died=False)
            raise MalformedReply(f"importing {file} sent a reply that does not list its functions")
        submission.defined = tuple(name for name in interface.functions if name in defined)

    def _exchange(
        self,
        worker: Worker,
        request: dict[str, Any],
        arrays: list[Array],
        deadline: float,
        cap: int,
        function: str | None,
        doing: str,
    ) -> tuple[dict[str, Any], list[Array]]:
        """Send a request and return the reply to it; on anything else end the worker and say whose fault it was."""
        nonce = secrets.token_hex(8)
        who = function or doing
        try:
            if _pending(worker.connection):
                raise wire.WireError("it came before the request")
            wire.send(worker.connection, {**request, "nonce": nonce}, arrays, deadline)
            body, incoming = wire.receive(worker.connection, cap, deadline)
            if body.get("nonce") != nonce:
                raise wire.WireError("it does not answer the request")
            return body, incoming
        except TimeoutError as error:
            self._bury(died=False)
            self._submission.refuse_when_late()
            raise TimedOut(f"{doing} did not return within {self._limit(function)}", function) from error
        except (wire.ConnectionClosed, ConnectionResetError) as error:
            ending = self._bury(died=True)
            if ending.out_of_memory:
                raise self._out_of_memory(who, function) from error
            if ending.out_of_time:
                raise TimedOut(f"{doing} used up its processor time", function) from error
            raise Crashed(f"{doing} {ending.describe()}", function) from error
        except wire.WireError as error:
            self._bury(died=False)
            raise MalformedReply(f"{who} sent something that is not a reply: {error}", function) from error

    def _bury(self, died: bool) -> Any:
        worker, self._worker = self._worker, None
        return worker.stop(died) if worker is not None else None

    # --- words ---

    def _limit(self, function: str | None) -> str:
        interface = self._submission.interface
        seconds = interface.import_seconds if function is None else interface.call_seconds
        return f"{seconds:g} s"

    def _out_of_memory(self, who: str, function: str | None) -> OutOfMemory:
        limit = self._submission.interface.memory_mib
        return OutOfMemory(f"{who} ran out of memory; the limit is {limit} MiB", function)

    def _raised(self, function: str | None, described: object, doing: str = "") -> StudentError:
        """Turn what the worker says of an exception into the error a student reads."""
        facts = described if isinstance(described, dict) else {}
        kind = clean(str(facts.get("type", "")), 60) or "an exception"
        if kind == "MemoryError":
            return self._out_of_memory(function or "importing the file", function)
        message = clean(str(facts.get("message", "")))
        quoted = f"{kind}: {message}" if message else kind
        advice = f". {IMPORTABLE}" if kind == "ModuleNotFoundError" else ""
        where = self._submission.where(facts.get("file"), facts.get("line"))
        text = (f"{doing} raised " if function else "") + quoted + (f" ({where})" if where else "") + advice
        detail: dict[str, object] = {"exception": kind}
        if where:
            detail["line"] = where.split(":")[0]
        return Raised(text, function, detail, quoted)


def _in_words(name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any], parameters: Sequence[str]) -> str:
    """Say a call by the sizes of its arguments: ``conv2d_backward(dout (2,3,4,4), cache)``.

    Where numbers are all that a function is given they are its inputs, and not shown.
    """
    names = [*parameters[: len(args)], *[""] * (len(args) - len(parameters))]
    given = [*zip(names, args, strict=True), *kwargs.items()]
    if all(isinstance(value, int) for _, value in given) and all(names):
        return f"{name}({', '.join(label for label, _ in given)})"
    return f"{name}({', '.join(_shown(value, label) for label, value in given)})"


def _shown(value: Any, label: str) -> str:
    """Show an argument by its size, with its name if that is known."""
    if isinstance(value, np.ndarray):
        return f"{label or 'array'} ({','.join(map(str, value.shape))})"
    if isinstance(value, Handle):
        return "cache"
    text = str(value).replace(" ", "")
    return f"{label}={text}" if label else text


def _pending(connection: socket.socket) -> bool:
    """Whether something can be read already. Asked with poll: select fails from descriptor 1024 on."""
    poll = select.poll()
    poll.register(connection, select.POLLIN)
    return bool(poll.poll(0)) and bool(connection.recv(1, socket.MSG_PEEK))


def _unwrapped(call: Call) -> Any:
    return call.results[0] if len(call.results) == 1 else call.results


def _kind(value: object) -> str:
    return clean(str(value), 80) or "something without a name"


def _count(body: dict[str, Any]) -> Count:
    """Return what a reply has counted, where it looks like a count."""
    told, objects = body.get("steps"), body.get("objects")
    items = told.items() if type(told) is dict else ()
    steps = {clean(name, 60): steps for name, steps in items if type(steps) is int and steps >= 0}
    return Count(steps, objects if type(objects) is int else 0)


def _unpack(result: dict[str, Any], incoming: list[Array], worker: int) -> Any:
    ((kind, content),) = result.items()
    if kind == "array":
        if type(content) is not int or content < 0:
            raise ValueError("the number of an array")
        return incoming[content]
    if kind == "integer" and type(content) is int:
        return content
    if kind == "handle" and type(content) is int:
        return Handle(worker, content)
    if kind == "foreign":
        return Foreign(_kind(content))
    raise ValueError("the kind of a result")
