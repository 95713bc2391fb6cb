"""One call of a student's function: what goes to the worker, what comes back, and the call in words."""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograder.core.errors import NotRun
from autograder.core.text import clean
from autograder.grading.compare import Array, Foreign


@dataclass(frozen=True)
class Handle:
    """An object that stays in the worker. Only the worker that made it can use it."""

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
        """The time that it took to copy arrays to the worker and back."""
        return self.receive + self.send


@dataclass(frozen=True)
class Count:
    """What a worker has counted during one call. The grader cannot check it.

    Attributes
    ----------
    steps : dict of str to int
        Python steps of each of the student's functions.
    objects : int
        The largest number of Python objects that existed at one time, without those that existed before.
    """

    steps: dict[str, int]
    objects: int


@dataclass(frozen=True)
class Call:
    """One call that returned.

    Attributes
    ----------
    function : str
    args : tuple
    kwargs : dict
    names : tuple of str
        What the results are called.
    results : tuple
        Each is an ``ndarray``, an ``int``, a ``Handle`` or a ``Foreign``.
    inputs_after : tuple of ndarray
        All of `inputs` as the call left them; only for a watched or an inspected call.
    shares : tuple of tuple of bool
        Whether each array that came back shares memory with each of its `own`; only for an inspected call.
    earlier : tuple of Call
        The watched calls that made the handles among the arguments; only for a watched or an inspected call.
    labels : tuple of str
        What `inputs` are called; empty where that is not known.
    """

    function: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    names: tuple[str, ...]
    results: tuple[Any, ...]
    inputs_after: tuple[Array, ...] = ()
    shares: tuple[tuple[bool, ...], ...] = ()
    earlier: tuple[Call, ...] = ()
    labels: tuple[str, ...] = ()

    @property
    def returned(self) -> Any:
        """What a caller gets: the result, or all of them if there are several."""
        return self.results[0] if len(self.results) == 1 else self.results

    @property
    def own(self) -> tuple[Array, ...]:
        """The arrays it was given, in order."""
        return tuple(value for value in (*self.args, *self.kwargs.values()) if isinstance(value, np.ndarray))

    @property
    def inputs(self) -> tuple[Array, ...]:
        """Its own arrays, then those of earlier calls as they left them: a cache may hold them."""
        return (*self.own, *(array for call in self.earlier for array in call.inputs_after[: len(call.own)]))


def pack(value: Any, arrays: list[Array], worker: int) -> dict[str, Any]:
    """Turn one argument into what travels to the worker with this process id; arrays are added to `arrays`."""
    if isinstance(value, np.ndarray):
        arrays.append(value)
        return {"array": len(arrays) - 1}
    if isinstance(value, tuple):
        return {"tuple": [int(n) for n in value]}
    if isinstance(value, Handle):
        if value.worker != worker:
            raise NotRun("the cache was lost with the process that held it")
        return {"handle": value.number}
    if isinstance(value, Foreign):
        raise NotRun(f"an argument is {value}, but should be an array")
    return {"value": operator.index(value)}


def labels(call: Call, parameters: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Name the input arrays of a call: ``dout``, and of an earlier one ``x, which softmax_forward was given,``."""
    names = [*parameters.get(call.function, ())[: len(call.args)]]
    names += [""] * (len(call.args) - len(names))
    given = [*zip(names, call.args, strict=True), *call.kwargs.items()]
    own = [name for name, value in given if isinstance(value, np.ndarray)]
    earlier = [(one.function, name) for one in call.earlier for name in labels(one, parameters)]
    return (*own, *(f"{name}, which {function} was given," if name else "" for function, name in earlier))


def in_words(name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any], parameters: Sequence[str]) -> str:
    """Describe a call by the sizes of its arguments: ``softmax_backward(dout (2,3), cache)``.

    If a function is given only numbers, they are its inputs and are not shown.
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


def named(value: object) -> str:
    """Return the name of a type, as a worker tells it."""
    return clean(str(value), 80) or "something without a name"


def counted(body: dict[str, Any]) -> Count:
    """Return the count in a reply, if it looks like a count."""
    told, objects = body.get("steps"), body.get("objects")
    items = told.items() if type(told) is dict else ()
    steps = {clean(name, 60): steps for name, steps in items if type(steps) is int and steps >= 0}
    return Count(steps, objects if type(objects) is int else 0)


def unpack(result: dict[str, Any], incoming: list[Array], worker: int) -> Any:
    """Turn what travels into one result; the worker with this process id has sent it."""
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
        return Foreign(named(content))
    raise ValueError("the kind of a result")
