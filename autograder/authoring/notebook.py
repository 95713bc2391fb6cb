"""Makes the notebook that students work in, with otter-grader, from one Python file and the public tests.

Theory of operation
-------------------
The source is a script in the percent format, ``# %%`` between cells, which a person can read, run and compare. A code
cell that is ``grader.check("<question>")`` and nothing else becomes a question; its tests are put in from outside.
``otter assign`` turns that into two notebooks, runs the one with the model answer beside it from end to end, and fails
if a check does. The other one goes to students.

Otter deletes folders named ``autograder`` and ``student``, so it only works in a temporary folder. Its output depends
on the run (cell ids) and on the version of Python (it prints the tests anew). This module corrects both. The notebook
records what it was made from, so that it can be checked where otter is not installed.

This module runs the instructor's own files. It does not know what the homework is about.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from autograder.core.errors import ConfigurationError

OTTER = "7.0."
"""The otter-grader that this module was written for: it relies on details that other versions may change."""

PATIENCE_SECONDS = 900
"""Otter runs the whole notebook, training included, maybe on a busy machine; what takes longer is stopped."""

LAST_LINES = 20
"""How much of a traceback is shown: its end, with the cell that failed."""

COLOUR = re.compile(r"\x1b\[[0-9;]*m")
CHECK = re.compile(r'grader\.check\("(\w+)"\)')
CELL = re.compile(r"^# %%.*\n", re.MULTILINE)
RECORD = "made_from"

Tests = Mapping[str, Mapping[str, str]]
"""For each question, in order: names and sources of its tests."""


def is_source(path: Path) -> bool:
    """Whether a Python file is a notebook in percent format."""
    return path.read_text(encoding="utf-8").startswith("# ---\n# jupyter:")


def make_notebook(source: Path, tests: Tests, beside: Sequence[Path]) -> str:
    """Build the students' notebook, and prove that it runs from end to end and the answer passes every check in it.

    Parameters
    ----------
    source : Path
        The script. The notebook has its stem.
    tests : mapping of str to mapping of str to str
        Sources of the tests of each question.
    beside : sequence of Path
        The files beside the notebook while it is proved; the first one is the model answer.

    Returns
    -------
    str
        The text of the notebook file: the same for the same source, tests and answer, on every machine.

    Raises
    ------
    ConfigurationError
        If otter is missing, source and tests do not fit together, a cell fails, or the answer fails a check.
    """
    text = source.read_text(encoding="utf-8")
    _match(source, text, tests)
    _require_otter(source)
    with tempfile.TemporaryDirectory(prefix="notebook-") as folder:
        master = Path(folder, f"{source.stem}.ipynb")
        master.write_text(json.dumps(_master(text, tests, [path.name for path in beside])), encoding="utf-8")
        for path in beside:
            Path(folder, path.name).write_bytes(path.read_bytes())
        _assign(source, master)
        student = json.loads(Path(folder, "built", "student", master.name).read_text(encoding="utf-8"))
    notebook = _settle(student, tests)
    _prove(source, notebook, tests)
    notebook["metadata"][RECORD] = {"sources": _fingerprint(text, tests, beside), "notebook": _digest(notebook)}
    return json.dumps(notebook, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def is_current(notebook: bytes, source: Path, tests: Tests, beside: Sequence[Path]) -> bool:
    """Whether a notebook was made from this source and these tests, proved beside these files, and not changed."""
    try:
        content = json.loads(notebook)
        record = content["metadata"].pop(RECORD)
    except (ValueError, TypeError, KeyError):
        return False
    sources = _fingerprint(source.read_text(encoding="utf-8"), tests, beside)
    return bool(record == {"sources": sources, "notebook": _digest(content)})


# --- Before otter ----------------------------------------------------------------------------------------------------


def _require_otter(source: Path) -> None:
    remedy = "`make assignment` installs requirements/instructor.txt"
    if importlib.util.find_spec("otter") is None or importlib.util.find_spec("jupytext") is None:
        raise ConfigurationError(str(source), "", "needs otter-grader and jupytext, which are not installed", remedy)
    from importlib.metadata import version

    if not version("otter-grader").startswith(OTTER):
        raise ConfigurationError(str(source), "", f"needs otter-grader {OTTER}*, not {version('otter-grader')}", remedy)


def _match(source: Path, text: str, tests: Tests) -> None:
    """Refuse a check without tests, tests without a check, and a question that is asked twice."""
    asked = [match[1] for cell in CELL.split(text) if (match := CHECK.fullmatch(cell.strip()))]
    for question in asked:
        if question not in tests:
            remedy = f"Questions with public tests are: {', '.join(tests)}"
            raise ConfigurationError(str(source), f'grader.check("{question}")', "has no public test", remedy)
        if asked.count(question) > 1:
            raise ConfigurationError(str(source), f'grader.check("{question}")', "is there twice", "Delete one")
    for question in tests:
        if question not in asked:
            remedy = f'Add a cell that is grader.check("{question}") and nothing else'
            raise ConfigurationError(str(source), "", f"never checks {question}, which has public tests", remedy)


def _master(text: str, tests: Tests, beside: Sequence[str]) -> Any:
    """Return the notebook that otter reads."""
    import jupytext

    notebook = jupytext.reads(text, fmt="py:percent")
    settings = {
        "init_cell": False,  # the source makes `grader` itself, after its title
        "export_cell": False,  # and packs the files that students added
        "generate": True,  # nobody uploads this zip, but the proof needs it
        "run_tests": True,
        "solutions_pdf": False,
        "tests": {"files": False, "ok_format": False},
        "student_files": list(beside),  # never under `files`: otter would give it to students
    }
    cells = [_cell("raw", f"# ASSIGNMENT CONFIG\n{json.dumps(settings)}")]
    for cell in notebook.cells:
        asked = CHECK.fullmatch(cell.source.strip()) if cell.cell_type == "code" else None
        cells += _question(asked[1], tests[asked[1]]) if asked else [dict(cell)]
    kernel = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    return {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 4}


def _question(name: str, tests: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    yield _cell("raw", f"# BEGIN QUESTION\nname: {name}")
    yield _cell("raw", "# BEGIN TESTS")
    for source in tests.values():
        yield _cell("code", source)
    yield _cell("raw", "# END TESTS")
    yield _cell("raw", "# END QUESTION")


def _cell(kind: str, source: str) -> dict[str, Any]:
    code: dict[str, Any] = {"outputs": [], "execution_count": None} if kind == "code" else {}
    return {"cell_type": kind, "metadata": {}, "source": source, **code}


def _assign(source: Path, master: Path) -> None:
    """Run ``otter assign``, in the folder of the master notebook."""
    command = [sys.executable, "-m", "otter", "assign", "--no-pdfs", "--debug", master.name, "built"]
    remedy = "Correct it; the assignment stays as it was"
    try:
        run = subprocess.run(
            command, cwd=master.parent, capture_output=True, encoding="utf-8", check=False, timeout=PATIENCE_SECONDS
        )
    except subprocess.TimeoutExpired:
        raise ConfigurationError(str(source), "", f"did not run through in {PATIENCE_SECONDS} s", remedy) from None
    if run.returncode != 0:
        said = COLOUR.sub("", run.stderr.strip() or run.stdout.strip()).splitlines()[-LAST_LINES:]
        raise ConfigurationError(str(source), "", "\n".join(["was refused by otter assign:", *said, ""]), remedy)


# --- After otter -----------------------------------------------------------------------------------------------------


def _settle(notebook: Any, tests: Tests) -> Any:
    """Remove what varies between runs, and restore the tests as they were written, comments included."""
    embedded = notebook["metadata"]["otter"]["tests"]
    for question, sources in tests.items():
        for test in sources.values():
            printed = ast.unparse(ast.parse(test).body[0])
            embedded[question] = embedded[question].replace(printed, test.strip())
    cells = []
    for number, cell in enumerate(notebook["cells"]):
        text = cell["source"] if isinstance(cell["source"], str) else "".join(cell["source"])
        settled = {"cell_type": cell["cell_type"], "id": f"cell-{number:03}", "source": text.splitlines(keepends=True)}
        locked = {key: value for key, value in cell["metadata"].items() if key in ("editable", "deletable")}
        cells.append({**_cell(cell["cell_type"], ""), **settled, "metadata": locked})
    metadata = {
        "kernelspec": notebook["metadata"]["kernelspec"],
        "language_info": {"name": "python"},
        "otter": {"OK_FORMAT": False, "tests": {question: embedded[question] for question in tests}},
    }
    return {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


def _prove(source: Path, notebook: Any, tests: Tests) -> None:
    """Check that the notebook holds every test as it was written, and that otter would count them all."""
    embedded = notebook["metadata"]["otter"]["tests"]
    for question, sources in tests.items():
        lost = [name for name, test in sources.items() if test.strip() not in embedded[question]]
        if lost or embedded[question].count("@test_case(") != len(sources):
            raise ConfigurationError(
                str(source), question, f"lost {lost} on its way through otter", "Is its version right?"
            )
    if "SOLUTION" in json.dumps(notebook):
        raise ConfigurationError(str(source), "", "would show students the word SOLUTION", "Leave it out")


def _fingerprint(text: str, tests: Tests, beside: Sequence[Path]) -> str:
    """Return one hash of what the notebook is made from and proved with."""
    files = [hashlib.sha256(path.read_bytes()).hexdigest() for path in beside]
    return hashlib.sha256(json.dumps([text, tests, files, OTTER]).encode()).hexdigest()


def _digest(notebook: Any) -> str:
    return hashlib.sha256(json.dumps(notebook, sort_keys=True).encode()).hexdigest()
