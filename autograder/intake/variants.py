"""Explains a changed file name: a browser's ``(1)``, a hidden ``.txt``, an invisible space."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Callable
from pathlib import PurePath, PurePosixPath

CLOSE = 0.85
"""How alike two names must be, as `difflib` counts, to differ only by a slip of the finger."""

_INVISIBLE = {"Cc", "Cf", "Cs", "Zl", "Zp"}
_TYPED = {"", ".p", ".py", ".pyw", ".python", ".yp"}
_ROUNDS = 6


def mistaken(name: str, required: str) -> str:
    """Say how `name` differs from `required`, if it is the same name apart from an accident; else return ''."""
    cause, left = "", name
    for _ in range(_ROUNDS):
        if left == required:
            return cause
        if left.casefold() == required.casefold():
            return cause or "capitals count"
        found = next(((short, why) for repair, why in _REPAIRS if (short := repair(left)) != left), None)
        if found is None:
            break
        left, why = found
        cause = cause or why.format(_invisible_in(name))
    if _looks_like(left, required):
        odd = next(each for each in left if not each.isascii())
        return f"{odd} (U+{ord(odd):04X}) only looks like a letter of it"
    stem, _, suffix = required.rpartition(".")
    if left.casefold() == stem.casefold():
        return cause or f"it has no suffix .{suffix}"
    if PurePath(left).suffix.lower() not in _TYPED:
        return ""
    if difflib.SequenceMatcher(None, left.casefold(), required.casefold()).ratio() >= CLOSE:
        return cause or "it is misspelt"
    return ""


def meant(path: str, required: str) -> str | None:
    """Say how a file's path differs from `required`: '' if only in its folder; None if it is another file."""
    place = PurePosixPath(path)
    stem = required.removesuffix(".py")
    if place.name == required:
        return ""
    if place.name == "__init__.py" and place.parent.name == stem:
        return "it is a folder, not a file"
    if place.name.casefold() == f"{stem}.ipynb".casefold():
        return "it is a notebook, not a Python file"
    return mistaken(place.name, required) or None


def is_version(name: str, required: str) -> bool:
    """Whether this is the required file under a name that Python cannot import, such as ``layers (1).py``."""
    stem, _, suffix = name.rpartition(".")
    return suffix == "py" and not stem.isidentifier() and name != required and bool(mistaken(name, required))


def is_python(name: str) -> bool:
    """Whether the name ends in ``.py``, apart from white space and invisible characters."""
    return _without_invisible(name).strip().lower().endswith(".py")


def _without_invisible(name: str) -> str:
    return "".join(each for each in name if unicodedata.category(each) not in _INVISIBLE)


def _invisible_in(name: str) -> str:
    """Name the first invisible character of a name."""
    odd = next((each for each in name if unicodedata.category(each) in _INVISIBLE), "")
    return f"U+{ord(odd):04X}" if odd else ""


def _looks_like(name: str, required: str) -> bool:
    pairs = [(got, wanted) for got, wanted in zip(name, required, strict=False) if got != wanted]
    return len(name) == len(required) and bool(pairs) and all(not got.isascii() for got, _ in pairs)


def _cut(pattern: str) -> Callable[[str], str]:
    compiled = re.compile(pattern, re.IGNORECASE)
    return lambda name: compiled.sub(lambda found: found.groupdict().get("kept") or "", name, count=1)


_REPAIRS: list[tuple[Callable[[str], str], str]] = [
    (_without_invisible, "there is a character in it that nobody sees, {}"),
    (str.rstrip, "it ends in a space"),
    (str.lstrip, "it begins with a space"),
    (lambda name: unicodedata.normalize("NFKC", name), "its letters only look like those of it"),
    (_cut(r"(?<=\.py)\.txt$"), "an editor has added .txt, which Windows and macOS do not show"),
    (_cut(r"(?<=\.py)\.py$"), "the suffix is there twice"),
    (
        _cut(r"(?<=\.py)(?:~|\.(?:bak|old|orig|save|swp|download|part))$"),
        "it is the name of a backup or of half a file",
    ),
    (_cut(r"(?: -)? ?(?:copy|kopie|copie|copia)(?: ?\(?\d+\)?)?(?=\.py$)"), "it is the name of a copy"),
    (_cut(r" ?[(\[]\d+[)\]](?=\.py$)"), "a browser adds a number to a second download"),
    (_cut(r"(?:[-_ ]v?|v)\d{1,3}(?=\.py$)"), "a number was added to a second upload or version"),
    (_cut(r"[-_ ](?:final|new|neu|updated|fixed|latest)(?=\.py$)"), "a word was added to a second version"),
    (_cut(r" ?\([^()]*conflicted copy[^()]*\)(?=\.py$)"), "a synchronised folder has added to it"),
    (_cut(r"^(?:copy|kopie|copie|copia)(?: of| von| de| di)? ?"), "it is the name of a copy"),
    (_cut(r" +(?=\.py$)"), "there is a space before .py"),
]
