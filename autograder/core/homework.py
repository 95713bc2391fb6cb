"""The homework's test files, read without running them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from autograder.core.errors import ConfigurationError

RACE = "race"
"""A test that takes an argument of this name measures speed."""


@dataclass(frozen=True)
class TestFunction:
    """A test as its file defines it.

    Attributes
    ----------
    name : str
    arguments : tuple of str
    title : str
        The first line of its docstring, without the full stop; its name if it has none.
    cases : str
        The group of cases that it runs once for each of; empty if there is none.
    parametrized : bool
        Whether it has a list of its own of what to run for.
    """

    __test__ = False  # not a test of ours, whatever pytest thinks of the name

    name: str
    arguments: tuple[str, ...]
    title: str
    cases: str = ""
    parametrized: bool = False

    @property
    def measures_speed(self) -> bool:
        """Whether it takes a race."""
        return RACE in self.arguments


def files_with_tests(folder: Path) -> list[Path]:
    """Return the test files of a folder, in the order of their names."""
    return sorted(folder.glob("test_*.py"))


def functions(path: Path, shown: str) -> Iterator[TestFunction]:
    """Yield the tests in a file; `shown` is its name in messages.

    Raises
    ------
    ConfigurationError
        If the file is not Python.
    """
    try:
        tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError) as error:  # ValueError: a null byte, before Python 3.12
        line = f"line {error.lineno}: " if isinstance(error, SyntaxError) and error.lineno else ""
        problem = f"is not Python: {line}{getattr(error, 'msg', error)}"
        raise ConfigurationError(shown, "", problem, "Correct it.") from None
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            title = (ast.get_docstring(node) or node.name).splitlines()[0].rstrip(".")
            arguments = tuple(argument.arg for argument in node.args.args)
            marks = dict(map(_mark, node.decorator_list))
            yield TestFunction(node.name, arguments, title, marks.get("cases", ""), "parametrize" in marks)


def _mark(decorator: ast.expr) -> tuple[str, str]:
    """Return the last name of a decorator, as of ``@pytest.mark.cases("conv2d")``, and its argument if that is text."""
    call = decorator if isinstance(decorator, ast.Call) else None
    name = call.func if call else decorator
    first = call.args[0] if call and call.args else None
    text = first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else ""
    return name.attr if isinstance(name, ast.Attribute) else "", text


def all_functions(*folders: Path) -> Iterator[TestFunction]:
    """Yield the tests in all files of these folders."""
    for folder in folders:
        for path in files_with_tests(folder):
            yield from functions(path, path.name)
