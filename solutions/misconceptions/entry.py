"""The list of this catalogue, its decorator, and the uses of an entry: a submission, functions, or a single call."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Sequence
from types import FunctionType
from typing import Any

import numpy as np

from autograder.grading.diagnose import mistakes
from autograder.grading.diagnose.mistakes import Function, Misconception, forward_of, registering
from solutions import layers

FUNCTIONS = (
    "conv_output_size",
    "im2col",
    "col2im",
    "conv2d_forward",
    "conv2d_backward",
    "max_pool2d_forward",
    "max_pool2d_backward",
    "avg_pool2d_forward",
    "avg_pool2d_backward",
)
"""What can be wrong, in the order of the assignment."""

REGISTERED: list[Misconception] = []

misconception = registering(REGISTERED)


def source(entry: Misconception) -> str:
    """Return a submission that is right but for this misconception: the text of a ``layers.py``."""
    return mistakes.source(entry, layers)


def assemble(entries: Sequence[Misconception] = ()) -> dict[str, Function]:
    """Return the nine functions, right but for these mistakes; see `mistakes.assemble`."""
    return mistakes.assemble(layers, FUNCTIONS, entries)


def produce(entry: Misconception, *inputs: Any, dout: Any = None, **named: Any) -> tuple[Any, ...] | None:
    """Return what the wrong function makes of the inputs of a call.

    Parameters
    ----------
    entry : Misconception
    *inputs, **named
        The arguments of the function; for a backward function, those of its forward pass.
    dout : ndarray, optional
        For a backward function.

    Returns
    -------
    tuple or None
        The results, one or several; None when the wrong function raises. Neither the arguments nor earlier calls
        have any part in it: they are copied, and whatever a function remembers is forgotten.
    """
    inputs, named, dout = copy.deepcopy((inputs, named, dout))
    wrong = _afresh(entry.wrong)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            if dout is None:
                results = wrong(*inputs, **named)
            else:
                forward = entry.forward or getattr(layers, forward_of(entry.function))
                _, cache = _afresh(forward)(*inputs, **named)
                results = wrong(dout, cache)
        except Exception:  # as a student's would: that no array comes out is the answer
            return None
    return results if isinstance(results, tuple) else (results,)


def _afresh(function: Function) -> Function:
    """Return a copy of a function whose mutable defaults are as they were written."""
    assert isinstance(function, FunctionType)
    defaults = copy.deepcopy(function.__defaults__)
    return FunctionType(function.__code__, function.__globals__, function.__name__, defaults)
