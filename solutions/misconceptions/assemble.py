"""The whole homework with some mistakes in it, as functions to call. Knows the model answer and entries."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from types import FunctionType, ModuleType

from solutions import layers
from solutions.misconceptions.entry import FUNCTIONS, Function, Misconception


def assemble(entries: Sequence[Misconception] = ()) -> dict[str, Function]:
    """Return the nine functions, right but for these mistakes.

    As in a student's file functions call one another: a wrong im2col makes conv2d wrong as well. Of two mistakes in
    the same function the first bends what the second returns, where it calls the right function at all. What a
    function remembers between calls is remembered within these nine, and is empty now.

    Parameters
    ----------
    entries : sequence of Misconception
        None for the model answer.

    Returns
    -------
    dict
        Functions by name. They may change their arguments, raise and warn, as wrong functions do.
    """
    return assemble_of(layers, FUNCTIONS, entries)


def assemble_of(
    model: ModuleType, functions: Sequence[str], entries: Sequence[Misconception] = ()
) -> dict[str, Function]:
    """Return `functions` of a model answer in the same way."""
    namespace = dict(vars(model))
    for name, value in vars(model).items():
        if isinstance(value, FunctionType):
            namespace[name] = _rebound(value, namespace, model)
    for entry in reversed(entries):
        # What it calls by its own name is the function below it: the right one, or the next mistake.
        below = dict(namespace)
        namespace[entry.function] = _rebound(entry.wrong, below, model)
        if entry.forward is not None:
            name = entry.function.replace("_backward", "_forward")
            namespace[name] = _rebound(entry.forward, below, model)
    return {name: namespace[name] for name in functions}


def _rebound(function: Function, names: dict[str, object], model: ModuleType) -> Function:
    """Return a copy of a function that finds `names` first, with mutable defaults as they were written."""
    assert isinstance(function, FunctionType)
    known = names if function.__module__ == model.__name__ else {**function.__globals__, **names}
    defaults = function.__defaults__
    if any(isinstance(default, (dict, list)) for default in defaults or ()):
        defaults = copy.deepcopy(defaults)
    return FunctionType(function.__code__, known, function.__name__, defaults)
