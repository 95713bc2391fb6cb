"""One entry of the catalogue, the decorator that makes it, and its two uses: a whole submission, or a single call."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import numpy as np

from solutions import layers

Function = Callable[..., Any]

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


@dataclass(frozen=True)
class Misconception:
    """A wrong answer.

    Attributes
    ----------
    id : str
        Words joined by hyphens, unique.
    function : str
        The function that is wrong.
    hint : str
        Which kind of mistake it is and where to look, in one or two sentences without code.
    wrong : callable
        Takes and returns what the function does.
    forward : callable or None
        For a backward function: the forward pass that makes the cache `wrong` reads, where the model answer's holds
        something else. What it returns beside the cache is right.
    raising : callable or None
        The same mistake in code that raises where `wrong` returns something.
    also_fails : tuple of str
        Tests of other functions that may fail as well; the name of a function stands for all its tests.
    fails_only : str
        The one hidden test that notices, where a slip is to cost no more than that. Empty: any of the function's tests
        may.
    hides_on : str
        An expression that holds for inputs on which the wrong answer is right. Its names are the parameters, the
        dtype, the sizes N C H W F KH KW OH OW, and ``apart`` where no two values are nearly equal. ``never``: there
        are no such inputs.
    """

    id: str
    function: str
    hint: str
    wrong: Function
    forward: Function | None = None
    raising: Function | None = None
    also_fails: tuple[str, ...] = ()
    fails_only: str = ""
    hides_on: str = "never"

    @property
    def as_it_raises(self) -> Misconception:
        """The same mistake in code that raises, if there is some."""
        return self if self.raising is None else dataclasses.replace(self, wrong=self.raising, raising=None)

    @property
    def noticed_by(self) -> tuple[str, ...]:
        """The tests that may notice, where others may not: a hidden one, and the public one about the same promises."""
        return (self.fails_only, f"test_{self.function}_promises") if self.fails_only else ()


REGISTERED: list[Misconception] = []


def registering(registered: list[Misconception]) -> Callable[..., Callable[[Function], Function]]:
    """Return the decorator of a catalogue that `registered` is the list of."""

    def misconception(
        function: str,
        *,
        forward: Function | None = None,
        raising: Function | None = None,
        also_fails: tuple[str, ...] = (),
        fails_only: str = "",
        hides_on: str = "never",
    ) -> Callable[[Function], Function]:
        """Register the decorated function as a wrong `function`; see `Misconception` for the rest."""

        def register(wrong: Function) -> Function:
            id, hint = wrong.__name__.replace("_", "-"), " ".join((wrong.__doc__ or "").split())
            registered.append(
                Misconception(id, function, hint, wrong, forward, raising, also_fails, fails_only, hides_on)
            )
            return wrong

        return register

    return misconception


misconception = registering(REGISTERED)


def source(entry: Misconception, model: ModuleType = layers) -> str:
    """Return a submission that is right but for this misconception: the text of a ``layers.py``, or of another `model`.

    The right function stays in the file under another name, for the other functions and for the wrong one to call.
    """
    replaced = {entry.function: entry.wrong}
    if entry.forward is not None:
        replaced[_forward_of(entry.function)] = entry.forward
    texts = [Path(str(model.__file__)).read_text(encoding="utf-8"), *map(_text, replaced.values())]
    text = "\n\n".join(texts)
    for name, wrong in replaced.items():
        text = re.sub(rf"\b{name}\b", f"right_{name}", text)
        text = text.replace(f"def {wrong.__name__}(", f"def {name}(")
    return text


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
                forward = entry.forward or getattr(layers, _forward_of(entry.function))
                _, cache = _afresh(forward)(*inputs, **named)
                results = wrong(dout, cache)
        except Exception:  # as a student's would: that no array comes out is the answer
            return None
    return results if isinstance(results, tuple) else (results,)


def _forward_of(backward: str) -> str:
    return backward.replace("_backward", "_forward")


def _text(function: Function) -> str:
    """Return the source of a function without its decorators."""
    text = inspect.getsource(function)
    return text[re.search(r"^def ", text, re.MULTILINE).start() :]  # type: ignore[union-attr]  # a function has one


def _afresh(function: Function) -> Function:
    """Return a copy of a function whose mutable defaults are as they were written."""
    assert isinstance(function, FunctionType)
    defaults = copy.deepcopy(function.__defaults__)
    return FunctionType(function.__code__, function.__globals__, function.__name__, defaults)
