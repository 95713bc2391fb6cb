"""Right stand-ins for a student's earlier functions, answered by the model answer's worker.

Theory of operation
-------------------
A test of `loss` fails. Is it wrong itself, or is it the student's `softmax` that it calls? An experiment
decides: in a fresh worker every global of the student's modules that is their `softmax` is replaced by a stand-in, and
the same case is run again. The stand-in holds no right code. It sends its arguments to the grader, in the middle of the
call, and waits; the grader has the model answer's worker compute the answer, and sends that back. So a student's
process never holds the model answer, and the model answer's process never runs a line of the student's.

If a stand-in cannot answer, the student's own function runs instead: for arguments that are not arrays, whole numbers
or tuples of them, for arguments that the model answer refuses, and for functions with a result that stays in the worker
(a student's code cannot use a cache of the model answer). Code that never asks a stand-in proves nothing.

What a hostile submission could gain
------------------------------------
*Points.* While f is tried, a stand-in answers for functions that come before f in the assignment, and for no others. A
case of f then passes because the student's code turned right answers of those functions into the right answer of f, and
that is what f's points are for. Whoever breaks `softmax` on purpose loses its points and gets no more for
`loss` than with a right one. Speed is never judged with a stand-in. A case has to ask before it can be
carried, and the grader itself counts that; so a function that guesses gets no second try without asking.
*Knowledge.* The handout has the formula of every function that is answered, and the asker has the inputs already.
Tests, fixtures and expected values are not in the process that answers.
*State.* The worker that asked is ended after the cases of its function, and gets its input from the grader in all of
them. The one that answers is the model answer, which remembers nothing between calls.
*Harm.* A question is checked like a reply: bounded bytes, a short list of dtypes, nothing unpickled. A malformed
question ends the worker that asked. If a question makes the model answer hang or run out of memory, the model answer's
worker is ended within `ANSWER_SECONDS`. After `MOST_FAILURES` such questions no more are answered. The time of the
submission keeps running.
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from autograder.core.errors import StudentError
from autograder.grading.compare import Array
from autograder.grading.proxy import Proxy
from autograder.grading.session import Session
from autograder.sandbox.worker import wire

ANSWER_SECONDS = 2.0
"""How long the model answer may take for one question. Honest questions take milliseconds."""
MOST_QUESTIONS = 20_000
"""To one worker. Loops ask for every entry; more than this would take seconds."""
MOST_FAILURES = 3
"""Questions that may cost the model answer its worker."""
MOST_KEPT, LARGEST_KEPT = 1000, 1 << 15
"""How many answers are kept, and how many bytes of arrays one of them may have with its question."""

Kept = dict[tuple[object, ...], tuple[dict[str, Any], list[Array]]]
"""Answers by question."""


def answering(reference: Session) -> Proxy:
    """Return the model answer's functions, with the time that a question may take. One worker answers them all."""
    session = copy.copy(reference)
    session.hung = set()
    limits = session.interface.limits.model_copy(update={"call_seconds": ANSWER_SECONDS})
    session.interface = dataclasses.replace(session.interface, limits=limits)
    return Proxy(session)


class StandIns:
    """Answers in place of some functions of a student's.

    Parameters
    ----------
    names : sequence of str
        The functions that are replaced.
    right : Proxy
        The model answer's functions; see `answering`.
    kept : dict
        Answers to earlier questions. The cases of a test, and the tests of a function, ask the same things.
    """

    def __init__(self, names: Sequence[str], right: Proxy, kept: Kept | None = None) -> None:
        self.names = tuple(names)
        self.asked: set[str] = set()
        self.heard: set[str] = set()
        self.refused = False
        self._right = right
        self._kept = kept if kept is not None else {}
        self._questions = 0
        self._failures = 0

    def next_case(self) -> None:
        """Forget which functions the last case asked for (`heard`), and which of them answered (`asked`).

        Forget also whether there was a question too many (`refused`).
        """
        self.asked.clear()
        self.heard.clear()
        self.refused = False

    def answer(self, question: object, arrays: list[Array]) -> tuple[dict[str, Any], list[Array]]:
        """Return the body and the arrays of the answer to a question; ``{}`` where there is none.

        Raises
        ------
        WireError
            If it is not a question: then the worker is hostile.
        """
        function, args, kwargs = self._understood(question, arrays)
        self.heard.add(function)
        self._questions += 1
        if self._questions > MOST_QUESTIONS or self._failures >= MOST_FAILURES:
            self.refused = True
            return {}, []
        key = question_key(function, args, kwargs)
        if key in self._kept:
            self.asked.add(function)
            return self._kept[key]
        try:
            self._right.connect()
            returned = getattr(self._right, function)(*args, **kwargs)
        except StudentError as error:
            self._failures += error.outcome != "raised"
            return {}, []
        finally:
            self._right.calls.clear()
        results = returned if isinstance(returned, tuple) else (returned,)
        if not all(isinstance(result, (np.ndarray, int)) for result in results):
            return {}, []
        self.asked.add(function)
        outgoing = [result for result in results if isinstance(result, np.ndarray)]
        places = iter(range(len(outgoing)))
        body = [{"array": next(places)} if isinstance(one, np.ndarray) else {"integer": one} for one in results]
        if len(self._kept) < MOST_KEPT and sum(array.nbytes for array in (*outgoing, *arrays)) <= LARGEST_KEPT:
            self._kept[key] = {"answer": body}, outgoing
        return {"answer": body}, outgoing

    def _understood(self, question: object, arrays: list[Array]) -> tuple[str, list[Any], dict[str, Any]]:
        try:
            assert isinstance(question, dict)
            function, args, kwargs = question["function"], question["args"], question["kwargs"]
            if function not in self.names or type(args) is not list or type(kwargs) is not dict:
                raise ValueError("which function is asked for")
            if len(args) + len(kwargs) > wire.MAX_ARRAYS:
                raise ValueError("the number of arguments")
            given = [_argument(value, arrays) for value in args]
            return function, given, {str(name): _argument(value, arrays) for name, value in kwargs.items()}
        except (AssertionError, KeyError, IndexError, TypeError, ValueError) as error:
            raise wire.WireError("it asks for what there is no stand-in for") from error


def question_key(function: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> tuple[object, ...]:
    """Return what is the same for equal questions only: 1, 1.0 and True are equal in Python, and not here."""
    values = [("", value) for value in args] + sorted(kwargs.items())
    return function, *(
        (name, value.shape, value.dtype.str, value.tobytes()) if isinstance(value, np.ndarray) else (name, repr(value))
        for name, value in values
    )


def _argument(value: dict[str, Any], arrays: list[Array]) -> Any:
    """Return one argument of a question."""
    ((kind, content),) = value.items()
    if kind == "array" and type(content) is int and content >= 0:
        return arrays[content]
    if kind == "value" and type(content) is int:
        return content
    if kind == "tuple" and type(content) is list and all(type(one) is int for one in content):
        return tuple(content)
    raise ValueError("the kind of an argument")
