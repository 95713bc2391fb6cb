"""Who may import whom: the floors of the building, read from the source without running it."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

FLOORS = (  # a room imports from the rows above its own, never from its own row
    (
        "cpuclock",
        "errors",
        "files",
        "isolation",
        "metadata",
        "outcomes",
        "text",
        "worker.landlock",
        "worker.seccomp",
        "worker.wire",
    ),
    ("archive", "diagnose.errormap", "diagnose.evidence", "diagnose.relations", "draft", "worker.lockdown"),
    (
        "casefile",
        "compare",
        "config",
        "export",
        "feedback",
        "gradescope",
        "policy",
        "sandbox",
        "submission",
        "supervisor",
        "worker.__main__",
    ),
    ("diagnose", "diagnose.catalogue", "inputs", "roster", "student"),
    ("diagnose.diagnosis", "history", "steps"),
    ("timing",),
    ("plugin",),
    ("grade",),
    ("batch", "build", "bundle.pack", "doctor", "fixtures", "hosted", "journal", "notebook"),
    ("gradebook", "killmatrix"),
    ("handout", "report", "terminal"),
    ("marking", "verify"),
    ("__main__",),
)

FLOOR = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
GRADING = {"numpy", "pydantic", "pydantic_core", "pytest", "yaml"}
"""The packages that the Gradescope image holds: all that grading one submission may need."""
ON_GRADESCOPE = {"doctor", "hosted"}
"""What runs there, above one grading."""
NOTEBOOK = {"IPython", "layers", "matplotlib", "otter"}
"""What the notebook's source may import beside the homework: students run it, the engine does not."""
NEVER = {"assignment", "solutions", "tests"}
"""The homework. The engine finds it through config.yaml."""


def imports(source: str, package: str = "") -> Iterator[str]:
    """Dotted names that a module of `package` imports, wherever it does; ``from a import b`` counts as ``a.b``."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parents = package.split(".")[: -node.level + 1 or None] if node.level else []
            base = ".".join([*parents, *([node.module] if node.module else [])])
            yield from (f"{base}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("import_module", "__import__")):
            yield from (str(name.value) for name in node.args[:1] if isinstance(name, ast.Constant))


def top(name: str) -> str:
    return name.partition(".")[0]


def room_of(name: str) -> str | None:
    """The room that a dotted name below ``autograder`` lies in, None for a package's own names."""
    parts = name.split(".")[1:]
    prefixes = (".".join(parts[:length]) for length in range(len(parts), 0, -1))
    return next((prefix for prefix in prefixes if prefix in FLOOR), None)


def packages(room: str) -> set[str] | None:
    """The packages a room may import beside the standard library; None for any."""
    if room.startswith("worker."):
        return {"numpy"}
    if room == "sandbox":
        return set()
    if room == "gradescope":
        return GRADING - {"numpy"}
    return GRADING if FLOOR[room] <= FLOOR["grade"] or room in ON_GRADESCOPE else None


def complaints(room: str, source: str) -> list[str]:
    """What is wrong with the imports of one room of the engine."""
    found = []
    in_worker = room.startswith("worker.")
    for name in imports(source, package="autograder.worker" if in_worker else "autograder"):
        if in_worker and f"worker.{top(name)}" in FLOOR:  # run as a program, it sees its own folder
            name = f"autograder.worker.{name}"
        other, allowed = room_of(name), packages(room)
        if top(name) in NEVER:
            found.append(f"{room} imports {name}: the engine knows no homework by name")
        elif top(name) != "autograder":
            if allowed is not None and top(name) not in sys.stdlib_module_names | allowed:
                found.append(f"{room} imports {name}: it may use {sorted(allowed)} and the standard library")
        elif in_worker and not name.startswith("autograder.worker."):
            found.append(f"{room} imports {name}: the worker sees its own folder only")
        elif other is not None and FLOOR[other] >= FLOOR[room]:
            found.append(f"{room} (floor {FLOOR[room]}) imports {other} (floor {FLOOR[other]}): imports go down")
    return found


def strangers(source: str, allowed: set[str]) -> list[str]:
    """What the source imports beyond `allowed`."""
    return [name for name in imports(source) if top(name) not in allowed]


def rooms() -> dict[str, Path]:
    """Every module of the engine; a package's ``__init__`` is no room."""
    engine = ROOT / "autograder"
    paths = (path for path in engine.rglob("*.py") if path.name != "__init__.py")
    return {".".join(path.relative_to(engine).with_suffix("").parts): path for path in paths}


def sources(folder: str) -> dict[str, str]:
    """The Python files of a folder, those of submissions left out; there must be some."""
    paths = [path for path in (ROOT / folder).rglob("*.py") if "submissions" not in path.relative_to(ROOT).parts]
    assert paths, f"no Python file in {folder}/"
    return {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8") for path in paths}


# The building as it is.


def test_every_module_has_a_floor():
    assert set(rooms()) - set(FLOOR) == set(), "give the new module a floor: a row in FLOORS"


@pytest.mark.parametrize("room", sorted(rooms().keys() & FLOOR.keys()))
def test_imports_go_down(room):
    assert complaints(room, rooms()[room].read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "path", ["autograder/__init__.py", "autograder/bundle/__init__.py", "autograder/worker/__init__.py"]
)
def test_a_package_imports_nothing(path):
    assert list(imports((ROOT / path).read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    ("folder", "allowed"),
    [
        ("tests/public", {"numpy"}),
        ("tests/hidden", {"numpy", "pytest"}),
        ("solutions", {"numpy", "solutions", *sys.stdlib_module_names}),
    ],
)
def test_the_homework_imports_little(folder, allowed):
    found = {
        path: strangers(source, allowed | NOTEBOOK if source.startswith("# ---\n# jupyter:") else allowed)
        for path, source in sources(folder).items()
    }
    assert not any(found.values()), found


def test_the_handout_imports_numpy_only():
    found = {}
    files = sources("assignment")
    for path, source in files.items():
        own = {Path(other).stem for other in files}
        pytest_too = {"pytest"} if Path(path).name == "test_public.py" else set()
        found[path] = strangers(source, {"numpy", *sys.stdlib_module_names} | own | pytest_too)
    assert not any(found.values()), found


@pytest.mark.parametrize("folder", ["autograder", "solutions", "tests"])
def test_nobody_imports_tests_or_assignment(folder):
    helpers = "tests.grader." if folder == "tests" else "nothing"  # what judges the judge may be in several files
    found = {
        path: [name for name in imports(source) if top(name) in {"tests", "assignment"}]
        for path, source in sources(folder).items()
    }
    found = {path: [name for name in names if not name.startswith(helpers)] for path, names in found.items()}
    assert not any(found.values()), found


# The rules themselves, on small examples.


@pytest.mark.parametrize(
    ("room", "source", "complaint"),
    [
        ("student", "from autograder import plugin", "imports plugin (floor 6): imports go down"),
        ("student", "import autograder.diagnose", "imports diagnose (floor 3): imports go down"),
        ("student", "from autograder.grade import grade", "imports grade (floor 7): imports go down"),
        ("student", "from .timing import ratio", "imports timing (floor 5): imports go down"),
        ("student", "from . import timing", "imports timing (floor 5): imports go down"),
        ("student", "def late():\n    from autograder import plugin", "imports plugin"),
        ("student", "if TYPE_CHECKING:\n    from autograder import plugin", "imports plugin"),
        ("student", "importlib.import_module('autograder.plugin')", "imports plugin"),
        ("errors", "from autograder import text", "imports text (floor 0): imports go down"),
        ("grade", "from solutions import naive", "the engine knows no homework by name"),
        ("verify", "import tests.hidden", "the engine knows no homework by name"),
        ("grade", "import rich", "it may use ['numpy', 'pydantic', 'pydantic_core', 'pytest', 'yaml']"),
        ("sandbox", "import numpy as np", "it may use []"),
        ("gradescope", "from numpy import ndarray", "it may use ['pydantic', 'pydantic_core', 'pytest', 'yaml']"),
        ("worker.wire", "import yaml", "it may use ['numpy']"),
        ("worker.wire", "from autograder import errors", "the worker sees its own folder only"),
        ("worker.wire", "from .. import errors", "the worker sees its own folder only"),
        ("worker.seccomp", "import wire", "imports worker.wire (floor 0): imports go down"),
        ("worker.wire", "from . import lockdown", "imports worker.lockdown (floor 1): imports go down"),
        ("sandbox", "from autograder.worker import __main__", "imports worker.__main__ (floor 2): imports go down"),
    ],
)
def test_a_bad_import_is_found(room, source, complaint):
    (found,) = complaints(room, source)
    assert complaint in found


@pytest.mark.parametrize(
    ("room", "source"),
    [
        ("student", "from autograder import compare, errors, __version__"),
        ("student", "from .worker import wire\nfrom .errors import Wrong\nimport numpy.linalg"),
        ("worker.__main__", "import json, lockdown, wire\nfrom autograder.worker import lockdown, wire"),
        ("batch", "import rich\nfrom autograder import grade"),
        ("__main__", "from autograder import batch, verify"),
    ],
)
def test_a_good_import_is_not(room, source):
    assert complaints(room, source) == []


def test_a_stranger_is_found():
    assert strangers("import json, numpy\nfrom os import path", {"numpy"}) == ["json", "os.path"]
