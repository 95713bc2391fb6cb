"""Makes the starter and the tests that students get, from the model answer and the public tests.

The starter is the model answer without the code between the markers. The handed-out tests are the public tests with a
fixture on top. Both are proved before anybody gets them: the answer passes every public test, the starter passes none.
This module returns texts and writes no files. It runs the instructor's own files, which are trusted, and never
a student's file. It does not know what the homework is about.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Collection
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from autograder.core import homework
from autograder.core.errors import ConfigurationError

BEGIN = "# BEGIN SOLUTION"
END = "# END SOLUTION"

GIVEAWAY = 12
"""The longest line of the answer that may also be in the starter: ``return out`` gives nothing away."""

HANDED_OUT_TESTS = "test_public.py"

FIXTURE = '''\
"""The public tests, to run by yourself: put this file beside your {module}.py and type ``pytest {tests}``.

They are the ones the grader runs and shows. It has others as well.
"""

import importlib
import sys
from pathlib import Path

import pytest


@pytest.fixture
def {module}():
    """Your {module}.py, from the folder of this file."""
    folder = str(Path(__file__).resolve().parent)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    return importlib.import_module("{module}")
'''


def make_starter(
    solution: Path, public_tests: Path, module: str, tests_file: str = HANDED_OUT_TESTS, left_out: Collection[str] = ()
) -> tuple[str, str]:
    """Make the starter and the handed-out tests, and prove both.

    Parameters
    ----------
    solution : Path
        The model answer.
    public_tests : Path
        The folder with ``test_*.py``.
    module : str
        What the tests call the student's functions: the required file's name, without its ending.
    tests_file : str
        The name of the file with the handed-out tests.
    left_out : collection of str
        Functions and tests that students do not get.

    Returns
    -------
    tuple of str
        Sources of the starter and of the handed-out tests. They depend only on the two inputs.

    Raises
    ------
    ConfigurationError
        If the answer fails a public test, the starter passes one, or either cannot be made.
    """
    answer = _without(solution.read_text(encoding="utf-8"), left_out)
    starter = strip_solution(answer, file=str(solution))
    tests = _hand_out(public_tests, module, tests_file, left_out)

    for name, error in _run(tests, answer, solution).items():
        if error is not None:
            problem = f"fails the public test {name} ({type(error).__name__}: {error})"
            raise ConfigurationError(
                str(solution), "", problem, "Correct one of the two; the assignment stays as it was"
            )
    for name, error in _run(tests, starter, solution).items():
        if error is None:
            remedy = f"Put the code of every function between {BEGIN} and {END}"
            raise ConfigurationError(str(solution), "", f"passes {name} even without its solution", remedy)
    return starter, tests


def sources_of_tests(folder: Path) -> dict[str, str]:
    """Return the source of every test function in a folder, in the order of the files."""
    return {test.name: test.source for test in homework.all_functions(folder)}


def strip_solution(source: str, file: str = "solution") -> str:
    """Turn the model answer into the starter.

    A marked block inside a function becomes ``raise NotImplementedError("<function> is not implemented yet")`` at the
    block's indentation. A marked block outside of functions (a helper or a remark that only the answer needs) is
    removed together with the blank lines above it.

    Parameters
    ----------
    source : str
        Python source with ``# BEGIN SOLUTION`` and ``# END SOLUTION`` on lines of their own.
    file : str
        The file's name in messages.

    Raises
    ------
    ConfigurationError
        If markers are missing, misspelt or unbalanced, the result does not compile, or a line of a removed block
        can still be read elsewhere in it.
    """
    lines = source.splitlines()
    functions = [node for node in ast.walk(homework.parsed(source, file)) if isinstance(node, ast.FunctionDef)]
    kept: list[str] = []
    removed: list[str] = []
    end = 0
    for begin, stop in _blocks(lines, file):
        kept += lines[end:begin]
        removed += lines[begin + 1 : stop]
        marker = lines[begin]
        indent = marker[: len(marker) - len(marker.lstrip())]
        if indent:
            name = _enclosing(functions, begin + 1, file)
            kept.append(f'{indent}raise NotImplementedError("{name} is not implemented yet")')
        else:
            while kept and not kept[-1].strip():
                kept.pop()
        end = stop + 1
    starter = "\n".join([*kept, *lines[end:]]) + "\n"

    for line in starter.splitlines():
        if "SOLUTION" in line:
            remedy = f"A marker is {BEGIN} or {END} on a line of its own"
            raise ConfigurationError(file, "", f"what students get would still read: {line.strip()}", remedy)
    for line in map(str.strip, removed):
        if len(line) > GIVEAWAY and line in starter:
            problem = f"a line of the solution is also outside the markers: {line}"
            raise ConfigurationError(file, "", problem, "Reword what students may read")
    homework.parsed(starter, f"{file} without its solution")
    return starter


def _blocks(lines: list[str], file: str) -> list[tuple[int, int]]:
    """Find the marked blocks, as indices of their two marker lines."""
    blocks = []
    begin: int | None = None
    for number, line in enumerate(lines):
        if line.strip() == BEGIN:
            if begin is not None:
                raise ConfigurationError(file, f"line {begin + 1}", f"{BEGIN} has no end", f"Close it with {END}")
            begin = number
        elif line.strip() == END:
            if begin is None:
                raise ConfigurationError(file, f"line {number + 1}", f"{END} has no beginning", f"Open it with {BEGIN}")
            blocks.append((begin, number))
            begin = None
    if begin is not None:
        raise ConfigurationError(file, f"line {begin + 1}", f"{BEGIN} has no end", f"Close it with {END}")
    if not blocks:
        remedy = f"Put what students write themselves between {BEGIN} and {END}"
        raise ConfigurationError(file, "", "marks no solution, so students would get all of it", remedy)
    return blocks


def _enclosing(functions: list[ast.FunctionDef], line: int, file: str) -> str:
    """Name the innermost function around a line."""
    around = [node for node in functions if node.lineno < line <= (node.end_lineno or node.lineno)]
    if not around:
        remedy = "Inside functions mark code; outside, start the markers in the first column"
        raise ConfigurationError(file, f"line {line}", "the marked block is indented, but in no function", remedy)
    return max(around, key=lambda node: node.lineno).name


def _without(source: str, left_out: Collection[str]) -> str:
    """Return a file without some of its functions, and without the room that they took."""
    return re.sub(r"\n{4,}", "\n\n\n", homework.without(source, left_out)) if left_out else source


def _hand_out(public_tests: Path, module: str, tests_file: str, left_out: Collection[str]) -> str:
    """Put the fixture and the public tests into one source."""
    parts = [FIXTURE.format(module=module, tests=tests_file)]
    seen: set[str] = set()
    for path in homework.files_with_tests(public_tests):
        source = _without(path.read_text(encoding="utf-8"), left_out)
        body = homework.parsed(source, str(path)).body
        if ast.get_docstring(ast.Module(body, [])) is not None:
            docstring = body.pop(0)
            source = "\n".join(source.splitlines()[docstring.end_lineno :])
        for node in body:
            if not homework.is_test(node) or ast.unparse(node.args) != module:
                problem = f"is no test that takes {module} and nothing else"
                remedy = "A public test is one function, with its imports inside, so that it runs anywhere"
                raise ConfigurationError(str(path), f"line {node.lineno}", problem, remedy)
            if node.name in seen:
                problem = f"there is another public test {node.name}"
                raise ConfigurationError(str(path), f"line {node.lineno}", problem, "Give each a name of its own")
            seen.add(node.name)
        parts.append(source.strip() + "\n")
    if not seen:
        raise ConfigurationError(str(public_tests), "", "has no public tests", "Write one in test_<topic>.py")
    return "\n\n".join(parts)


def _run(tests: str, source: str, file: Path) -> dict[str, Exception | None]:
    """Call every test with what `source` defines; return for each test what it raised."""
    module = SimpleNamespace(**_execute(source, str(file)))
    functions = {name: value for name, value in _execute(tests, HANDED_OUT_TESTS).items() if name.startswith("test_")}
    return {name: _raised(test, module) for name, test in functions.items()}


def _raised(test: Callable[[object], None], module: object) -> Exception | None:
    try:
        test(module)
    except Exception as error:
        return error
    return None


def _execute(source: str, file: str) -> dict[str, Any]:
    namespace: dict[str, Any] = {"__name__": Path(file).stem, "__file__": file}
    try:
        exec(compile(source, file, "exec", dont_inherit=True), namespace)
    except Exception as error:
        problem = f"cannot be imported ({type(error).__name__}: {error})"
        raise ConfigurationError(file, "", problem, "Correct it first") from error
    return namespace
