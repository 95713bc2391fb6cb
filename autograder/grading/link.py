"""The link to the worker that runs a student's code: starts it, asks it, ends it, and describes every failure.

If the student's code is at fault, the caller gets a ``StudentError`` in words that a student understands. If the grader
is at fault, it gets a ``GraderFault``.
"""

from __future__ import annotations

import math
import secrets
import select
import signal
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from autograder.core.errors import (
    Crashed,
    Detail,
    GraderFault,
    Killed,
    MalformedReply,
    NotRun,
    OutOfMemory,
    Raised,
    StudentError,
    TimedOut,
    Wrong,
)
from autograder.core.text import clean
from autograder.grading import loops
from autograder.grading.compare import Array
from autograder.grading.session import PATIENCE, Session
from autograder.sandbox.ending import Ending
from autograder.sandbox.launcher import Worker
from autograder.sandbox.worker import wire

HELLO_SECONDS = 30.0
"""How long a worker may take to lock itself down. No student code runs then, so it does not use the student's time."""
SHORTEST_WAIT = 0.01
"""Seconds. If a worker would get back less time than this, it is not looked at again."""
WHERE_SECONDS = 1.0
"""How long a worker may take to say where it hangs. Within NumPy it cannot say."""
REST_SECONDS = 1.0
"""How long the rest of a reply may take if its start came late."""
MIB = 1024 * 1024


@dataclass(frozen=True)
class Request:
    """What a worker is asked.

    Attributes
    ----------
    body : dict
        JSON values.
    deadline : float
        On the ``time.monotonic`` clock.
    doing : str
        In words, for messages.
    function : str or None
        The function that is called; None for what is no call.
    arrays : sequence of ndarray
    cap : int
        Most bytes of arrays in the reply.
    """

    body: dict[str, Any]
    deadline: float
    doing: str
    function: str | None = None
    arrays: Sequence[Array] = ()
    cap: int = 0


class Link:
    """The connection to one worker at a time; after a worker has died, to a new one.

    Parameters
    ----------
    session : Session
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self.worker: Worker | None = None

    def connect(self) -> Worker:
        """Return a worker that has imported the student's file; start one if there is none."""
        if self.worker is None:
            sandbox, directory, reference = self._session.sandbox, self._session.directory, self._session.reference
            self.worker = sandbox.start(directory, reference=reference)
            self.expect_hello(self.worker)
            if not self.worker.can_fork and not reference:
                sandbox.start_ahead(directory)
            try:
                self.load()
            except NotRun:  # the time is up: it has imported nothing
                self.end()
                raise
        return self.worker

    def end(self, died: bool = False) -> Ending | None:
        """End the worker, if there is one; `died` if it has closed its connection."""
        worker, self.worker = self.worker, None
        return worker.stop(died) if worker is not None else None

    def close(self) -> None:
        """End the worker, and do not wait for it."""
        worker, self.worker = self.worker, None
        if worker is not None:
            worker.end()

    def expect_hello(self, worker: Worker) -> None:
        """Read how the worker has locked itself down. No student code has run before that message."""
        try:
            body, _ = wire.receive(worker.connection, 0, time.monotonic() + HELLO_SECONDS)
            self._session.isolation = {**body["lockdown"], "imports": body["imports"]}
        except (wire.WireError, TimeoutError, OSError, KeyError) as error:
            ending = worker.stop(died=True)
            raise GraderFault(f"a worker ended before it was locked down ({error}; it {ending.describe()})") from error
        self._session.guard(self._session.isolation)
        worker.can_fork = self._session.isolation.get("seccomp") != "on"
        if self._session.isolation["imports"] != "on":
            reason = self._session.isolation["imports"]
            raise GraderFault(
                f"a locked-down worker cannot import from the standard library ({reason}); try `make doctor`"
            )

    def load(self) -> None:
        """Have the worker import the student's file."""
        session = self._session
        interface = session.interface
        request = {
            "directory": str(session.directory),
            "module": interface.module,
            "functions": list(interface.functions),
            "stand_ins": list(session.stand_ins.names) if session.stand_ins is not None else [],
        }
        file = f"{interface.module}.py"
        started = time.monotonic()
        deadline = session.deadline(interface.limits.import_seconds)
        body, _ = self.ask(Request(request, deadline, f"importing {file}"))
        session.import_seconds = max(session.import_seconds, time.monotonic() - started)
        if "raised" in body:
            self.end()
            raise self.raised(None, body["raised"])
        defined = body.get("defined")
        if type(defined) is not list:
            self.end()
            raise MalformedReply(f"importing {file} sent a reply that does not list its functions")
        session.defined = tuple(name for name in interface.functions if name in defined)

    def ask(self, request: Request) -> tuple[dict[str, Any], list[Array]]:
        """Send a request and return the reply to it; on anything else end the worker and say whose fault it was."""
        nonce = secrets.token_hex(8)
        who = request.function or request.doing
        worker = self.worker
        assert worker is not None, "there is a worker to ask"
        try:
            if _can_read(worker.connection, 0.0) and worker.connection.recv(1, socket.MSG_PEEK):
                raise wire.WireError("it does not answer the request")
            worker.resume()
            wire.send(worker.connection, {**request.body, "nonce": nonce}, request.arrays, request.deadline)
            body, incoming = self._answered(worker, request, nonce)
            worker.pause()  # work between requests would slow others down, or prepare the next reply
            return body, incoming
        except TimeoutError as error:
            is_last = self._session.is_last(request.deadline)
            where = "" if is_last else self._hung_in(worker, nonce)
            self.end()
            if is_last:
                raise self._session.too_late() from error
            limit = self._limit(request.function)
            raise TimedOut(f"{request.doing} did not return within {limit}{where}", request.function) from error
        except (wire.ConnectionClosed, ConnectionResetError) as error:
            ending = self.end(died=True)
            assert ending is not None
            raise self._died(request, who, ending) from error
        except wire.TooLarge as error:
            self.end()
            raise self._too_large(request, who, error) from error
        except wire.WireError as error:
            self.end()
            raise MalformedReply(f"{who} sent something that is not a reply: {error}", request.function) from error

    def _hung_in(self, worker: Worker, nonce: str) -> str:
        """Ask a worker that does not answer where it hangs; empty if it does not say, or is in no endless loop."""
        worker.ask_where()
        try:
            deadline = self._patient(worker, time.monotonic() + WHERE_SECONDS)
            body, _ = wire.receive(worker.connection, 0, deadline)
        except (wire.WireError, TimeoutError, OSError):
            return ""
        found = loops.hung_in(body.get("inside"), self._session.sources) if body.get("nonce") == nonce else None
        where = self._session.where(*found) if found is not None else ""
        return f" (it was in this loop: {where})" if where else ""

    def _patient(self, worker: Worker, deadline: float) -> float:
        """Wait for the first byte of a reply; return the deadline for the others.

        A worker that waits for a processor, because others use all of them, gets that time back.
        """
        last = time.monotonic() + PATIENCE * (deadline - time.monotonic())
        until = deadline
        while not _can_read(worker.connection, until - time.monotonic()):
            longer = min(last, deadline + worker.waited_seconds())
            if longer - time.monotonic() < SHORTEST_WAIT:
                return until  # has passed
            until = longer
        return max(deadline, time.monotonic() + REST_SECONDS) if until > deadline else deadline

    def _too_large(self, request: Request, who: str, error: wire.TooLarge) -> StudentError:
        """Turn a reply with more bytes than any right one into the error a student reads."""
        if error.total > self._session.interface.limits.memory_mib * MIB:  # more than the process can have
            return MalformedReply(f"{who} sent something that is not a reply: {error}", request.function)
        shapes = " and ".join(map(str, error.shapes))
        what = "an array of shape" if len(error.shapes) == 1 else "arrays of the shapes"
        message = f"{who} returned {what} {shapes}, which is far more than it should"
        return Wrong(message, request.function, {"kind": "shape"}, quoted=shapes)

    def _answered(self, worker: Worker, request: Request, nonce: str) -> tuple[dict[str, Any], list[Array]]:
        """Return the reply to a request; questions that come before it are answered."""
        stand_ins = self._session.stand_ins
        while True:
            deadline = self._patient(worker, request.deadline)
            body, incoming = wire.receive(worker.connection, request.cap, deadline)
            if body.get("nonce") != nonce:
                raise wire.WireError("it does not answer the request")
            if stand_ins is None or "question" not in body:
                return body, incoming
            answer, outgoing = stand_ins.answer(body["question"], incoming)
            wire.send(worker.connection, {**answer, "nonce": nonce}, outgoing, request.deadline)

    def _died(self, request: Request, who: str, ending: Ending) -> StudentError:
        """Turn the way a worker has ended into the error a student reads."""
        if ending.out_of_memory:
            kind = Killed if ending.signal_number == signal.SIGKILL else OutOfMemory
            return self._out_of_memory(who, request.function, kind)
        if ending.out_of_time:
            return TimedOut(f"{request.doing} used up its processor time", request.function)
        return Crashed(f"{request.doing} {ending.describe()}", request.function)

    def _limit(self, function: str | None) -> str:
        interface = self._session.interface
        seconds = interface.limits.import_seconds if function is None else interface.limits.call_seconds
        return f"{seconds:g} s"

    def _out_of_memory(self, who: str, function: str | None, kind: type[OutOfMemory] = OutOfMemory) -> OutOfMemory:
        limit = self._session.interface.limits.memory_mib
        return kind(f"{who} ran out of memory; the limit is {limit} MiB", function)

    def raised(self, function: str | None, described: object, doing: str = "") -> StudentError:
        """Turn what the worker says of an exception into the error a student reads."""
        facts = described if isinstance(described, dict) else {}
        kind = clean(str(facts.get("type", "")), 60) or "an exception"
        if kind == "MemoryError":
            return self._out_of_memory(function or "importing the file", function)
        message = clean(str(facts.get("message", "")))
        quoted = f"{kind}: {message}" if message else kind
        where = self._session.where(facts.get("file"), facts.get("line"))
        advice = self._session.advice(kind, message, facts.get("file"), facts.get("line"))
        text = (f"{doing} raised " if function else "") + quoted + (f" ({where})" if where else "")
        text += f". {advice}" if advice else ""
        detail: Detail = {"exception": kind}
        if where:
            detail["line"] = where.split(":")[0]
        return Raised(text, function, detail, quoted)


def _can_read(connection: socket.socket, seconds: float) -> bool:
    """Whether something can be read, now or soon. Asked with poll: select fails from descriptor 1024 on."""
    poll = select.poll()
    poll.register(connection, select.POLLIN)
    return bool(poll.poll(math.ceil(1000 * max(0.0, seconds))))
