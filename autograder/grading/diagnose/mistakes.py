"""For a homework's catalogue of mistakes: what one is, how it is registered, and its two uses.

A mistake is a plain function under a decorator. Its name, with hyphens, is the id, and its docstring is the hint, word
for word what a student reads. `source` makes a submission of it, for ``make verify``; `assemble` gives functions to
call, which the diagnosis compares with what a student returned. docs/new-homework.md shows a catalogue.
"""

from __future__ import annotations

import copy
import dataclasses
import inspect
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

from autograder.core.errors import ConfigurationError

Function = Callable[..., Any]


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
        An expression that holds for inputs on which the wrong answer is right, in names that the homework's own tests
        know. ``never``: there are no such inputs.
    parts : int
        How many mistakes it is, where it is made of several. If fewer explain the same, they are named.
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
    parts: int = 1

    @property
    def as_it_raises(self) -> Misconception:
        """The same mistake in code that raises, if there is some."""
        return self if self.raising is None else dataclasses.replace(self, wrong=self.raising, raising=None)

    @property
    def noticed_by(self) -> tuple[str, ...]:
        """The tests that may notice, where others may not: a hidden one, and the public one about the same promises."""
        return (self.fails_only, f"test_{self.function}_promises") if self.fails_only else ()


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
        parts: int = 1,
    ) -> Callable[[Function], Function]:
        """Register the decorated function as a wrong `function`; see `Misconception` for the rest."""

        def register(wrong: Function) -> Function:
            id, hint = wrong.__name__.replace("_", "-"), " ".join((wrong.__doc__ or "").split())
            details = (forward, raising, also_fails, fails_only, hides_on, parts)
            registered.append(Misconception(id, function, hint, wrong, *details))
            return wrong

        return register

    return misconception


def source(entry: Misconception, model: ModuleType) -> str:
    """Return a submission that is right but for this misconception: the text of the model answer, changed.

    The right function stays in the file under another name, for the other functions and for the wrong one to call.

    Raises
    ------
    ConfigurationError
        If the wrong function uses a name that the model answer does not have. There the submission would only raise.
    """
    replaced = {entry.function: entry.wrong}
    if entry.forward is not None:
        replaced[forward_of(entry.function)] = entry.forward
    file = Path(str(model.__file__)).name
    for wrong in replaced.values():
        for name in sorted(set(inspect.getclosurevars(wrong).globals) - set(vars(model))):
            problem = f"uses {name}, which {file} does not have"
            remedy = f"Use what is in {file}, by its name there; import it with `from … import …`"
            raise ConfigurationError("the catalogue of mistakes", entry.id, problem, remedy)
    texts = [Path(str(model.__file__)).read_text(encoding="utf-8"), *map(_text, replaced.values())]
    text = "\n\n".join(texts)
    for name, wrong in replaced.items():
        text = re.sub(rf"\b{name}\b", f"right_{name}", text)
        text = text.replace(f"def {wrong.__name__}(", f"def {name}(")
    return text


def assemble(model: ModuleType, functions: Sequence[str], entries: Sequence[Misconception] = ()) -> dict[str, Function]:
    """Return `functions` of a model answer, right but for these mistakes.

    As in a student's file functions call one another: a wrong function makes those wrong that call it. Of two mistakes
    in the same function the first bends what the second returns, where it calls the right function at all. What a
    function remembers between calls is remembered within these functions, and is empty now.

    Parameters
    ----------
    model : module
        The model answer.
    functions : sequence of str
        What the assignment asks for.
    entries : sequence of Misconception
        None for the model answer.

    Returns
    -------
    dict
        Functions by name. They may change their arguments, raise and warn, as wrong functions do.
    """
    namespace = dict(vars(model))
    for name, value in vars(model).items():
        if isinstance(value, FunctionType):
            namespace[name] = _rebound(value, namespace, model)
    for entry in reversed(entries):
        # What it calls by its own name is the function below it: the right one, or the next mistake.
        below = dict(namespace)
        namespace[entry.function] = _rebound(entry.wrong, below, model)
        if entry.forward is not None:
            namespace[forward_of(entry.function)] = _rebound(entry.forward, below, model)
    return {name: namespace[name] for name in functions}


def forward_of(backward: str) -> str:
    """Return the name of the forward pass that belongs to a backward pass."""
    return backward.replace("_backward", "_forward")


def _text(function: Function) -> str:
    """Return the source of a function without its decorators."""
    text = inspect.getsource(function)
    return text[re.search(r"^def ", text, re.MULTILINE).start() :]  # type: ignore[union-attr]  # a function has one


def _rebound(function: Function, names: dict[str, object], model: ModuleType) -> Function:
    """Return a copy of a function that finds `names` first, with mutable defaults as they were written."""
    assert isinstance(function, FunctionType)
    known = names if function.__module__ == model.__name__ else {**function.__globals__, **names}
    defaults = function.__defaults__
    if any(isinstance(default, (dict, list)) for default in defaults or ()):
        defaults = copy.deepcopy(defaults)
    return FunctionType(function.__code__, known, function.__name__, defaults)
