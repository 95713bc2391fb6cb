"""Words for what does not fit in a configuration file, plainer than pydantic's."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from typing import Any, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from autograder.core.errors import ConfigurationError

_SHOWN_CHARACTERS = 60
"""How much of a wrong value a message shows."""

_SHOULD = {
    "datetime_type": "should be a day, a time and a time zone, like 2026-10-01 23:59:00 -04:00",
    "dict_type": "should be names with values",
    "float_type": "should be a number",
    "int_type": "should be a whole number",
    "string_type": "should be text",
    "timezone_aware": "should end in a time zone, like 2026-10-01 23:59:00 -04:00",
    "too_short": "should name at least one",
    "tuple_type": "should be a list",
}
"""Plain words for each of pydantic's kinds of errors."""

UNKNOWN_KEY = ("extra_forbidden", "invalid_key")
"""Pydantic's kinds of errors for an unknown key, and for a key that is not text."""


def explained(file: str, detail: ErrorDetails, model: type[BaseModel]) -> ConfigurationError:
    """Turn pydantic's error into a ConfigurationError with file, key and remedy."""
    kind, got = detail["type"], detail["input"]
    where = tuple(str(part) for part in detail["loc"] if part != "[key]")
    key = ".".join(where)
    if kind == "missing":
        return ConfigurationError(file, key, "is missing", "Add this key and its value.")
    if kind in UNKNOWN_KEY:
        keys = _keys(model, where[:-1])
        return ConfigurationError(file, key, "no such key", suggestion(where[-1], keys, f"Known are {listed(keys)}."))
    should = _SHOULD.get(kind, detail["msg"].removeprefix("Input "))
    if kind == "model_type":
        should = f"should be keys with values: {listed(_keys(model, where))}"
    return ConfigurationError(file, key, f"got {_described(got)}, but {should}", _remedy(kind, got, should))


def _remedy(kind: str, got: object, should: str) -> str:
    if kind in ("float_type", "int_type") and isinstance(got, str):
        return "Write a plain number, without quotes and without a unit."
    if kind in ("string_type", "path_type") and got is not None:
        return "Put it in quotes."
    if kind == "literal_error" and isinstance(got, str):
        return suggestion(got, re.findall(r"'(\w+)'", should), "Choose one of them.")
    return "Correct the value."


def _keys(model: type[BaseModel], where: tuple[str, ...]) -> list[str]:
    """Return the keys of the section at `where`."""
    section: Any = model
    for part in where:
        section = _inner(section) if get_origin(section) is dict else section.model_fields[part].annotation
        section = section if get_origin(section) is dict else (get_args(section) or (section,))[0]
    return list(getattr(_inner(section) if get_origin(section) is dict else section, "model_fields", ()))


def _inner(section: object) -> object:
    """Return the model of the values in a section whose keys are free names."""
    return get_args(section)[1]


def _described(got: object) -> str:
    if got is None:
        return "nothing"
    if isinstance(got, bool):
        return f"the truth value {str(got).lower()}"
    if isinstance(got, (list, tuple)):
        return "a list" if got else "an empty list"
    if isinstance(got, dict):
        return "keys with values" if got else "no keys"
    text = f"the text {got!r}" if isinstance(got, str) else str(got)
    return text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + "…"


def suggestion(wrong: str, known: Iterable[str], otherwise: str) -> str:
    """Return the known name that was probably meant, as a question."""
    close = difflib.get_close_matches(wrong, known, n=1)
    return f"Did you mean {close[0]}?" if close else otherwise


def listed(names: Iterable[str]) -> str:
    """Return names as a list in a sentence."""
    return ", ".join(names)
