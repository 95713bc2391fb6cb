"""What a worker does once it is locked down: import the student's file, and answer calls until it is killed.

After that import the student's code controls the process, so the grader checks everything that it sends. An object that
is not an array (a cache) stays here, under a number.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import socket
import sys
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING or __package__:
    from autograder.sandbox.worker import counting, hanging, standins, wire
else:  # inside the program, where `-I` leaves only the standard library and this folder to import from
    import counting
    import hanging
    import standins
    import wire

ANY_SIZE = 2**40
MAX_MESSAGE = 1000
"""How many characters of an exception's message are sent. The grader cleans and shortens the text further."""
OURS = ("lockdown", "wire", "seccomp", "landlock", "view", "service", "counting", "standins", "hanging")
"""Modules of this program."""


def serve(connection: socket.socket) -> None:
    """Load the student's file, then answer calls for as long as the grader asks."""
    request, _ = wire.receive(connection, 0)
    functions: dict[str, Any] = {}
    kept: list[_Kept] = []
    directory = request["directory"]
    waiting = hanging.Hanging(connection, directory)
    waiting.nonce = request["nonce"]
    loaded = _load(request, functions)
    asking = standins.Asking(connection)
    for name in request.get("stand_ins", []):
        asking.stand_in(name, functions, directory)
    wire.send(connection, {"nonce": request["nonce"], **loaded})
    last: tuple[list[wire.Array], list[wire.Array]] = [], []
    while True:
        request, arrays = wire.receive(connection, ANY_SIZE)  # from the grader, which is trusted
        if request.get("forget"):
            kept[:] = [(None, [])] * len(kept)  # the numbers stay taken
            wire.send(connection, {"nonce": request["nonce"]})
            continue
        if "look" in request:
            given = [*last[0], *(array for number in request["look"] for array in kept[number][1])]
            wire.send(connection, {"nonce": request["nonce"]}, given)
            continue
        if "again" in request:
            inputs, results = last
            wire.send(connection, {"nonce": request["nonce"]}, [_again(inputs[request["again"]], *arrays), *results])
            continue
        last = [], []
        pause = _Pause(connection, request, waiting)
        asking.nonce = waiting.nonce = request["nonce"]
        body, results = _call(request, arrays, functions, kept, directory, pause)
        wire.send(connection, {"nonce": pause.nonce, **body}, results)
        last = ([], []) if request["parts"] else (arrays, results)


_Kept = tuple[Any, list[wire.Array]]
"""An object that stays here, and the arrays that the call which made it was given."""


class _Pause:
    """Waits before and after a call whose parts are timed, so that the grader can read this process' clock."""

    def __init__(self, connection: socket.socket, request: dict[str, Any], waiting: hanging.Hanging) -> None:
        self.nonce = request["nonce"]
        self._waiting = waiting
        self._connection = connection
        self._needed = request["parts"]

    def __call__(self) -> None:
        if self._needed:
            wire.send(self._connection, {"nonce": self.nonce})
            self.nonce = self._waiting.nonce = wire.receive(self._connection, 0)[0]["nonce"]


def _load(request: dict[str, Any], functions: dict[str, Any]) -> dict[str, Any]:
    """Import the student's file and collect the functions it defines."""
    for ours in OURS:
        sys.modules.pop(ours, None)  # a helper module of the student's may have the same name
    sys.path.insert(0, request["directory"])
    try:
        module = importlib.import_module(request["module"])
        functions.update(
            {name: getattr(module, name) for name in request["functions"] if callable(getattr(module, name, None))}
        )
    except BaseException as error:  # SystemExit and KeyboardInterrupt are the student's as well
        return {"raised": _describe(error, request["directory"])}
    return {"defined": list(functions)}


def _call(
    request: dict[str, Any],
    arrays: list[wire.Array],
    functions: dict[str, Any],
    kept: list[_Kept],
    directory: str,
    pause: Callable[[], None],
) -> tuple[dict[str, Any], list[wire.Array]]:
    """Call one function, with a pause before and after it, and describe what it returned."""
    raised = None
    pause()
    try:
        arguments = [_unpack(value, arrays, kept) for value in request["args"]]
        keywords = {name: _unpack(value, arrays, kept) for name, value in request["kwargs"].items()}
        function = functions[request["function"]]
        if request["count"]:
            function = counting.Counting(function, directory)
        returned = function(*arguments, **keywords)
    except BaseException as error:
        raised = _describe(error, directory)
    pause()
    if raised is not None:
        return {"raised": raised}, []
    names = request["returns"]
    values = [returned] if len(names) == 1 else returned
    if not isinstance(values, (tuple, list)) or len(values) != len(names):
        return {"returned": _kind(returned)}, []
    outgoing: list[wire.Array] = []
    watched = [] if request["parts"] else arrays
    results = [
        _pack(value, name in request["opaque"], outgoing, kept, watched)
        for name, value in zip(names, values, strict=True)
    ]
    body: dict[str, Any] = {"results": results}
    if request["count"]:
        body |= {"steps": function.steps, "objects": function.objects}
    return body, outgoing


def _again(array: wire.Array, content: wire.Array) -> wire.Array:
    """Return an input as the last call has left it, and write `content` over it.

    If a result shares memory with the input, the result changes too.
    """
    after = array.copy()
    with contextlib.suppress(ValueError):  # its shape was changed, which shows
        array.flags.writeable = True
        array[...] = content
    return after


def _unpack(value: dict[str, Any], arrays: list[wire.Array], kept: list[_Kept]) -> Any:
    """Turn one argument of a request into what the student's function gets."""
    ((kind, content),) = value.items()
    if kind == "array":
        return arrays[content]
    if kind == "tuple":
        return tuple(content)
    return kept[content][0] if kind == "handle" else content


def _pack(
    value: Any, opaque: bool, outgoing: list[wire.Array], kept: list[_Kept], watched: list[wire.Array]
) -> dict[str, Any]:
    """Prepare one result for sending: an array, an integer, the number of a kept object, or the name of its type."""
    numpy = sys.modules["numpy"]
    if opaque:
        kept.append((value, watched))
        return {"handle": len(kept) - 1}
    if isinstance(value, numpy.ndarray) and wire.shippable(value):
        outgoing.append(numpy.asarray(value))
        return {"array": len(outgoing) - 1}
    if isinstance(value, (int, numpy.integer)) and not isinstance(value, bool) and abs(int(value)) < 2**62:
        return {"integer": int(value)}
    return {"foreign": _kind(value)}


def _kind(value: Any) -> str:
    """Name what a value is, in words a student knows."""
    if value is None:
        return "None"
    if isinstance(value, (tuple, list)):
        return f"a {type(value).__name__} of {len(value)}"
    if isinstance(value, sys.modules["numpy"].ndarray):
        few = value.ndim <= wire.MAX_DIMENSIONS
        return f"an array of dtype {value.dtype}" if few else f"an array with {value.ndim} axes"
    name = type(value).__name__
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"


def _describe(error: BaseException, directory: str) -> dict[str, Any]:
    """Say what was raised and where in the student's own files; the innermost line of theirs counts."""
    frames = list(_student_frames(error.__traceback__, directory))
    if isinstance(error, SyntaxError) and str(error.filename).startswith(directory):
        frames.append((str(error.filename), error.lineno or 0))
    message = str(error.msg) if isinstance(error, SyntaxError) else str(error)
    described: dict[str, Any] = {"type": type(error).__name__, "message": message[:MAX_MESSAGE]}
    if frames:
        filename, line = frames[-1]
        described.update(file=os.path.relpath(filename, directory), line=line)
    return described


def _student_frames(traceback: TracebackType | None, directory: str) -> Any:
    while traceback is not None:
        filename = traceback.tb_frame.f_code.co_filename
        if filename.startswith(directory):
            yield filename, traceback.tb_lineno
        traceback = traceback.tb_next
