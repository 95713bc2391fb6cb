"""Who may import whom: the contracts of pyproject.toml fail where they should, and the homework imports little."""

import ast
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import grimp
import pytest

from tests.grader.support import ROOT

LINT = "from importlinter.cli import lint_imports_command; lint_imports_command()"
NOTEBOOK = {"IPython", "conftest", "layers", "lenet", "matplotlib", "otter"}
"""What the notebook's source may import beside the homework: students run it, the engine does not."""


# The engine.


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """A copy of the engine, with its contracts."""
    folder = tmp_path_factory.mktemp("tree")
    shutil.copy(ROOT / "pyproject.toml", folder)
    shutil.copytree(ROOT / "autograder", folder / "autograder", ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def lint(folder):
    """Check the contracts; return the exit status, and what was printed on one line."""
    command = [sys.executable, "-c", LINT, "--no-cache"]
    ran = subprocess.run(command, cwd=folder, env={"PYTHONPATH": "."}, capture_output=True, text=True, timeout=120)
    return ran.returncode, " ".join((ran.stdout + ran.stderr).split())


def test_the_engine_keeps_its_contracts(tree):
    status, said = lint(tree)
    assert (status, "0 broken" in said) == (0, True), said


@pytest.mark.parametrize(
    ("module", "line", "contract"),
    [
        pytest.param(
            "core/text",
            "from autograder.grading import compare",
            "A package imports only what is to its left",
            marks=pytest.mark.heavy,
        ),
        pytest.param(
            "intake/archive",
            "from autograder.sandbox import cpuclock",
            "A package imports only what is to its left",
            marks=pytest.mark.heavy,
        ),
        pytest.param(
            "sandbox/launcher",
            "from autograder.intake import archive",
            "A package imports only what is to its left",
            marks=pytest.mark.heavy,
        ),
        ("grading/timing", "def late():\n    import autograder.gradescope.hosted", "A package imports only what is"),
        (
            "gradescope/hosted",
            "from autograder.classroom import parallel",
            "A package imports only what is to its left",
        ),
        pytest.param(
            "classroom/run",
            "from autograder.authoring import verify",
            "A package imports only what is to its left",
            marks=pytest.mark.heavy,
        ),
        ("sandbox/worker/wire", "from autograder.core import errors", "The worker imports itself, NumPy and the"),
        pytest.param(
            "sandbox/worker/lockdown",
            "from autograder.sandbox import launcher",
            "The worker imports itself, NumPy and",
            marks=pytest.mark.heavy,
        ),
        pytest.param(
            "sandbox/worker/seccomp",
            "import yaml",
            "The worker imports itself, NumPy and the standard library",
            marks=pytest.mark.heavy,
        ),
        ("sandbox/launcher", "import numpy", "Outside the worker, what starts processes and what reads hand-ins"),
        ("grading/grader", "import rich", "Grading needs NumPy, pytest, PyYAML and pydantic only"),
        ("authoring/verify", "from solutions import naive", "The engine knows no homework by name"),
    ],
)
def test_a_forbidden_import_breaks_a_contract(tree, module, line, contract):
    path = tree / "autograder" / f"{module}.py"
    source = path.read_text(encoding="utf-8")
    path.write_text(f"{source}\n\n{line}\n", encoding="utf-8")
    try:
        status, said = lint(tree)
    finally:
        path.write_text(source, encoding="utf-8")
    assert status == 1
    assert f"{contract}" in said
    assert "1 broken" in said or "2 broken" in said


def test_a_new_package_needs_a_place(tree):
    (tree / "autograder" / "attic").mkdir()
    (tree / "autograder" / "attic" / "__init__.py").touch()
    try:
        status, said = lint(tree)
    finally:
        shutil.rmtree(tree / "autograder" / "attic")
    assert status == 1
    assert "autograder.attic" in said


def test_the_map_in_the_documentation_is_true():
    """docs/architecture.md draws the arrows between the packages: all of them, and no others; none goes up."""
    graph = grimp.build_graph("autograder", cache_dir=None)
    modules = sorted(graph.modules - {"autograder"})
    imported = [(a, b) for a in modules for b in graph.find_modules_directly_imported_by(a) if b in modules]
    arrows = {(a.split(".")[1], b.split(".")[1]) for a, b in imported if a.split(".")[1] != b.split(".")[1]}
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    drawn = re.findall(r"^    (\w+)(?:\[[^]]*\])? --> (\w+)", text, re.MULTILINE)
    assert {(a.replace("main", "__main__"), b) for a, b in drawn} == arrows
    assert len(arrows) <= 25


def test_every_file_that_the_map_names_exists():
    """docs/architecture.md names files of the engine, the homework and its tests by their paths: each is there."""
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(\w+/[\w/.]+)`", text))
    assert {"intake/archive.py", "grading/recorder.py"} <= named
    assert [
        name for name in sorted(named) if not any((root / name).exists() for root in (ROOT, ROOT / "autograder"))
    ] == []


OTHERS_WORDS = {
    "ProcessPoolExecutor": "a class of Python's concurrent.futures",
    "BrokenProcessPool": "an exception of Python's concurrent.futures",
    "can be converted to Python scalars": "what NumPy says, and the engine recognises",
}
"""Words of other libraries in the engine that look like words of this homework."""


def test_the_engine_has_no_word_of_this_homework():
    """No file of the engine speaks of convolution, in templates and scripts either: it grades other homeworks, too."""
    words = re.compile("conv|pool|im2col|pixel", re.IGNORECASE)
    paths = [path for path in sorted((ROOT / "autograder").rglob("*")) if "__pycache__" not in path.parts]
    found = [path.name for path in paths if words.search(path.name)]
    for path in paths:
        if path.is_file():
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
                if words.search(re.sub("|".join(map(re.escape, OTHERS_WORDS)), "", line)):
                    found.append(f"{path.relative_to(ROOT)}:{number}: {line}")
    assert found == []


# The homework.


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


def strangers(source: str, allowed: set[str]) -> list[str]:
    """What the source imports beyond `allowed`."""
    return [name for name in imports(source) if top(name) not in allowed]


def sources(folder: str) -> dict[str, str]:
    """The Python files of a folder, those of submissions left out; there must be some."""
    paths = [path for path in (ROOT / folder).rglob("*.py") if "submissions" not in path.relative_to(ROOT).parts]
    assert paths, f"no Python file in {folder}/"
    return {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8") for path in paths}


AT_HOME = {"test_public.py": {"pytest"}, "conftest.py": {"pytest"}, "lenet.py": {"layers", "matplotlib"}}
"""What files of the handout may import that no student's function may."""


@pytest.mark.parametrize(
    ("folder", "allowed"),
    [
        ("tests/public", {"numpy"}),
        ("tests/hidden", {"numpy", "pytest"}),
        ("solutions", {"autograder", "numpy", "solutions", *sys.stdlib_module_names}),
    ],
)
def test_the_homework_imports_little(folder, allowed):
    found = {
        path: strangers(
            source,
            allowed
            | (NOTEBOOK if source.startswith("# ---\n# jupyter:") else set())
            | (AT_HOME.get(Path(path).name, set()) if Path(path).parent.name == "handout" else set()),
        )
        for path, source in sources(folder).items()
    }
    assert not any(found.values()), found


def test_the_handout_imports_numpy_only():
    found = {}
    files = sources("assignment")
    for path, source in files.items():
        own = {Path(other).stem for other in files}
        more = AT_HOME.get(Path(path).name, set())
        found[path] = strangers(source, {"numpy", *sys.stdlib_module_names} | own | more)
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
