"""From what was handed in to results.json, on a homework the engine has never heard of."""

import ast
import errno
import io
import json
import os
import re
import stat
import subprocess
import sys
import tempfile
import tokenize
import zipfile
from fractions import Fraction
from pathlib import Path

import pytest

from autograder import __version__
from autograder.core import config
from autograder.core.errors import ConfigurationError
from autograder.core.results import Results
from autograder.grading.advice import version
from autograder.grading.grader import Grader
from tests.grader.support import ROOT

PYTHON = version()

WRONG = "def double(x): return x\ndef halve(x): return x / 2, x.shape\ndef unhalve(out, cache): return 1 / 0\n"
HIDDEN_FAULT = "def test_double(student):\n    undefined\n"


class Graded:
    """What came out of one grading."""

    def __init__(self, grade, path):
        self.grade = grade
        self.path = path
        self.results = json.loads(path.read_text(encoding="utf-8")) if path.exists() else None
        self.tests = {test["extra_data"]["test"]: test for test in self.results["tests"]} if self.results else {}


@pytest.fixture
def grade(toy):
    """Give what was handed in, get what came out."""

    def grade(source=toy.SOLUTION, only=None, path=None, hosted=False):
        path = path or toy.hand_in(source)
        results = toy.root / "results" / path.stem / "results.json"
        return Graded(Grader(config.load(toy.config), only, hosted).grade(path, results), results)

    return grade


# A submission that can be graded.


def test_full_marks(grade, toy):
    graded = grade()
    assert (graded.grade.score, graded.grade.points, dict(graded.grade.outcomes)) == (10, 10, {"passed": 4})
    assert graded.grade.remark == ""
    assert 0 < graded.grade.seconds < 20
    results = graded.results
    assert results["score"] == 10.0
    assert results["output"] == (
        "Found toy.py; 3 of 3 functions defined.\nann.py was taken as toy.py.\nEvery test passed."
    )
    assert [(test["number"], test["extra_data"]["test"]) for test in results["tests"]] == [
        ("1.1", "test_double_example"),
        ("1.2", "test_double"),
        ("2.1", "test_halve"),
        ("3.1", "test_unhalve"),
    ]
    assert {test["status"] for test in results["tests"]} == {"passed"}
    assert [test["max_score"] for test in results["tests"]] == [float(points) for points in toy.POINTS.values()]


def test_one_test_in_full(grade):
    extra = grade(WRONG).tests["test_double"]
    test = {key: value for key, value in extra.items() if key != "extra_data"}
    extra = extra["extra_data"]
    assert (extra["test"], extra["outcome"]) == ("test_double", "wrong")
    assert 0 < extra["seconds"] < 10
    assert {name: (case["outcome"], case["kind"]) for name, case in extra["cases"].items()} == {
        "one": ("wrong", "values"),
        "two": ("wrong", "values"),
    }
    assert test == {
        "number": "1.2",
        "name": "double: twice the input",
        "score": 0.0,
        "max_score": 3.0,
        "status": "failed",
        "output": "0 of 2 cases passed.\ny differs in 1 of 1 entries, first at [0] [double, one; likewise two]",
        "output_format": "text",
        "visibility": "visible",
    }


def test_what_the_student_reads(grade):
    graded = grade(WRONG)
    assert graded.results["output"] == (
        "Found toy.py; 3 of 3 functions defined.\n"
        "ann.py was taken as toy.py.\n"
        "All tests passed for: halve.\n"
        "Look at double first: it comes earliest, and later functions may build on it.\n"
        "Hidden tests say what kind of mistake they found and where, but not which inputs they used. "
        "A pass means only that no mistake showed on those inputs.\n"
        "Points:\n"
        "    double   0 of 4\n"
        "    halve    2 of 2\n"
        "    unhalve  0 of 4"
    )
    assert [test["number"] for test in graded.results["tests"]] == ["1.1", "1.2", "3.1", "2.1"], "failed ones first"
    assert graded.tests["test_double_example"]["output"] == "y=[1.0, 2.0], but should be [2.0, 4.0] [double, by hand]"
    assert graded.tests["test_halve"]["output"] == "Passed."
    assert (graded.grade.score, graded.results["score"]) == (2, 2.0)


def test_settings_of_a_test_are_kept(grade, toy):
    tests = {name: {"points": points} for name, points in toy.POINTS.items()}
    tests["test_double"] = {"points": 3, "feedback": "values", "visibility": "after_published"}
    toy.configure(tests=tests)
    test = grade(WRONG).tests["test_double"]
    assert test["visibility"] == "after_published"
    assert test["output"].splitlines()[1:3] == [
        "y differs in 1 of 1 entries, first at [0] [double, one; likewise two]",
        "y[0]=1, but should be 2",
    ]


def test_points_are_exact(grade, toy):
    """One case of two holds everywhere: tenths and thirds add up without a trace of binary fractions."""
    toy.configure(
        tests={
            "test_double_example": {"points": 0.1},
            "test_double": {"points": 0.7},
            "test_halve": {"points": 0.2},
            "test_unhalve": {"points": 0.33},
        },
        total_points=1.33,
    )
    source = "def double(x): return 2 * x if x[0] < 2 else x\ndef halve(x): return x / 2, x.shape\n"
    graded = grade(source + "def unhalve(out, cache): return 2 * out if out[0] < 1 else out\n")
    scores = {name: test["score"] for name, test in graded.tests.items()}
    assert scores == {"test_double_example": 0.1, "test_double": 0.35, "test_halve": 0.2, "test_unhalve": 0.17}
    assert graded.grade.score == Fraction(82, 100)
    assert graded.results["score"] == 0.82


def test_what_staff_can_see(grade):
    extra = grade(WRONG).results["extra_data"]
    assert (extra["engine"], extra["only"]) == (__version__, None)
    assert 0 <= extra["import_seconds"] < 2
    assert extra["isolation"]["rlimits"] == "on"


def test_nothing_of_ours_reaches_the_student(grade, toy):
    results = grade("import os\ndef double(x): os._exit(1)\ndef halve(x): raise ValueError(__file__)").results
    text = results["output"] + "".join(test["output"] for test in results["tests"])
    assert str(toy.root) not in text
    assert "Traceback" not in text
    assert "autograder" not in text


def test_a_slow_import_is_mentioned(grade, monkeypatch):
    monkeypatch.setattr("autograder.grading.grader.SLOW_IMPORT_SECONDS", 0.2)
    assert grade("import time\ntime.sleep(0.3)\n", only="test_halve").results["output"].splitlines()[2] == (
        "Importing toy.py takes more than 0.2 s, and it is imported once for every test: "
        "move experiments and plots out of it."
    )


# A submission that cannot.


@pytest.mark.parametrize(
    ("source", "story"),
    [
        ("raise ValueError('no')", "ValueError: no (toy.py, line 1)"),
        (
            "def double(x)\n    return x",
            f"SyntaxError: expected ':' (toy.py, line 1: def double(x)). The grader runs {PYTHON}",
        ),
        ("import os; os._exit(2)", "importing toy.py ended the Python process with exit status 2"),
    ],
)
def test_a_file_that_cannot_be_imported(grade, source, story):
    graded = grade(source)
    assert graded.grade.score == 0
    assert dict(graded.grade.outcomes) == {"not run": 4}
    assert graded.grade.remark == story
    assert graded.results["output"] == f"ann.py was taken as toy.py.\ntoy.py could not be imported: {story}."
    assert {test["output"] for test in graded.results["tests"]} == {
        "Not run: toy.py could not be imported.\nRepair that first; this function may be fine."
    }


def test_a_submission_that_cannot_be_read(grade, toy):
    path = toy.root / "handed in" / "ben.zip"
    path.write_bytes(b"no zip at all")
    graded = grade(path=path)
    message = "ben.zip is not a zip archive. Pack the files again and hand in the new zip."
    assert (graded.grade.score, graded.grade.remark, graded.results["output"]) == (0, message, message)
    assert {test["output"] for test in graded.results["tests"]} == {
        "Not run: the submission could not be read.\nRepair that first; this function may be fine."
    }


@pytest.mark.parametrize("inside", ["toy.py", "hw/toy.py"])
def test_a_zip(grade, toy, inside):
    path = toy.root / "handed in" / "cleo o'hara – ä.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(inside, "from helper import *\n")
        archive.writestr(str(Path(inside).with_name("helper.py")), toy.SOLUTION)
    assert grade(path=path).grade.score == 10


def test_a_folder(grade, toy):
    toy.hand_in(name="dora/toy.py")
    graded = grade(path=toy.root / "handed in" / "dora")
    assert graded.grade.score == 10
    assert graded.results["output"] == "Found toy.py; 3 of 3 functions defined.\nEvery test passed."


# A fault of ours: no grade.


def test_the_fallback_is_there_while_a_grading_runs(grade, toy, monkeypatch):
    seen = []
    write = Results.write

    def watched(results, path, ended=True):
        write(results, path, ended)
        seen.append(path.read_text())

    monkeypatch.setattr(Results, "write", watched)
    graded = grade()
    fallback, final = seen
    assert json.loads(fallback)["output"].splitlines()[0] == "The autograder did not finish grading this submission."
    assert "Grading started and has not ended yet." in fallback
    assert final == graded.path.read_text()


def test_a_fault_leaves_no_grade_not_even_an_older_one(grade, toy):
    before = grade()
    assert before.path.exists()
    toy.set_tests(hidden=HIDDEN_FAULT, test_double=1, test_double_example=1)
    graded = grade()
    assert graded.path == before.path
    assert list(graded.path.parent.iterdir()) == []
    assert (graded.grade.score, graded.grade.points) == (None, 2)
    assert dict(graded.grade.outcomes) == {"grader fault": 1}
    assert re.fullmatch(
        r"test_double: NameError: name 'undefined' is not defined \(test_toy_\d+\.py, line 2\)", graded.grade.remark
    )


def test_a_test_that_vanishes_is_a_fault(grade, toy):
    skipped = "import pytest\npytest.skip('today', allow_module_level=True)\ndef test_double(student): pass\n"
    toy.set_tests(hidden=skipped, test_double=1, test_double_example=1)
    graded = grade()
    assert (graded.grade.score, graded.grade.remark) == (None, "these tests did not run: test_double")
    assert not graded.path.exists()


def test_a_bug_is_a_fault_and_told_in_full(grade, toy, monkeypatch):
    monkeypatch.setattr("autograder.grading.overview.summary", lambda *arguments: 1 / 0)
    graded = grade()
    assert graded.grade.score is None
    assert graded.grade.remark.startswith("Traceback")
    assert graded.grade.remark.endswith("ZeroDivisionError: division by zero\n")
    assert not graded.path.exists()


def test_a_full_disk_is_told_in_a_line(grade, monkeypatch):
    def refuse(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device", "/tmp/grading")

    monkeypatch.setattr("autograder.sandbox.launcher.Sandbox.directory", refuse)
    story = "this machine refused something: /tmp/grading: No space left on device. Make room on this disk"
    assert grade().grade.remark == story


def test_results_that_the_platform_would_reject_are_a_fault(grade, monkeypatch):
    monkeypatch.setattr("autograder.grading.overview.summary", lambda *arguments: "\ud800")
    graded = grade()
    assert (graded.grade.score, graded.grade.remark) == (None, "results.json: Results.output: has a lone surrogate")
    assert not graded.path.exists()


def test_a_place_that_cannot_be_written_is_a_fault(grade, toy):
    (toy.root / "results").write_text("a file where a folder should be")
    graded = grade()
    assert graded.grade.score is None
    assert "FileExistsError" in graded.grade.remark or "NotADirectoryError" in graded.grade.remark


def test_a_submission_that_is_not_there_is_a_fault_in_one_line(grade, toy):
    graded = grade(path=toy.root / "nowhere.py")
    assert graded.grade.score is None
    assert graded.grade.remark == f"{toy.root / 'nowhere.py'}: no such file or folder. Check the path."


def test_ctrl_c_leaves_nothing(grade, toy, monkeypatch):
    made, make = [], tempfile.mkdtemp

    def noted(*arguments, **keywords):
        made.append(Path(make(*arguments, **keywords)))
        return str(made[-1])

    monkeypatch.setattr(tempfile, "mkdtemp", noted)
    toy.set_tests(
        hidden="def test_double(student):\n    raise KeyboardInterrupt\n", test_double=1, test_double_example=1
    )
    with pytest.raises(KeyboardInterrupt):
        grade()
    assert list((toy.root / "results/ann").iterdir()) == []
    assert made
    assert [folder for folder in made if folder.exists()] == []


# One test alone.


def test_only_one_test(grade):
    graded = grade(only="test_double")
    assert (list(graded.tests), graded.grade.score, graded.grade.points) == (["test_double"], 3, 3)
    assert graded.results["extra_data"]["only"] == "test_double"


def test_only_one_case(grade):
    graded = grade("def double(x): return 2 * x if x.size > 1 else x", only="test_double[two]")
    assert (graded.grade.score, graded.grade.points) == (3, 3)
    assert list(graded.tests["test_double"]["extra_data"]["cases"]) == ["two"]


TESTS = "The tests are: test_double_example, test_double, test_halve, test_unhalve"
CASES = "The cases are: test_double[one], test_double[two]"


@pytest.mark.parametrize(
    ("only", "complaint"),
    [
        ("test_xyz", f"no test is called test_xyz. {TESTS}"),
        ("test_duoble", f"no test is called test_duoble. Did you mean test_double? {TESTS}"),
        ("test_duoble[one]", f"no test is called test_duoble. Did you mean test_double? {TESTS}"),
        ("", f"no test is called . {TESTS}"),
        ("test_double[tow]", f"no case is called test_double[tow]. Did you mean test_double[two]? {CASES}"),
        ("test_double[one", f"no case is called test_double[one. Did you mean test_double[one]? {CASES}"),
        ("test_halve[one]", "test_halve has no cases. Write test_halve"),
        ("test_*[one]", "test_*[one] is a pattern, which takes no case. Write test_*, or one test with its case"),
    ],
)
def test_only_what_there_is(grade, only, complaint):
    with pytest.raises(ConfigurationError) as caught:
        grade(only=only)
    assert str(caught.value) == f"ONLY: {complaint}"


def test_missing_fixtures_are_refused(grade, toy):
    (toy.root / "secret/arrays/numbers.npz").unlink()
    with pytest.raises(ConfigurationError, match="make fixtures"):
        grade()


# Privacy.


def test_results_are_private(grade):
    graded = grade()
    assert stat.S_IMODE(graded.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(graded.path.parent.stat().st_mode) == 0o700


# The same submission, the same words.


def test_the_same_in_every_run(grade, toy):
    first, second = (toy.lasting(grade(WRONG).results) for _ in range(2))
    assert first == second


def test_the_same_in_another_process_with_another_seed_of_hashing(grade, toy):
    expected = toy.lasting(grade(WRONG).results)
    path = toy.root / "results/ann/results.json"
    path.unlink()
    command = [sys.executable, "-m", "autograder", "--config", toy.config, "grade", toy.root / "handed in/ann.py"]
    environment = {**os.environ, "PYTHONHASHSEED": "1"}
    subprocess.run(
        [*command, "--out", toy.root / "results"], cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL
    )
    assert toy.lasting(json.loads(path.read_text())) == expected


# The engine knows nothing of this repository's homework.


def words(path):
    """The names and texts of a module, its docstrings and comments left out."""
    source = path.read_text(encoding="utf-8")
    alone = {  # a text that is a statement is a docstring, also one below a constant
        (node.lineno, node.col_offset)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in (tokenize.COMMENT, tokenize.NL) and token.start not in alone:
            yield token.string


@pytest.mark.parametrize("path", sorted((ROOT / "autograder").rglob("*.py")), ids=lambda path: path.stem)
def test_the_engine_does_not_mention_convolution(path):
    pattern = re.compile(r"convol|conv\d|im2col|col2im|pool(?!$|executor)|kernel_size", re.IGNORECASE)
    if pattern.search(path.read_text(encoding="utf-8")):  # a comment may speak of it
        assert [word for word in words(path) if pattern.search(word)] == []


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ("seed", "config.yaml: fixtures.seed: says 2, but the fixtures were drawn from seed 1"),
        ("oracle", "oracle.py: has changed since the fixtures were made"),
        ("cases", "cases.py: has changed since the fixtures were made"),
    ],
)
def test_fixtures_that_are_out_of_date_are_refused(toy, change, problem):
    if change == "seed":
        toy.configure(fixtures={"seed": 2})
    else:
        (toy.root / f"answers/{change}.py").write_text("# another one\n")
    with pytest.raises(ConfigurationError) as caught:
        Grader(config.load(toy.config))
    assert str(caught.value) == f"{problem}. Run `make fixtures`, then `make verify`."


def test_an_error_in_the_search_for_examples_is_told_to_staff_alone(toy):
    package = toy.root / "answers/wrong"
    package.mkdir()
    family = "class family:\n    def family(function): raise LookupError('no programs')\n"
    (package / "__init__.py").write_text(
        f"CATALOGUE, AXES = (), {{}}\nclass geometry: AXES = {{}}\ndef assemble(entries): return {{}}\n{family}"
    )
    path = toy.root / "results.json"
    wrong = toy.hand_in(toy.SOLUTION.replace("return 2 * x", "return 3 * x"))
    assert Grader(config.load(toy.config)).grade(wrong, path).score is not None
    results = json.loads(path.read_text())
    assert results["extra_data"]["no_examples"] == "LookupError: no programs"
    assert "no programs" not in results["output"]


@pytest.mark.parametrize(("absolute", "score"), [(None, 0), (1e-14, 3)])
def test_an_absolute_tolerance_in_the_configuration(toy, absolute, score):
    """A result that should be zero and is zero but for rounding passes if config.yaml allows that."""
    hidden = """\
def test_double(student, check):
    import numpy as np

    check.array("y", student.double(np.zeros(2)), np.zeros(2))
"""
    toy.set_tests(hidden=hidden, public="", test_double=3)
    tolerances = json.loads(toy.config.read_text())["tolerances"]
    toy.configure(tolerances=tolerances | ({} if absolute is None else {"absolute": absolute}))
    grade = Grader(config.load(toy.config)).grade(
        toy.hand_in("def double(x): return 2 * x + 1e-16"), toy.root / "results.json"
    )
    assert grade.score == score
