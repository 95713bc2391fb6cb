"""What to do about an exception that its own words explain badly: of imports, of syntax, and of another NumPy.

The student may have written the exception's words, so no text here repeats them. They only select one of the texts
below, which speak of the files that were handed in.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Collection
from pathlib import PurePosixPath

import numpy as np

from autograder.core.text import clean

IMPORTABLE = "What can be imported is Python's standard library, NumPy, and the files that were handed in"
"""What a student is told about a module that was not found."""

_SYNTAX = ("SyntaxError", "IndentationError", "TabError")
_NEWER_SYNTAX: list[tuple[tuple[int, int], re.Pattern[str]]] = [
    ((3, 12), re.compile(r"\s*(?:async\s+)?(?:def|class)\s+\w+\s*\[")),
    ((3, 12), re.compile(r"\s*type\s+\w+\s*(?:\[.*\])?\s*=")),
    ((3, 12), re.compile(r""".*\b[rR]?[fF][rR]?(["'])[^"']*\{[^{}"']*\1[^"']*\1[^{}"']*\}""")),  # quotes of one kind
    ((3, 12), re.compile(r""".*\b[fF](["'])[^"']*\{[^{}]*\\[^{}]*\}""")),  # a backslash between braces
    ((3, 11), re.compile(r"\s*except\s*\*")),
    ((3, 11), re.compile(r".*\w\[(?:[^\]]*,)?\s*\*\w+")),
    ((3, 14), re.compile(r""".*(?<!\w)[tT][rR]?["']""")),
]
"""What a line looks like that needs a newer Python than the oldest that grades."""

_LEFT_OVER: list[tuple[re.Pattern[str], str]] = [
    (re.compile(r"\s*[%!]"), "Lines that begin with % or ! work in notebooks only: remove them"),
    (
        re.compile("<<<<<<<|=======|>>>>>>>"),
        "This is a mark that git leaves where two versions differ: keep one of them",
    ),
    (re.compile(r"diff --git |--- \S|\+\+\+ \S|@@ "), "This is a list of changes: hand in the changed file itself"),
    (re.compile(r"\s*```"), "This line marks code in a text: remove it"),
    (
        re.compile(r"\s*(?:>>> |\.\.\. |(?:In|Out) ?\[\d*\]:)"),
        "This is the prompt of an interactive session: remove it from every line",
    ),
    (
        re.compile("[^'\"#]*[\u201c-\u201f\u2018-\u201b\u00ab\u00bb]"),
        "A text program made these quotes: type \" or ' instead",
    ),
    (
        re.compile("[^'\"#]*[\u00a0\u2000-\u200f\u202f\u205f\u2060\u3000\ufeff]"),
        "It is a space of another kind, as web pages have: type the spaces of this line anew",
    ),
    (re.compile("[^'\"#]*[\u2010-\u2015\u2212]"), "It only looks like a minus: type - instead"),
]
"""What a line looks like that something else than an editor of code has left in a file."""

_NEWER_MODULES = {"tomllib": (3, 11), "annotationlib": (3, 14), "compression": (3, 14), "string.templatelib": (3, 14)}

_NO_NUMBER = "an array with one entry no longer counts as a number. Where `a` is such an array, write `a.item()`"
_NEWER_NUMPY: list[tuple[str, re.Pattern[str], tuple[int, int], str]] = [
    ("TypeError", re.compile(r"only 0-dimensional arrays can be converted to Python scalars"), (2, 4), _NO_NUMBER),
    ("TypeError", re.compile(r"%\w format: .+ is required, not numpy\.ndarray"), (2, 4), _NO_NUMBER),
    ("ValueError", re.compile(r"setting an array element with a sequence\."), (2, 4), _NO_NUMBER),
    ("TypeError", re.compile(r".* unexpected keyword argument 'newshape'"), (2, 4), "`newshape` is called `shape`"),
    (
        "TypeError",
        re.compile(r".* unexpected keyword argument 'interpolation'"),
        (2, 4),
        "`interpolation` is called `method`",
    ),
    ("AttributeError", re.compile(r".* has no attribute 'tostring'"), (2, 3), "`tostring` is called `tobytes`"),
    ("AttributeError", re.compile(r"module 'numpy' has no attribute 'in1d'"), (2, 4), "`in1d` is called `isin`"),
    ("AttributeError", re.compile(r"module 'numpy' has no attribute 'trapz'"), (2, 4), "`trapz` is called `trapezoid`"),
    (
        "AttributeError",
        re.compile(r"module 'numpy' has no attribute 'row_stack'"),
        (2, 5),
        "`row_stack` is called `vstack`",
    ),
]
"""Which exceptions are new since NumPy 2.2.6, the oldest that grades: type, words, first version, and what to write."""


def version() -> str:
    """Name the Python that grades."""
    return f"Python {sys.version_info[0]}.{sys.version_info[1]}"


def of_import(message: str, copied: Collection[str], elsewhere: Collection[str], required: str) -> str:
    """Return advice about a module that was not found.

    Parameters
    ----------
    message : str
        Python's: ``No module named 'tools'``.
    copied, elsewhere : collection of str
        Paths of the Python files that were handed in: those that the worker sees, and those that it does not.
    required : str
        The file that is imported first.
    """
    found = re.fullmatch(r"No module named '([\w.]+)'(?:;.*)?", message)
    if found is None:
        return IMPORTABLE
    name = found[1]
    outer = name.partition(".")[0]
    for path in sorted(elsewhere, key=len):
        if _is_module(path, outer):
            file = clean(path, 80)
            return f"{file} was handed in, but only what is beside or below {required} can be imported: move it there"
    for path in sorted(copied, key=len):
        folder = PurePosixPath(path).parent
        if _is_module(path, outer) and folder.parts:
            dotted = clean(".".join([*folder.parts, outer]), 80)
            return f"{clean(path, 80)} was handed in: import it as {dotted}, as seen from {required}"
    top = {PurePosixPath(path).parts[0].removesuffix(".py") for path in copied}
    if spelled := next((each for each in sorted(top) if each.casefold() == outer.casefold() and each != outer), ""):
        return f"It was handed in as {clean(spelled, 60)}, and capitals count"
    if (since := _NEWER_MODULES.get(name) or _NEWER_MODULES.get(outer)) and since > sys.version_info[:2]:
        return f"The grader runs {version()}, and this module needs Python {since[0]}.{since[1]}"
    return IMPORTABLE


def of_name(message: str) -> str:
    """Return advice about an `ImportError` that is no missing module, by Python's words."""
    if message == "attempted relative import with no known parent package":
        return "The files that were handed in are no package: import them without the dot"
    found = re.match(r"cannot import name '\w+' from '(\w+)[\w.]*'", message)
    if found is None or found[1] not in sys.stdlib_module_names:
        return ""
    return f"The grader runs {version()}: another version may have it"


def of_environment(kind: str, message: str) -> str:
    """Return advice about an exception that a notebook does not raise, or NumPy of another version."""
    if kind == "NameError" and message in ("name 'get_ipython' is not defined", "name 'display' is not defined"):
        return "It exists in notebooks only: remove the line"
    used = tuple(int(part) for part in np.__version__.split(".")[:2])
    for its_kind, words, since, remedy in _NEWER_NUMPY:
        if kind == its_kind and used >= since and words.fullmatch(message):
            return f"The grader runs NumPy {np.__version__}: since NumPy {since[0]}.{since[1]}, {remedy}"
    if kind == "AttributeError" and re.fullmatch(r"module 'numpy[\w.]*' has no attribute '\w+'", message):
        return f"The grader runs NumPy {np.__version__}: another version may have it"
    return ""


def of_syntax(kind: str, line: str) -> str:
    """Return advice about a syntax error of this kind in this line of the student's file."""
    if kind not in _SYNTAX:
        return ""
    if left := next((said for pattern, said in _LEFT_OVER if pattern.match(line[:200])), ""):
        return left
    needed = [since for since, pattern in _NEWER_SYNTAX if since > sys.version_info[:2] and pattern.match(line[:200])]
    if needed:
        return f"The grader runs {version()}, and this line needs Python {needed[0][0]}.{needed[0][1]}"
    return f"The grader runs {version()}"


def _is_module(path: str, name: str) -> bool:
    parts = PurePosixPath(path).parts
    return parts[-1] == f"{name}.py" or name in parts[:-1]
