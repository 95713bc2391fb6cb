"""The homework's own Python files: finds its tests without running them, and imports its modules when needed."""

from __future__ import annotations

import ast
import functools
import importlib
import importlib.util
import sys
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TypeGuard

from autograder.core.errors import ConfigurationError

RACE = "race"
"""A test that takes an argument of this name measures speed."""


# --- Tests -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class TestFunction:
    """A test as its file defines it.

    Attributes
    ----------
    name : str
    arguments : tuple of str
    title : str
        The first line of its docstring, without the full stop; without a docstring, its name.
    source : str
        Its Python source, without the decorators.
    cases : str
        The group of cases; the test runs once for each of them. Empty if there is none.
    parametrized : bool
        Whether it has ``@pytest.mark.parametrize``.
    """

    __test__ = False  # pytest must not collect this class because of its name

    name: str
    arguments: tuple[str, ...]
    title: str
    source: str
    cases: str = ""
    parametrized: bool = False

    @property
    def measures_speed(self) -> bool:
        """Whether this is a speed test: one that takes the fixture ``race``."""
        return RACE in self.arguments


def files_with_tests(folder: Path) -> list[Path]:
    """Return the test files of a folder, in the order of their names."""
    return sorted(folder.glob("test_*.py"))


def functions(path: Path, shown: str) -> Iterator[TestFunction]:
    """Return the tests in a file; `shown` is its name in messages.

    Raises
    ------
    ConfigurationError
        If the file is not Python.
    """
    return iter(_functions(path.read_bytes(), shown))


@functools.lru_cache(maxsize=64)  # a grading asks several times, and to parse the tests takes 20 ms
def _functions(text: bytes, shown: str) -> tuple[TestFunction, ...]:
    lines = text.split(b"\n")
    found = []
    for node in parsed(text, shown).body:
        if is_test(node):
            title = (ast.get_docstring(node) or node.name).splitlines()[0].rstrip(".")
            arguments = tuple(argument.arg for argument in node.args.args)
            source = lines[node.lineno - 1 : node.end_lineno]  # ast.get_source_segment splits the file for every test
            source[-1] = source[-1][: node.end_col_offset]
            marks = dict(map(_mark, node.decorator_list))
            segment = b"\n".join(source).decode("utf-8")
            cases, parametrized = marks.get("cases", ""), "parametrize" in marks
            found.append(TestFunction(node.name, arguments, title, segment, cases, parametrized))
    return tuple(found)


def _mark(decorator: ast.expr) -> tuple[str, str]:
    """Return the last name of a decorator, as of ``@pytest.mark.cases("scores")``, and its argument if that is text."""
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


def is_test(node: ast.stmt) -> TypeGuard[ast.FunctionDef]:
    """Whether a statement of a test file defines a test."""
    return isinstance(node, ast.FunctionDef) and node.name.startswith("test_")


def without(source: str, names: Collection[str]) -> str:
    """Return a file without the functions of these names; the others keep their line numbers."""
    lines = source.splitlines()
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef) and node.name in names:
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            last = node.end_lineno or node.lineno
            while last < len(lines) and lines[last][:1].isspace():  # a comment below its last statement
                last += 1
            lines[first - 1 : last] = [""] * (last - first + 1)
    return "\n".join(lines) + "\n"


# --- Other files, read -----------------------------------------------------------------------------------------------


def parsed(source: str | bytes, shown: str) -> ast.Module:
    """Parse Python; `shown` is the file's name in messages.

    Raises
    ------
    ConfigurationError
        If it is not Python.
    """
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError) as error:  # ValueError: a null byte, before Python 3.12
        line = f"line {error.lineno}" if isinstance(error, SyntaxError) and error.lineno else ""
        raise ConfigurationError(shown, line, f"is not Python: {getattr(error, 'msg', error)}", "Correct it.") from None


def parameters(solution: Path) -> dict[str, list[str]]:
    """Return what each function of the model answer takes, by name.

    Raises
    ------
    ConfigurationError
        If the file cannot be read, or is not Python.
    """
    try:
        source = solution.read_bytes()
    except OSError as error:
        problem = f"cannot be read: {error.strerror}"
        raise ConfigurationError(solution.name, "", problem, "Restore it, or correct homework.solution.") from None
    body = parsed(source, solution.name).body
    defined = (node for node in body if isinstance(node, ast.FunctionDef))
    return {node.name: [argument.arg for argument in node.args.args] for node in defined}


def with_imports(paths: Iterable[Path], root: Path) -> Iterator[Path]:
    """Yield the paths, and the homework's own modules below `root` that they import."""
    seen: set[Path] = set()
    todo = list(paths)
    while todo:
        path = todo.pop()
        if path in seen:
            continue
        seen.add(path)
        yield path
        if path.suffix == ".py":
            for base, names in _imports(path, root):
                # Importing a.b also runs a/__init__.py, so that file counts, too.
                places = [base.joinpath(*names[:length]) for length in range(len(names) + 1)]
                modules = [place.with_name(f"{place.name}.py") for place in places[1:]]
                modules += [place / "__init__.py" for place in places]
                todo += (module for module in modules if module.is_file())


def _imports(path: Path, root: Path) -> Iterator[tuple[Path, list[str]]]:
    """Yield what a file imports: a folder, and the names from there on."""
    for node in ast.walk(parsed(path.read_bytes(), str(path))):
        if isinstance(node, ast.Import):
            yield from ((root, alias.name.split(".")) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = Path(*path.resolve().parts[: -node.level]) if node.level else root
            module = node.module.split(".") if node.module else []
            yield from ((base, [*module, alias.name]) for alias in node.names)


# --- Other files, run ------------------------------------------------------------------------------------------------


@contextmanager
def loaded(path: Path) -> Iterator[ModuleType]:
    """Run a file of the homework as a module, and forget the module afterwards; its exceptions are passed on."""
    name = f"homework_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ConfigurationError(str(path), "", "is not a Python file", "Name one in config.yaml, under homework")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look up their module there
    try:
        spec.loader.exec_module(module)
        yield module
    finally:
        del sys.modules[name]


def files_of(package: Path) -> list[Path]:
    """Return the Python files of a package, or the file that a module is; no hidden ones: editors make them."""
    paths = [package] if package.suffix == ".py" else sorted(package.rglob("*.py"))
    return [path for path in paths if not any(part.startswith(".") for part in path.relative_to(package.parent).parts)]


def package(path: Path, root: Path, fresh: bool = False) -> ModuleType:
    """Import a package or a module of the homework, under the name that it has below `root`.

    It is imported anew where another homework's has the same name, or where it has to be `fresh`.
    """
    name = ".".join(path.relative_to(root).with_suffix("").parts)
    known = getattr(sys.modules.get(name), "__file__", None)
    if fresh or (known and not Path(known).resolve().is_relative_to(path.resolve())):
        for other in [other for other in sys.modules if other == name or other.startswith(f"{name}.")]:
            del sys.modules[other]
    sys.path.insert(0, str(root))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(root))


@contextmanager
def forgotten(root: Path) -> Iterator[None]:
    """Forget the modules imported from `root` afterwards: another homework may have packages of the same names."""
    known = set(sys.modules)
    try:
        yield
    finally:
        for name in set(sys.modules) - known:
            file = getattr(sys.modules[name], "__file__", None)
            if file is None or root.resolve() in Path(file).resolve().parents:
                del sys.modules[name]
