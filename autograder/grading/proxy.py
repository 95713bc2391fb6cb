"""The proxy: a student's functions as a test sees them.

``student.softmax(x, axis=1)`` sends the arrays to a worker and returns new base-class arrays.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from autograder.core.errors import Crashed, Killed, MalformedReply, StudentError, TimedOut, Wrong
from autograder.grading.calls import Call, Count, Handle, Seconds, counted, in_words, labels, named, pack, unpack
from autograder.grading.compare import Array
from autograder.grading.link import MIB, Link, Request
from autograder.grading.session import Session
from autograder.sandbox.launcher import Worker

LEAST_ROOM = MIB
"""Bytes of results that every call may return, even with small inputs."""
ROOM = 16
"""A call may return this many times the bytes that the worker was given. Right results are much smaller."""


class Proxy:
    """A student's functions, run by one worker; after it has died, by a new one.

    Attribute access gives one function of the interface: ``student.softmax(x, axis=1)``.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._link = Link(session)
        self.calls: list[Call] = []
        self.failed: Call | None = None  # the last call that raised
        self._last_mark: tuple[int, float] | None = None
        self._most_given = 0

    @property
    def names(self) -> frozenset[str]:
        """The functions that the student's files define, whatever the worker says."""
        return self._session.names

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name not in self._session.interface.functions:
            raise AttributeError(f"the assignment has no function {name!r}")

        def function(*args: Any, **kwargs: Any) -> Any:
            return self._call(name, args, kwargs)[0].returned

        return function

    def watch(self, name: str, *args: Any, **kwargs: Any) -> Call:
        """Call a function, and bring back its inputs as the call has left them.

        If an argument is a cache that a watched call made, the inputs of that call are brought back as well.
        """
        call = self._call(name, args, kwargs)[0]
        handles = [value for value in (*args, *kwargs.values()) if isinstance(value, Handle)]
        made = {result: one for one in self.calls for result in one.results if isinstance(result, Handle)}
        # An inspected call has no inputs left to look at.
        earlier = [made[handle] for handle in handles if handle in made and made[handle].inputs_after]
        earlier = [one for one in earlier if not one.shares]
        numbers = [result.number for one in earlier for result in one.results if isinstance(result, Handle)]
        watched = [*call.own, *(array for one in earlier for array in one.own)]
        deadline = self._session.deadline(self._session.interface.limits.call_seconds)
        cap = max(2 * sum(array.nbytes for array in watched), LEAST_ROOM)
        _, after = self._link.ask(Request({"look": numbers}, deadline, f"{name}, afterwards,", name, [], cap))
        if len(after) != len(watched):
            self._link.end()
            raise MalformedReply(f"{name} sent a reply that does not describe its results", name)
        call = dataclasses.replace(call, inputs_after=tuple(after), earlier=tuple(earlier))
        self.calls[-1] = dataclasses.replace(call, labels=labels(call, self._session.interface.parameters))
        return self.calls[-1]

    def inspect(self, name: str, *args: Any, **kwargs: Any) -> Call:
        """Watch a call, and look whether its results share memory with its inputs.

        Every bit of each input is flipped; a result that changes with an input shares its memory. The worker is told
        only after the call, so student code cannot prepare for it.
        """
        call = self.watch(name, *args, **kwargs)
        before = [result for result in call.results if isinstance(result, np.ndarray)]
        shares: list[list[bool]] = [[] for _ in before]
        for number, array in enumerate(call.own):
            _, *results = self._again(name, number, array, before)
            for row, one, other in zip(shares, before, results, strict=True):
                row.append(_bits(one) != _bits(other))
            before = results
        self.calls[-1] = dataclasses.replace(call, shares=tuple(map(tuple, shares)))
        return self.calls[-1]

    def _again(self, name: str, number: int, array: Array, results: list[Array]) -> list[Array]:
        """Return an input as the last call has left it, and the call's results once every bit of it is turned."""
        turned = np.invert(np.frombuffer(array.tobytes(), np.uint8)).view(array.dtype).reshape(array.shape)
        deadline = self._session.deadline(self._session.interface.limits.call_seconds)
        cap = 2 * sum(each.nbytes for each in (array, *results))
        _, incoming = self._link.ask(
            Request({"again": number}, deadline, f"{name}, afterwards,", name, [turned], max(cap, LEAST_ROOM))
        )
        if len(incoming) != 1 + len(results):
            self._link.end()
            raise MalformedReply(f"{name} sent a reply that does not describe its results", name)
        return incoming

    def counted(self, name: str, *args: Any, **kwargs: Any) -> tuple[Any, Count]:
        """Call a function; return its results, and what its worker has counted meanwhile."""
        self._session.hung.discard(name)  # with small inputs it may return
        call, body = self._call(name, args, kwargs, count=True)
        return call.returned, counted(body)

    def timed(self, name: str, *args: Any, **kwargs: Any) -> tuple[Any, Seconds]:
        """Call a function; return its results, and the processor time of each part of the call."""
        worker = self.connect()
        # Work of the worker between the last timed call and this one may have been for this one.
        pid, last = self._last_mark or (0, 0.0)
        marks = [last if pid == worker.pid else worker.cpu_seconds()]
        call, _ = self._call(name, args, kwargs, mark=lambda: marks.append(worker.cpu_seconds()))
        try:
            marks.append(worker.cpu_seconds())
        except ProcessLookupError as gone:
            raise Crashed("the Python process ended right after its reply", name) from gone
        self._last_mark = worker.pid, marks[-1]
        receive, called, sent = (after - before for before, after in itertools.pairwise(marks))
        return call.returned, Seconds(receive, called, sent)

    def forget(self) -> None:
        """Have the worker drop the objects that it keeps for handles: the memory of many large calls adds up."""
        self._last_mark = None
        if self._link.worker is not None:
            deadline = self._session.deadline(self._session.interface.limits.call_seconds)
            self._link.ask(Request({"forget": True}, deadline, "freeing the caches"))
        self.calls.clear()

    def origin(self, array: object) -> Call | None:
        """Return the call that produced `array`."""
        return next((call for call in reversed(self.calls) if any(array is result for result in call.results)), None)

    def connect(self) -> Worker:
        """Return a worker that has imported the student's file; start one if there is none."""
        return self._link.connect()

    @property
    def lives(self) -> bool:
        """Whether there is a worker now: it has answered the last request."""
        return self._link.worker is not None

    def close(self) -> None:
        """End the worker, and do not wait for it."""
        self._link.close()
        self.calls.clear()

    # --- one call ---

    def _call(
        self,
        name: str,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        mark: Callable[[], None] | None = None,
        count: bool = False,
    ) -> tuple[Call, dict[str, Any]]:
        """Make a call and return it with the worker's reply.

        With `mark`, have that called when the arguments are there, and again when the function has returned; with
        `count`, have the steps counted.
        """
        session = self._session
        session.require(name)
        worker = self.connect()
        arrays: list[Array] = []
        returns = tuple(session.interface.functions[name])
        body: dict[str, Any] = {
            "function": name,
            "args": [pack(value, arrays, worker.pid) for value in args],
            "kwargs": {key: pack(value, arrays, worker.pid) for key, value in kwargs.items()},
            "returns": returns,
            "opaque": [result for result in returns if result in session.interface.opaque],
            "count": count,
            "parts": mark is not None,
        }
        doing = in_words(name, args, kwargs, session.interface.parameters.get(name, ()))
        deadline = session.deadline(session.interface.limits.call_seconds)
        request = Request(body, deadline, doing, name, arrays, self._room(args, kwargs))
        reply, incoming = self._ask_in_parts(request, mark)
        if "raised" in reply:
            self.failed = Call(name, args, kwargs, returns, ())
            raise self._link.raised(name, reply["raised"], doing)
        if "returned" in reply:
            wanted, got = f"({', '.join(returns)})", named(reply["returned"])
            raise Wrong(f"{name} returned {got}, but should return {wanted}", name, {"kind": "results"}, quoted=got)
        call = self._understand(Call(name, args, kwargs, returns, ()), reply, incoming, worker.pid)
        self.calls.append(call)
        return call, reply

    def _ask_in_parts(self, request: Request, mark: Callable[[], None] | None) -> tuple[dict[str, Any], list[Array]]:
        """Ask the worker; with `mark`, go on from part to part after it was called."""
        try:
            answer = self._link.ask(request)
            for next_part in (mark, mark):
                if next_part is not None:
                    next_part()
                    answer = self._link.ask(dataclasses.replace(request, body={}, arrays=()))
            return answer
        except TimedOut:
            self._session.hung.add(request.function or "")
            raise
        except ProcessLookupError as gone:
            raise Crashed("the Python process ended right after its reply", request.function) from gone

    def _room(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> int:
        """Return how many bytes of arrays a call may return.

        That is a multiple of what this worker was given in the largest call, and together with the results that are
        still held no more than ``limits.reply_mib``.
        """
        given = (*args, *kwargs.values())
        size = sum(value.nbytes for value in given if isinstance(value, np.ndarray))
        size += sum(8 * math.prod(map(int, value)) for value in given if isinstance(value, tuple))  # such as x_shape
        self._most_given = max(self._most_given, size)
        held = sum(result.nbytes for call in self.calls for result in call.results if isinstance(result, np.ndarray))
        most = self._session.interface.limits.reply_mib * MIB
        return max(0, min(most - held, max(LEAST_ROOM, ROOM * self._most_given)))

    def _understand(self, call: Call, reply: dict[str, Any], incoming: list[Array], worker: int) -> Call:
        """Return the call with what a reply says of its results, believing none of it."""
        try:
            packed = reply["results"]
            if type(packed) is not list or len(packed) != len(call.names):
                raise ValueError("the number of results")
            if sum("array" in result for result in packed) != len(incoming):
                raise ValueError("the number of arrays")
            results = tuple(unpack(result, incoming, worker) for result in packed)
            kept = [name for name, result in zip(call.names, results, strict=True) if isinstance(result, Handle)]
            if kept != [name for name in call.names if name in self._session.interface.opaque]:
                raise ValueError("which results stay in the worker")
        except (AttributeError, KeyError, IndexError, TypeError, ValueError) as error:
            self._link.end()
            said = f"{call.function} sent a reply that does not describe its results"
            raise MalformedReply(said, call.function) from error
        return dataclasses.replace(call, results=results)


def _bits(array: Array) -> tuple[object, ...]:
    """Return a key that is equal for arrays that are equal bit for bit: NaN equals NaN, 0 differs from -0."""
    return array.shape, array.dtype, array.tobytes()


class AtHome:
    """A student's functions as a public test finds them at home: the test sees how a call changes its arrays.

    Parameters
    ----------
    student : Proxy
    """

    def __init__(self, student: Proxy) -> None:
        self._student = student
        self._given: dict[int, tuple[Call, list[Array]]] = {}

    def __getattr__(self, name: str) -> Callable[..., Any]:
        getattr(self._student, name)  # is there such a function?

        def function(*args: Any, **kwargs: Any) -> Any:
            # The calls are kept for the diagnosis, which has to know what the arrays were before.
            copies = [_copied(value) for value in args]
            call = self._student.watch(name, *copies, **{key: _copied(value) for key, value in kwargs.items()})
            arrays = [value for value in (*args, *kwargs.values()) if isinstance(value, np.ndarray)]
            self._given[id(call)] = call, arrays
            arrays = arrays + [array for one in call.earlier for array in self._given[id(one)][1]]
            for array, after in zip(arrays, call.inputs_after, strict=True):
                _overwrite(array, after)
            return call.returned

        return function


def _copied(value: Any) -> Any:
    return value.copy("K") if isinstance(value, np.ndarray) else value


def _overwrite(array: Array, after: Array) -> None:
    """Give an array the content that it has in the worker now; its size cannot change."""
    if array.dtype == after.dtype and array.size == after.size:
        if array.shape != after.shape:
            array.shape = after.shape
        if array.tobytes() != after.tobytes():
            array[...] = after


def preflight(session: Session) -> None:
    """Import the file once and remember what it defines, or why it cannot be imported."""
    proxy = Proxy(session)
    try:
        try:
            proxy.connect()
        except Killed:
            proxy.connect()
    except StudentError as failure:
        session.give_up(failure, f"{session.interface.module}.py could not be imported")
    finally:
        proxy.close()
