"""What is handed in: the model answer, with deeds around some of its functions.

Beside this file lie ``model.py``, a copy of the model answer, and ``plan.py``, written anew for every attack: which
deeds, when, and what they may reach for. A deed that is denied leaves no trace: the function goes on and is right.
"""

import functools
import importlib
import types
from typing import Any

model = importlib.import_module("model")
plan = importlib.import_module("plan")

globals().update({name: value for name, value in vars(model).items() if not name.startswith("_")})
target = types.SimpleNamespace(**plan.FACTS)


class Loot(Exception):
    """A deed succeeded: carries out what it got hold of."""


def deed(name: str) -> Any:
    """Find a deed by its dotted name."""
    module, _, function = name.rpartition(".")
    return getattr(importlib.import_module(module), function)


def secretly(names: list[str]) -> None:
    """Try deeds; say so if one succeeds and has nothing else to show for it."""
    for name in names:
        try:
            loot = deed(name)(target)
        except Exception:
            continue
        if loot:
            raise Loot(loot)


def around(honest: Any, names: list[str]) -> Any:
    """Return a function that tries the deeds first, then does what it should."""

    @functools.wraps(honest)
    def function(*args: Any, **kwargs: Any) -> Any:
        secretly(names)
        return honest(*args, **kwargs)

    return function


def instead(honest: Any, name: str) -> Any:
    """Return a function that does the deed; whether it also does what it should is up to the deed."""

    @functools.wraps(honest)
    def function(*args: Any, **kwargs: Any) -> Any:
        return deed(name)(target, functools.partial(honest, *args, **kwargs))

    return function


for _name, _deeds in plan.AROUND.items():
    globals()[_name] = around(getattr(model, _name), _deeds)
for _name, _deed in plan.INSTEAD.items():
    globals()[_name] = instead(getattr(model, _name), _deed)
for _deed in plan.AT_IMPORT:
    deed(_deed)(target)
