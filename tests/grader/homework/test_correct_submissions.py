"""Correct solutions, written in every odd way: none may lose a point.

One oddity per folder of ``submissions/correct/``, named in the first line of its ``layers.py``. Where a small test
about dtype or speed costs one of them points, ``submissions/expected.yaml`` says so.
"""

import ast
import json
import shutil
import subprocess
import sys

import pytest
import yaml

from tests.grader.support import ROOT, SUBMISSIONS
from tests.grader.support.slices import is_whole, smoke

CORRECT = SUBMISSIONS / "correct"
EXPECTED = yaml.safe_load((CORRECT.parent / "expected.yaml").read_text(encoding="utf-8"))["correct"]
NAMES = sorted(path.name for path in CORRECT.iterdir() if path.is_dir())
FEW = ("helper-modules", "views")
"""One of some kinds: several files, memory that is not theirs; ``make test-all`` grades all."""
every_submission = pytest.mark.parametrize("name", NAMES)
graded_submission = pytest.mark.parametrize("name", smoke(NAMES, FEW))


@pytest.fixture(scope="module")
def graded(request, tmp_path_factory):
    """Grade them once with the real command; return where the results are."""
    out, some = tmp_path_factory.mktemp("correct"), tmp_path_factory.mktemp("some")
    whole = is_whole(request)
    for name in NAMES if whole else FEW:
        shutil.copytree(CORRECT / name, some / name)
    jobs = "2" if whole else "1"
    command = [sys.executable, "-m", "autograder", "grade", str(some), "--out", str(out), "--jobs", jobs]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=900)
    assert ran.returncode == 0, ran.stderr
    assert "grader fault" not in ran.stdout, ran.stdout
    return out


def test_there_are_enough_of_them():
    assert len(NAMES) >= 16
    assert sorted(EXPECTED) == NAMES


@every_submission
def test_each_says_what_is_odd(name):
    source = (CORRECT / name / "layers.py").read_bytes()
    assert (ast.get_docstring(ast.parse(source)) or "").startswith("Odd: ")


@graded_submission
def test_none_loses_a_point(graded, name):
    results = json.loads((graded / name / "results.json").read_text(encoding="utf-8"))
    lost = {test["extra_data"]["test"]: test for test in results["tests"] if test["status"] != "passed"}
    outcomes = {test: entry["extra_data"]["outcome"] for test, entry in lost.items()}
    story = "\n\n".join(f"{entry['name']}\n{entry['output']}" for entry in lost.values())
    assert (results["score"], outcomes) == (EXPECTED[name]["score"], EXPECTED[name].get("not passed", {})), story


@graded_submission
def test_none_is_told_of_a_mistake(graded, name):
    results = json.loads((graded / name / "results.json").read_text(encoding="utf-8"))
    told = {test["extra_data"]["test"] for test in results["tests"] if "Hint:" in test["output"]}
    assert told <= set(EXPECTED[name].get("not passed", {}))
    assert {test["extra_data"]["test"] for test in results["tests"] if "diagnosis" in test["extra_data"]} <= told


@pytest.mark.heavy
@every_submission
def test_each_is_right_on_random_layers(name):
    command = [sys.executable, "-B", "-m", "tests.grader.support.oracle", str(CORRECT / name)]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, ran.stdout + ran.stderr
